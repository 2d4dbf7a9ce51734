"""Every network of the zoo equals its reference. A file in `vectors/` is a test: its stem is the name in the zoo."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

import archbuilder

from .measure import Vector, drop_rate_errors, eval_errors, init_errors, state_errors, train_errors
from .weights import weights

VECTORS: dict[str, Vector] = {
    path.stem: json.loads(path.read_text("utf-8"))
    for path in sorted((Path(__file__).parent / "vectors").glob("*.json"))
}

HEAVY = {
    "vgg11", "vgg16_bn", "vgg19",  # 18 to 27 s each: weights of more than 100 million numbers
    "cifar_resnet1202",  # 7 s
    "cifar_plain56", "cifar_resnet56", "cifar_resnet110", "hrnet_w18", "pvt_v2_b1", "res2net101_26w_4s", "res2net50_48w_2s",
    "res2net50_26w_8s", "res2net50d", "res2next50", "resnet34", "resnext50_32x4d", "tutorial_cifar_resnet18",
    "tutorial_resnet18",  # the same blocks as in smaller ones
    "hrnet_w32", "preact_resnet1001", "resnet101", "resnet152", "resnext101_32x8d", "wide_resnet50_2",  # 3 to 5 s each
}  # fmt: skip
"""Networks that are computed in the slow run alone: their keys, shapes and counts are compared every day, and what they
compute is that of smaller networks of the same blocks."""


def agree(errors: Iterable[str], shown: int = 20) -> None:
    found = list(errors)
    rest = [f"... and {len(found) - shown} more"] if len(found) > shown else []
    assert not found, "\n".join([*found[:shown], *rest])


def build(name: str) -> nn.Module:
    torch.manual_seed(0)
    return archbuilder.build(name, channels=VECTORS[name]["input"][1])


def test_there_are_vectors() -> None:
    assert len(VECTORS) >= 47
    assert VECTORS.keys() >= HEAVY


@pytest.mark.parametrize("name", VECTORS)
def test_static_analysis(name: str) -> None:
    vector = VECTORS[name]
    summary = archbuilder.summarize(archbuilder.lower(archbuilder.load(name), input=tuple(vector["macs"]["input"][1:])))
    assert summary.parameters == vector["parameters"], "parameters"
    assert summary.buffers == vector["buffer_elements"], "buffer_elements"
    assert summary.macs == vector["macs"]["total"], "macs"
    agree(state_errors(summary.state, vector))


@pytest.mark.parametrize("name", VECTORS)
def test_built(name: str) -> None:
    """A vector without drop rates is of a network that drops no path."""
    vector = VECTORS[name]
    with torch.device("meta"):  # shapes only: no memory, no time spent on initialising
        model = build(name)
    agree(state_errors({key: tuple(value.shape) for key, value in model.state_dict().items()}, vector))
    assert sum(parameter.numel() for parameter in model.parameters()) == vector["parameters"], "parameters"
    assert sum(buffer.numel() for buffer in model.buffers()) == vector["buffer_elements"], "buffer_elements"
    agree(drop_rate_errors(model, vector))
    if vector.get("features"):
        agree(feature_errors(model, vector))


def feature_errors(model: nn.Module, vector: Vector) -> Iterator[str]:
    taps = model.feature_info
    found = [{"channels": tap["num_chs"], "reduction": tap["reduction"]} for tap in taps]
    if found != vector["features"]:
        yield f"features: {found} instead of {vector['features']}"
    for tap in taps:
        model.get_submodule(tap["module"])


def test_there_are_drop_rates() -> None:
    counts = {name: len(vector["drop_rates"]) for name, vector in VECTORS.items() if "drop_rates" in vector}
    assert counts == {"convnext_tiny": 18, "efficientnet_b0": 9}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in HEAVY else name for name in VECTORS]
)
def test_computed(name: str) -> None:
    """One model for all that is computed, in the order in which each step leaves alone what the next one needs."""
    vector = VECTORS[name]
    model = build(name)
    errors = list(init_errors(model, vector))
    model.load_state_dict(weights(vector["state"]), strict=True)
    model.double()
    agree([*errors, *eval_errors(model, vector), *train_errors(model, vector)])
