"""What a checkpoint's keys don't tell: networks with the reference's keys and shapes equal it only with the right words.

Measured on timm 1.0.31 and torchvision 0.28.0 like the vectors, with weights by our own keys, in the order in which both have
them. `without` says how a spec reads that has the same keys and is wrong: so each word is one that counts.
"""

from typing import Any, NamedTuple

import pytest
import torch

from archbuilder import Architecture, build

from .measure import sample_errors
from .weights import image, weights


class Case(NamedTuple):
    """A spec, the words without which it is another network, and what the reference gives for an image of each size."""

    spec: dict[str, Any]
    without: dict[str, Any]
    samples: list[tuple[tuple[int, int], dict[str, Any]]]


TENSORFLOW = {"conv": {"padding": "same"}, "norm": {"eps": 1e-3, "momentum": 0.01}}
LITE = {**TENSORFLOW, "activation": "relu6", "mbconv": {"gate": None}}


def logits(mean: float, std: float, *value: float) -> dict[str, Any]:
    return {"shape": [1, 1000], "mean": mean, "std": std, "index": [0, 666, 999], "value": value}


def a_map(mean: float, std: float, *value: float) -> dict[str, Any]:
    return {"shape": [1, 16, 5, 6], "mean": mean, "std": std, "index": [0, 160, 479], "value": value}


def non_local(scale: float | None) -> dict[str, Any]:
    attention = {"block": "attention", "from": ["t", "p", "g"]} | ({"scale": scale} if scale else {})
    linear = {"block": "linear", "width": 8, "from": "tokens"}
    body = {
        "tokens": "to_tokens",
        "t": linear,
        "p": linear,
        "g": linear,
        "attended": attention,
        "map": "to_map",
        "z": {"block": "conv", "width": 16, "kernel": 1, "bias": True},
        "norm": "norm",
        "sum": {"block": "add", "from": ["norm", "input"]},
    }
    return {"input": {"channels": 16, "size": [5, 6]}, "stages": {"block": {"body": body}}}


def gated(**told: Any) -> dict[str, Any]:
    return {
        "input": {"channels": 16, "size": [5, 6]},
        "defaults": {"norm": {"eps": 1e-6}},
        "stages": {"gate": {"block": "global_context", **told}},
    }


CASES = {
    "timm tf_efficientnet_b0": Case(
        {"extends": "efficientnet_b0", "defaults": TENSORFLOW},
        {"extends": "efficientnet_b0", "defaults": {"norm": TENSORFLOW["norm"]}},
        [
            (
                (64, 64),
                logits(-0.0033508645865, 0.1823947168151, 0.1360082126106, 0.1680642692710, 0.1487857454935),
            ),
            (
                (65, 75),
                logits(-0.0035775406909, 0.1830174167445, 0.1289862187370, 0.1638314256941, 0.1459093277742),
            ),
        ],
    ),
    "timm tf_efficientnet_lite0": Case(
        {"extends": "efficientnet_b0", "defaults": LITE},
        {"extends": "efficientnet_b0", "defaults": {**LITE, "conv": {}}},
        [
            (
                (71, 98),
                logits(-0.0040258946313, 0.3348822968621, -0.1123375478125, -0.0997891799837, -0.0254767148733),
            ),
        ],
    ),
    "timm tf_mobilenetv3_small_100": Case(
        {"extends": "mobilenet_v3_small", "defaults": {"conv": {"padding": "same"}}},
        {"extends": "mobilenet_v3_small"},
        [
            (
                (64, 64),
                logits(-0.0061192141181, 0.1551715491406, 0.0844862432168, -0.0106832562419, 0.0442060650957),
            ),
            (
                (65, 75),
                logits(-0.0061914011555, 0.1542065464270, 0.0913102525964, -0.0174458716687, 0.0487102053925),
            ),
        ],
    ),
    "torchvision googlenet, as its weights want it": Case(
        {"extends": "googlenet", "parameters": {"transform_input": True}},
        {"extends": "googlenet"},
        [
            (
                (64, 64),
                logits(-0.0036152034029, 0.2081618565512, -0.0942038363679, 0.0110481241693, 0.4220614291914),
            ),
        ],
    ),
    "timm NonLocalAttn(use_scale=False)": Case(
        non_local(1.0),
        non_local(None),
        [
            (
                (5, 6),
                a_map(-0.0228088697076, 0.6597082144116, -1.0757602494299, -0.6975238500283, 0.6829777667879),
            ),
        ],
    ),
    "timm NonLocalAttn(use_scale=True), of the input's 16 channels": Case(
        non_local(0.25),
        non_local(None),
        [
            (
                (5, 6),
                a_map(-0.0199555609909, 0.6447307577608, -0.7233398821382, -0.7052245208144, 0.7748148984986),
            ),
        ],
    ),
    "timm GlobalContext(fuse_scale=True)": Case(
        gated(fuse="scale"),
        {**gated(fuse="scale"), "defaults": {}},
        [
            (
                (5, 6),
                a_map(0.0097185141243, 0.3202028647879, -0.5018746647570, -0.2001818837437, 0.1750993710236),
            ),
        ],
    ),
    "timm GlobalContext(fuse_add=True)": Case(
        gated(fuse="add"),
        gated(fuse="scale"),
        [
            (
                (5, 6),
                a_map(0.0692361505445, 0.9590590042012, 0.3730880351157, -1.0594681786027, -0.3651998114708),
            ),
        ],
    ),
}  # fmt: skip


def errors(spec: dict[str, Any], sizes: tuple[int, int], sample: dict[str, Any]) -> list[str]:
    """Where a spec's network is another one than that of which the sample is."""
    architecture = Architecture(**{"name": "constants", **spec})
    model = build(architecture).double().eval()
    model.load_state_dict(weights({key: each.shape for key, each in model.state_dict().items()}))
    assert architecture.input is not None
    with torch.no_grad():
        return list(sample_errors("eval", model(image((1, architecture.input.channels, *sizes))), sample))


@pytest.mark.parametrize("name", CASES)
def test_the_reference_is_equalled(name: str) -> None:
    for sizes, sample in CASES[name].samples:
        assert errors(CASES[name].spec, sizes, sample) == []


@pytest.mark.parametrize("name", CASES)
def test_without_the_word_the_keys_fit_and_the_numbers_do_not(name: str) -> None:
    right, wrong = (Architecture(**{"name": "constants", **spec}) for spec in CASES[name][:2])
    assert [*build(right).state_dict()] == [*build(wrong).state_dict()]
    assert errors(CASES[name].without, *CASES[name].samples[-1])
