"""Measures a built network and says where it differs from a vector, in the vector's own fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .weights import image

Vector = Mapping[str, Any]

TOLERANCE = 1e-6  # of the sample's deviation; everything is float64
INIT_TOLERANCE = 0.05
INIT_ELEMENTS = 10_000  # below that a random tensor's deviation says little


def main_output(output: Any) -> Tensor:
    """The main one of several outputs comes first."""
    return output if isinstance(output, Tensor) else output[0]


def sample_errors(field: str, tensor: Tensor, expected: Vector) -> Iterator[str]:
    """Where `tensor` is not the one that `expected` is a sample of."""
    if list(tensor.shape) != expected["shape"]:
        yield f"{field}: expected shape {expected['shape']}, got {list(tensor.shape)}"
        return
    flat = tensor.detach().double().flatten()
    found = [flat.mean().item(), flat.std(correction=0).item(), *flat[expected["index"]].tolist()]
    wanted = [expected["mean"], expected["std"], *expected["value"]]
    names = ["mean", "std", *(f"value at {i}" for i in expected["index"])]
    for name, got, want in zip(names, found, wanted, strict=True):
        if not abs(got - want) <= TOLERANCE * expected["std"]:  # so that NaN fails
            yield f"{field}: {name}: expected {want!r}, got {got!r} (std {expected['std']:.3g})"


def state_errors(state: Mapping[str, Sequence[int]], vector: Vector) -> Iterator[str]:
    """Where keys, shapes or their order differ."""
    expected: Mapping[str, list[int]] = vector["state"]
    for key in expected.keys() - state.keys():
        yield f"state: missing {key}"
    for key in state.keys() - expected.keys():
        yield f"state: unexpected {key}"
    for key in state.keys() & expected.keys():
        if list(state[key]) != expected[key]:
            yield f"state: {key}: expected {expected[key]}, got {list(state[key])}"
    if state.keys() == expected.keys():
        for position, (got, want) in enumerate(zip(state, expected, strict=True)):
            if got != want:
                yield f"state: entry {position}: expected {want}, got {got}"
                return


def init_errors(model: nn.Module, vector: Vector) -> Iterator[str]:
    """Where a freshly built model is initialised unlike the reference, if the vector tells."""
    parameters = dict(model.named_parameters())
    for key, (mean, std) in vector.get("init", {}).items():
        parameter = parameters[key]
        values = parameter.detach().double()
        got_mean, got_std = values.mean().item(), values.std(correction=0).item()
        where = f"init: {key}: expected mean {mean}, std {std}; got mean {got_mean:.8g}, std {got_std:.8g}"
        if std == 0:
            same = got_std == 0 and abs(got_mean - mean) <= 1e-6 * abs(mean)
        elif values.numel() >= INIT_ELEMENTS:
            same = abs(got_std - std) <= INIT_TOLERANCE * std and abs(got_mean - mean) <= INIT_TOLERANCE * std
        else:
            same = got_std > 0
        if not same:
            yield where


def drop_rate_errors(model: nn.Module, vector: Vector) -> Iterator[str]:
    """Where a block drops its path at another rate; the module that does so may be called otherwise."""
    paths = {path.rpartition(".")[0]: rate for path, rate in vector.get("drop_rates", {}).items()}
    modules = {path: module for path, module in model.named_modules() if type(module).__name__ == "DropPath"}
    found = {path.rpartition(".")[0]: getattr(module, "rate", None) for path, module in modules.items()}
    for path in {**paths, **found}:
        got, want = found.get(path), paths.get(path)
        if got is None or want is None or not abs(got - want) <= 1e-9:
            yield f"drop_rates: {path}: expected {want}, got {got}"


def eval_errors(model: nn.Module, vector: Vector) -> Iterator[str]:
    """`eval` and `eval_resized`; the model keeps its weights and statistics."""
    model.eval()
    with torch.no_grad():
        yield from sample_errors("eval", main_output(model(image(vector["input"]))), vector["eval"])
        for resized in vector.get("eval_resized", ()):
            field = f"eval_resized {resized['input']}"
            yield from sample_errors(field, main_output(model(image(resized["input"]))), resized)


def train_errors(model: nn.Module, vector: Vector) -> Iterator[str]:
    """`train`, `train_auxiliary`, `gradient` and `running`: one forward and one backward."""
    model.train()
    for module in model.modules():
        if "Drop" in type(module).__name__ or type(module).__name__ == "StochasticDepth":
            module.eval()
    output = model(image(vector["input"]))
    yield from sample_errors("train", main_output(output), vector["train"])
    for name, expected in vector.get("train_auxiliary", {}).items():
        yield from sample_errors(
            f"train_auxiliary {name}", getattr(output, name.replace("aux_logits", "aux")), expected
        )
    model.zero_grad()
    main_output(output).square().mean().backward()
    gradient = model.get_parameter(vector["gradient"]["of"]).grad
    assert gradient is not None
    yield from sample_errors("gradient", gradient, vector["gradient"])
    if "running" in vector:
        yield from sample_errors("running", model.get_buffer(vector["running"]["of"]), vector["running"])
