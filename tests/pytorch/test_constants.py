"""Networks with the constants that no key tells: their source, and what is made of their modules elsewhere."""

import re
import warnings
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.fx import symbolic_trace

from archbuilder import Architecture, build, lower, to_source
from archbuilder.graph.table import OPS

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


WITH_NUMBERS: dict[tuple[str, str], dict[str, Any]] = {
    ("conv", "standardize"): {"kernel": 3},
    ("norm", "eps"): {"kind": "group", "groups": 2},
    ("norm", "momentum"): {},
    ("activation", "slope"): {"kind": "leaky_relu"},
    ("activation", "alpha"): {"kind": "elu"},
    ("dropout", "rate"): {},
    ("drop_path", "rate"): {},
    ("pad_pixels", "value"): {"above": 1},
    ("rescale", "scale"): {},
    ("rescale", "offset"): {},
    ("attention", "scale"): {"from": ["before"] * 3},
    ("attention", "dropout"): {"from": ["before"] * 3, "weights": "mean"},
}
"""What an op is told beside one of its numbers."""


def test_every_number_of_an_op_is_tried() -> None:
    numbers = {(op, each.name) for op in OPS for each in OPS[op].parameters if "float" in (each.type, each.element)}
    assert numbers == set(WITH_NUMBERS)


def of_a_number(op: str, parameter: str, values: tuple[float, ...], *, hands_on: bool) -> Architecture:
    """An op that is told each of some values, by its step or by a block around it."""
    told = WITH_NUMBERS[op, parameter]
    step = {"block": op, **told, parameter: "$number" if hands_on else values[0]}
    body = {
        "before": {
            "block": "to_tokens" if op == "attention" else "conv_norm_act",
            **({"width": 4} if op != "attention" else {}),
        }
    }
    body |= {"op": step} | ({"after": "to_map"} if op == "attention" else {})
    if not hands_on:
        return network(stages=body)
    used = {"body": body, "parameters": {"number": {"type": "float", "default": values[0]}}}
    return network(
        blocks={"used": used}, stages={f"s{at}": {"block": "used", "number": each} for at, each in enumerate(values)}
    )


@pytest.mark.parametrize(("op", "parameter"), WITH_NUMBERS)
@pytest.mark.parametrize("values", [(1,), (0,), (1, 0), (1, 0.5), (1, 0.5, 0)], ids=str)
def test_a_whole_number_is_a_number(op: str, parameter: str, values: tuple[float, ...]) -> None:
    for hands_on in (False, True) if len(values) == 1 else (True,):
        model, exactly = (
            build(of_a_number(op, parameter, each, hands_on=hands_on)).eval()
            for each in (values, tuple(map(float, values)))
        )
        exactly.load_state_dict(model.state_dict())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            agrees(torch.jit.script(model), model, SIZES[:1])
        agrees(model, exactly, SIZES[:1])


def test_a_number_that_a_network_is_told_may_be_whole() -> None:
    told = network(
        parameters={"rate": 0.2, "power": 1},
        stages={
            "a": {"block": "conv", "kernel": 3, "width": "$(8 * power)"},
            "b": {"block": "norm", "momentum": "$(power - rate)"},
            "c": {"block": "dropout", "rate": "$rate"},
        },
    )
    for rate in (0, 1, 0.5):
        model = build(told, rate=rate).eval()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            agrees(torch.jit.script(model), model, SIZES[:1])
    assert "nn.Dropout(p=float(rate))" in to_source(lower(build(told, rate=0).spec))


def test_uses_with_and_without_a_stride_are_one_class() -> None:
    classes = re.findall(r"(?m)^class (\w+)", to_source(lower(TENSORFLOW)))
    assert classes == ["SameConv2d", "SameMaxPool2d", "SameAvgPool2d", "SqueezeExcite", "Mbconv", "Net"]


def test_weights_are_drawn_once() -> None:
    """A convolution of our own is one of torch's, so that one rule is for both."""
    source = to_source(lower(TENSORFLOW))
    assert source.count("nn.init.kaiming_normal_") == 1
    assert "isinstance(module, nn.Conv2d)" in source
    assert "SameConv2d)" not in source.partition("def initialize_weights")[2]
