"""The yardstick itself: its stream is the published one, and each kind of difference is found, under its field."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any
from zlib import crc32

import pytest
import torch
from torch import Tensor, nn

from .measure import drop_rate_errors, eval_errors, init_errors, state_errors, train_errors
from .weights import image, uniform, weights


def splitmix64(name: str, count: int) -> list[float]:
    """The definition, with Python's integers."""
    mask = 2**64 - 1
    stream = []
    for i in range(count):
        z = (crc32(name.encode()) + (i + 1) * 0x9E3779B97F4A7C15) & mask
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        z ^= z >> 31
        stream.append((z >> 11) * 2.0**-53)
    return stream


@pytest.mark.parametrize("name", ["input", "layer1.0.bn2.running_var", "größe"])
def test_stream(name: str) -> None:
    assert uniform(name, 1000).tolist() == splitmix64(name, 1000)


def sample(tensor: Tensor) -> dict[str, Any]:
    flat = tensor.detach().flatten()
    index = [0, len(flat) // 2, len(flat) - 1]
    std = flat.std(correction=0).item()
    return {
        "shape": list(tensor.shape),
        "mean": flat.mean().item(),
        "std": std,
        "index": index,
        "value": flat[index].tolist(),
    }


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 64, 9), nn.BatchNorm2d(64), nn.Dropout(), nn.Conv2d(64, 4, 1), nn.Flatten())


def loaded(vector: dict[str, Any]) -> nn.Module:
    model = network()
    model.load_state_dict(weights(vector["state"]))
    return model.double()


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    """A vector of the small network, as the references' were made."""
    model = network()
    vector: dict[str, Any] = {
        "input": [2, 3, 16, 16],
        "state": {key: list(value.shape) for key, value in model.state_dict().items()},
    }
    vector["init"] = {
        key: [p.double().mean().item(), p.double().std(correction=0).item()] for key, p in model.named_parameters()
    }
    model = loaded(vector).eval()
    vector["eval"] = sample(model(image(vector["input"])))
    vector["eval_resized"] = [{"input": [2, 3, 12, 20], **sample(model(image([2, 3, 12, 20])))}]
    model.train()[2].eval()
    output = model(image(vector["input"]))
    output.square().mean().backward()
    vector["train"] = sample(output)
    vector["gradient"] = {"of": "0.weight", **sample(model.get_parameter("0.weight").grad)}
    vector["running"] = {"of": "1.running_var", **sample(model.get_buffer("1.running_var"))}
    return vector


def errors(vector: dict[str, Any], change: Callable[[nn.Module], object] = nn.Module.train) -> list[str]:
    model = loaded(vector)
    change(model)
    state = {key: list(value.shape) for key, value in network().state_dict().items()}
    return [
        *state_errors(state, vector),
        *init_errors(network(), vector),
        *eval_errors(model, vector),
        *train_errors(model, vector),
    ]


def test_equal_networks_agree(reference: dict[str, Any]) -> None:
    assert errors(reference) == []


@pytest.mark.parametrize("field", ["eval", "eval_resized", "train", "gradient", "running"])
@pytest.mark.parametrize("part", ["shape", "mean", "std", "value"])
def test_each_field_can_fail(reference: dict[str, Any], field: str, part: str) -> None:
    vector = copy.deepcopy(reference)
    expected = vector[field][0] if field == "eval_resized" else vector[field]
    if part in ("shape", "value"):
        expected[part][-1] += 2e-6 * expected["std"] if part == "value" else 1
    else:
        expected[part] += 2e-6 * expected["std"]
    found = errors(vector)
    assert len(found) == 1
    assert found[0].startswith(field)


@pytest.mark.parametrize(
    "found", [{"a.drop": 0.1, "b.drop": 0.3}, {"a.drop": 0.1}, {"a.drop": 0.1, "b.drop": 0.2, "c.drop": 0.2}]
)
def test_drop_rates_can_fail(found: dict[str, float]) -> None:
    class DropPath(nn.Module):
        def __init__(self, rate: float) -> None:
            super().__init__()
            self.rate = rate

    def network(rates: dict[str, float]) -> nn.Module:
        return nn.ModuleDict({path[0]: nn.ModuleDict({"drop_path": DropPath(rate)}) for path, rate in rates.items()})

    vector = {"drop_rates": {"a.stochastic_depth": 0.1, "b.stochastic_depth": 0.2}}
    assert len(list(drop_rate_errors(network(found), vector))) == 1
    assert list(drop_rate_errors(network({"a": 0.1, "b": 0.2}), vector)) == []


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        (lambda model: setattr(model[1], "momentum", 0.11), {"running"}),
        (lambda model: setattr(model[1], "eps", 2e-5), {"eval", "eval_resized", "train", "gradient"}),
        (
            lambda model: model[0].weight.data[0, 0, 0, 0].add_(1e-3),
            {"eval", "eval_resized", "train", "gradient", "running"},
        ),
        (lambda model: model[3].bias.data.fill_(float("nan")), {"eval", "eval_resized", "train", "gradient"}),
    ],
    ids=["momentum", "epsilon", "one weight", "not a number"],
)
def test_a_changed_network_fails(
    reference: dict[str, Any], change: Callable[[nn.Module], object], fields: set[str]
) -> None:
    assert {error.split(":")[0].split(" ")[0] for error in errors(reference, change)} == fields


def test_state_errors_name_each_key(reference: dict[str, Any]) -> None:
    state = {key: list(shape) for key, shape in reference["state"].items()}
    assert list(state_errors({**state, "more": [1]}, reference)) == ["state: unexpected more"]
    assert list(state_errors({key: shape for key, shape in state.items() if key != "0.bias"}, reference)) == [
        "state: missing 0.bias"
    ]
    assert list(state_errors({**state, "0.bias": [65]}, reference)) == ["state: 0.bias: expected [64], got [65]"]
    turned = list(state_errors(dict(reversed(state.items())), reference))
    assert turned == ["state: entry 0: expected 0.weight, got 3.bias"]


@pytest.mark.parametrize("scale", [0.94, 1.06])
def test_init_sees_six_percent(reference: dict[str, Any], scale: float) -> None:
    vector = copy.deepcopy(reference)
    vector["init"]["0.weight"][1] *= scale
    vector["init"]["1.weight"][0] = 0.5
    found = list(init_errors(network(), vector))
    assert [error.split(":")[1].strip() for error in found] == ["0.weight", "1.weight"]
