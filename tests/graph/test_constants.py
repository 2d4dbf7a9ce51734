"""The constants that no key of a checkpoint tells: what each of them does to the numbers, by a formula written out here."""

from math import ceil
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor
from torch.nn import functional

from archbuilder.graph.shapes import Held, Map, Tokens
from tests.graph.test_ops import MAP, TOKENS, Case, made, run
from tests.graph.test_windows import pairs

close = torch.testing.assert_close


def tensorflows(size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """The zeros before and behind, as TensorFlow's documentation has them."""
    outputs = ceil(size / stride)
    total = max((outputs - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


def padded(x: Tensor, kernel: Any, stride: Any, dilation: Any = (1, 1), value: float = 0.0) -> Tensor:
    rows, columns = (tensorflows(x.shape[2 + at], kernel[at], stride[at], dilation[at]) for at in range(2))
    return functional.pad(x, (*columns, *rows), value=value)


@given(size=pairs(1, 20), kernel=pairs(1, 5), stride=pairs(1, 4), dilation=pairs(1, 3))
@settings(max_examples=80)
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")  # torch says that it costs a copy
def test_same_padding_of_a_convolution(size: Any, kernel: Any, stride: Any, dilation: Any) -> None:
    told = {"kernel": list(kernel), "stride": list(stride), "dilation": list(dilation), "padding": "same", "width": 2}
    op, x = Case("conv", told, (Map(3, *size),)).applied(), torch.rand(1, 3, *size)
    module = made(op.emit())  # type: ignore[arg-type]
    expected = functional.conv2d(padded(x, kernel, stride, dilation), module.weight, None, stride, 0, dilation)  # type: ignore[arg-type]
    close(module(x), expected)
    assert op.infer((Map(3, *size),)) == Map(2, *expected.shape[2:])


@given(size=pairs(1, 20), kernel=pairs(1, 5), stride=pairs(1, 4))
@settings(max_examples=50)
def test_same_padding_of_pools(size: Any, kernel: Any, stride: Any) -> None:
    told = {"kernel": list(kernel), "stride": list(stride), "padding": "same"}
    x, shape = torch.rand(1, 2, *size), (Map(2, *size),)
    highest = functional.max_pool2d(padded(x, kernel, stride, value=float("-inf")), kernel, stride)
    close(run(Case("max_pool", told, shape), x), highest)
    means = functional.avg_pool2d(padded(x, kernel, stride), kernel, stride)
    close(run(Case("avg_pool", told, shape), x), means)
    counted = functional.avg_pool2d(padded(torch.ones_like(x), kernel, stride), kernel, stride)
    close(run(Case("avg_pool", {**told, "count_padding": False}, shape), x), means / counted)
    for pool in ("max_pool", "avg_pool"):
        assert Case(pool, told, shape).applied().infer(shape) == Map(2, *highest.shape[2:])


def test_a_padding_is_that_of_the_size_at_hand() -> None:
    """A module that was made for one size is right for all."""
    module = made(Case("conv", {"kernel": 3, "stride": 2, "padding": "same"}, (MAP,)).applied().emit())  # type: ignore[arg-type]
    for size in ((8, 8), (9, 8), (1, 2), (33, 90)):
        x = torch.rand(1, 12, *size)
        close(module(x), functional.conv2d(padded(x, (3, 3), (2, 2)), module.weight, None, 2))  # type: ignore[arg-type]


def test_a_padding_that_changes_numbers_is_told() -> None:
    """At stride 1 it is what there is without a word."""
    for op, name in (("conv", "conv"), ("max_pool", "max pool"), ("avg_pool", "avg pool")):
        assert Case(op, {"kernel": 3, "stride": 2, "padding": "same"}).applied().label() == f"{name} 3×3/2 same"
        assert Case(op, {"kernel": 3, "padding": "same"}).applied().label() == f"{name} 3×3"


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_what_stands_around_a_map(mode: str) -> None:
    x = torch.rand(2, 12, 9, 8)
    for told, size in (({"kernel": 5, "stride": 2}, 2), ({"kernel": 3, "padding": "same", "dilation": 2}, 2)):
        module = made(Case("conv", {**told, "padding_mode": mode}).applied().emit())  # type: ignore[arg-type]
        around = functional.pad(x, (size, size, size, size), mode=mode)
        dilation = told.get("dilation", 1)
        close(module(x), functional.conv2d(around, module.weight, None, told.get("stride", 1), 0, dilation))  # type: ignore[arg-type]


@pytest.mark.parametrize("told", [{"padding": 1}, {"padding": "same", "groups": 3}], ids=str)
def test_weights_that_are_standardized(told: dict[str, Any]) -> None:
    case = Case("conv", {"kernel": 3, "stride": 2, "width": 6, "standardize": 1e-3, **told})
    module, x = made(case.applied().emit()), torch.rand(2, 12, 9, 8)  # type: ignore[arg-type]
    weights = [each - each.mean() for each in module.weight.data]  # type: ignore[union-attr]
    weight = torch.stack([each / (each.square().mean() + 1e-3).sqrt() for each in weights])
    around = padded(x, (3, 3), (2, 2)) if told["padding"] == "same" else functional.pad(x, (1, 1, 1, 1))
    close(module(x), functional.conv2d(around, weight, None, 2, groups=told.get("groups", 1)))


def test_channels_in_a_circle() -> None:
    module = made(Case("channel_conv", {"kernel": 5, "circular": True}, (Map(12, 1, 1),)).applied().emit())  # type: ignore[arg-type]
    x, weight = torch.rand(2, 12, 1, 1), module.weight.data.flatten()  # type: ignore[union-attr]
    close(module(x), sum(weight[at] * x.roll(2 - at, 1) for at in range(5)))


X = torch.linspace(-4, 4, 101).repeat(2, 12, 9, 1)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"kind": "leaky_relu"}, torch.where(X < 0, 0.01 * X, X)),
        ({"kind": "leaky_relu", "slope": 0.1}, torch.where(X < 0, 0.1 * X, X)),
        ({"kind": "elu", "alpha": 0.5}, torch.where(X < 0, 0.5 * (X.exp() - 1), X)),
        ({"kind": "hard_sigmoid"}, (X / 6 + 0.5).clamp(0, 1)),
        ({"kind": "hard_sigmoid", "slope": 0.2}, (0.2 * X + 0.5).clamp(0, 1)),
        ({"kind": "gelu"}, X * (1 + torch.erf(X / 2**0.5)) / 2),
        (
            {"kind": "gelu", "approximate": "tanh"},
            X * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (X + 0.044715 * X**3))) / 2,
        ),
        ({"kind": "gelu", "approximate": "sigmoid"}, X * torch.sigmoid(1.702 * X)),
        ({"kind": "relu6"}, X.clamp(0, 6)),
    ],
    ids=str,
)
def test_activations(told: dict[str, Any], expected: Tensor) -> None:
    close(run(Case("activation", told), X), expected)


