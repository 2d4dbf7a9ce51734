"""Networks with the constants that no key tells: their source, and what is made of their modules elsewhere."""

import re
import warnings
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.fx import symbolic_trace

from archbuilder import Architecture, build, lower, to_source

SIZES = ((32, 32), (33, 47), (40, 35))


def network(**told: Any) -> Architecture:
    return Architecture(**{"name": "net", "input": {"size": 32}, **told})


TENSORFLOW = network(
    defaults={"conv": {"padding": "same", "init": "kaiming_fan_out"}, "activation": "silu"},
    stem={
        "conv": {"block": "conv_norm_act", "width": 8, "stride": 2},
        "highest": {"block": "max_pool", "kernel": 3, "stride": 2, "padding": "same"},
    },
    stages={
        "a": {"block": "mbconv", "width": 8, "depth": 2},
        "b": {"block": "mbconv", "width": 16, "depth": 2, "stride": 2, "kernel": 5},
        "means": {"block": "avg_pool", "kernel": 2, "stride": 2, "padding": "same", "count_padding": False},
    },
    head={"pool": "global_pool", "fc": {"block": "linear", "width": 4}},
)
OTHERS = network(
    stem={
        "transform": {"block": "rescale", "scale": [0.5, 1, 2], "offset": -0.1},
        "conv": {"block": "conv", "width": 8, "kernel": 3, "padding_mode": "reflect"},
        "act": {"block": "activation", "kind": "leaky_relu", "slope": 0.1},
        "gate": {"block": "activation", "kind": "hard_sigmoid", "slope": 0.2},
        "gelu": {"block": "activation", "kind": "gelu", "approximate": "sigmoid"},
        "scaled": {"block": "rescale", "scale": 0.17},
        "wider": {"block": "pad_channels", "width": 12, "side": "behind"},
        "larger": {"block": "upsample", "kind": "bicubic", "align_corners": True},
    },
    head={"pool": "global_pool", "fc": {"block": "linear", "width": 4}},
)
ATTENTION = network(
    stem={
        "conv": {"block": "conv", "width": 8, "kernel": 4, "stride": 4, "padding": "same"},
        "tokens": "to_tokens",
        "attend": {"block": "attention", "from": ["tokens"] * 3, "heads": 2, "scale": 1.0},
        "mean": {"block": "attention", "from": ["attend"] * 3, "weights": "mean", "cosine": True},
    },
    head={"pool": "global_pool", "fc": {"block": "linear", "width": 4}},
)
NETWORKS = {"TensorFlow": TENSORFLOW, "others": OTHERS, "attention": ATTENTION}


def images(size: tuple[int, int]) -> Tensor:
    return torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))


def agrees(made: Any, model: nn.Module, sizes: Any = SIZES) -> None:
    with torch.no_grad():
        for size in sizes:
            torch.testing.assert_close(made(images(size)), model(images(size)))


@pytest.fixture(params=NETWORKS)
def model(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(0)
    return build(NETWORKS[request.param]).eval()


def test_script(model: nn.Module) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        agrees(torch.jit.script(model), model)


def test_trace(model: nn.Module) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        traced = torch.jit.trace(model, images(SIZES[0]))
    agrees(traced, model)


def test_symbolic_trace(model: nn.Module) -> None:
    agrees(symbolic_trace(model), model)


@pytest.mark.parametrize("name", [pytest.param("TensorFlow", marks=pytest.mark.slow), "others"])
def test_export_for_any_size(name: str) -> None:
    model = build(NETWORKS[name]).eval()
    sizes = ({2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC},)
    agrees(torch.export.export(model, (images((37, 45)),), dynamic_shapes=sizes).module(), model)


def test_export(model: nn.Module) -> None:
    agrees(torch.export.export(model, (images(SIZES[1]),)).module(), model, SIZES[1:2])


def test_half_precision_and_gradients(model: nn.Module) -> None:
    assert model.bfloat16()(images(SIZES[1]).bfloat16()).dtype is torch.bfloat16
    model.float().train()(images(SIZES[1])).sum().backward()
    assert all(each.grad is not None for each in model.parameters())


def test_uses_with_and_without_a_stride_are_one_class() -> None:
    classes = re.findall(r"(?m)^class (\w+)", to_source(lower(TENSORFLOW)))
    assert classes == ["SameConv2d", "SameMaxPool2d", "SameAvgPool2d", "SqueezeExcite", "Mbconv", "Net"]


def test_weights_are_drawn_once() -> None:
    """A convolution of our own is one of torch's, so that one rule is for both."""
    source = to_source(lower(TENSORFLOW))
    assert source.count("nn.init.kaiming_normal_") == 1
    assert "isinstance(module, nn.Conv2d)" in source
    assert "SameConv2d)" not in source.partition("def initialize_weights")[2]