@pytest.mark.parametrize("kind", ["bilinear", "bicubic"])
@pytest.mark.parametrize("aligned", [False, True])
def test_interpolation(kind: str, aligned: bool) -> None:
    x = torch.rand(2, 12, 9, 8)
    larger = run(Case("upsample", {"factor": [3, 2], "kind": kind, "align_corners": aligned}), x)
    close(larger, functional.interpolate(x, (27, 16), mode=kind, align_corners=aligned))
    other = run(Case("upsample", {"factor": [3, 2], "kind": kind, "align_corners": not aligned}), x)
    assert (larger - other).abs().max() > 0.01


@pytest.mark.parametrize(
    "told",
    [
        {"kind": "nearest"},
        {"kind": "bicubic"},
        {"align_corners": True},
        {"antialias": True},
        {"kind": "bicubic", "antialias": True, "align_corners": True},
    ],
    ids=str,
)
def test_interpolation_of_an_embedding(told: dict[str, Any]) -> None:
    held, shapes = torch.rand(1, 50, 12), (Held((1, 50, 12)), Tokens(4, 3, 0, 12))
    resized = run(Case("resize_tokens", {"grid": 7, **told}, shapes), held, torch.rand(2, 4, 3, 12))
    close(resized[:, :1], held[:, :1].expand(2, -1, -1))  # once for each of the images
    grid = held[:, 1:].reshape(1, 7, 7, 12).permute(0, 3, 1, 2)
    how = {"mode": told.get("kind", "bilinear"), "antialias": told.get("antialias", False)}
    aligned = None if how["mode"] == "nearest" else told.get("align_corners", False)
    placed = functional.interpolate(grid, (4, 3), align_corners=aligned, **how).flatten(2).transpose(1, 2)
    close(resized[:, 1:], placed.expand(2, -1, -1))


@pytest.mark.parametrize(
    "told",
    [{"scale": 1.0}, {"weights": "mean"}, {"cosine": True}, {"scale": 10, "cosine": True, "weights": "mean"}],
    ids=str,
)
def test_attention(told: dict[str, Any]) -> None:
    queries, keys, values = (torch.rand(2, 9, 8, 12) for _ in range(3))
    output = run(Case("attention", {"heads": 3, **told}, (TOKENS,) * 3), queries, keys, values).flatten(1, 2)
    for head in range(3):
        q, k, v = (each.flatten(1, 2)[..., head * 4 :][..., :4] for each in (queries, keys, values))
        if told.get("cosine"):
            q, k = q / q.norm(dim=-1, keepdim=True), k / k.norm(dim=-1, keepdim=True)
        products = q @ k.transpose(1, 2) * told.get("scale", 4**-0.5)
        weights = products / 72 if told.get("weights") == "mean" else products.softmax(-1)
        close(output[..., head * 4 :][..., :4], weights @ v)


def test_where_channels_of_zeros_are_put() -> None:
    x = torch.rand(2, 12, 9, 8)
    for side, before in (("both", 2), ("before", 5), ("behind", 0)):
        wider = run(Case("pad_channels", {"width": 17, "side": side}), x)
        close(wider[:, before : before + 12], x)
        assert wider.count_nonzero() == x.count_nonzero()


def test_where_rows_and_columns_are_put() -> None:
    x = torch.rand(2, 12, 9, 8)
    larger = run(Case("pad_pixels", {"above": 1, "below": 2, "right": 3, "value": -1}), x)
    close(larger[:, :, 1:10, :8], x)
    assert larger.shape == (2, 12, 12, 11)
    assert (larger == -1).sum() == 24 * (12 * 11 - 9 * 8)
    close(run(Case("pad_pixels", {"above": -1, "right": -3}), x), x[:, :, 1:, :-3])


def test_which_of_two_channels_comes_first() -> None:
    x = torch.rand(2, 12, 9, 8)
    close(run(Case("channel_pool", {"first": "max"}), x), run(Case("channel_pool", {}), x).flip(1))


def test_numbers_that_are_not_trained() -> None:
    x = torch.rand(2, 3, 9, 8)
    shape = (Map(3, 9, 8),)
    close(run(Case("rescale", {"scale": 0.17}, shape), x), x * 0.17)
    close(run(Case("rescale", {"offset": [-1]}, shape), x), x - 1)
    scaled = run(Case("rescale", {"scale": [1, 2, 3], "offset": [0, -1, 4]}, shape), x)
    close(scaled, torch.stack([x[:, 0], 2 * x[:, 1] - 1, 3 * x[:, 2] + 4], 1))
    assert Case("rescale", {"scale": [1, 2, 3]}, shape).applied().state() == ()
