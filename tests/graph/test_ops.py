"""One contract for every op of the table: what it says of itself is what torch does."""

from dataclasses import FrozenInstanceError, is_dataclass
from typing import Any, NamedTuple

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from archbuilder.diagnostics import printable
from archbuilder.graph.answers import Construct, Expression
from archbuilder.graph.helpers import HELPERS
from archbuilder.graph.op import Op, OpError
from archbuilder.graph.shapes import Held, Map, Shape, Streams, Tokens, Vector, dimensions
from archbuilder.graph.table import OPS
from archbuilder.parameters import REQUIRED, TYPES

MAP, VECTOR, TOKENS, EXTRA = Map(12, 9, 8), Vector(12), Tokens(9, 8, 0, 12), Tokens(9, 8, 2, 12)
POOLS = ("max_pool", "avg_pool")
LAYERS = {"conv", "linear"}
"""What counts as a layer when the depth of a network is told."""


class Case(NamedTuple):
    """An op, what it is told, and what goes in."""

    op: str
    given: dict[str, Any]
    inputs: tuple[Shape, ...] = (MAP,)

    def applied(self) -> Op:
        op_type = OPS[self.op]
        values = {p.name: p.check(self.given.get(p.name, p.default)) for p in op_type.parameters}
        return op_type.applied(values, self.inputs)[0]


CASES = [
    Case("conv", {"kernel": 3}),
    Case("conv", {"kernel": [1, 3], "width": 8, "stride": [2, 1], "bias": True, "dilation": [1, 2]}),
    Case("conv", {"kernel": 4, "padding": [0, 1], "groups": 3, "width": 6}),
    Case("conv", {"kernel": 3, "group_width": 1, "width": 24}),
    *(
        Case("conv", {"kernel": kernel, "padding": "same", "stride": stride})
        for kernel in (1, 3, 5)
        for stride in (1, 2, 4)
    ),
    Case("conv", {"kernel": [2, 3], "padding": "same", "stride": [3, 1], "dilation": [1, 2]}),
    Case("conv", {"kernel": [2, 4], "padding": "same", "dilation": 2}),
    Case("conv", {"kernel": 3, "padding": "same", "padding_mode": "reflect"}),
    *(Case("conv", {"kernel": 5, "stride": 2, "padding_mode": mode}) for mode in ("reflect", "replicate", "circular")),
    Case("conv", {"kernel": 3, "standardize": 1e-6, "stride": 2, "padding_mode": "reflect"}),
    Case("conv", {"kernel": 3, "standardize": 1e-8, "stride": 2, "padding": "same", "bias": True, "groups": 3}),
    Case("channel_conv", {"kernel": 5, "circular": True}, (Map(12, 1, 1),)),
    Case("linear", {"width": 7}, (VECTOR,)),
    Case("linear", {"bias": False}, (VECTOR,)),
    Case("conv", {"kernel": 1, "bias": True, "init": "kaiming_fan_in", "bias_init": "zeros"}),
    Case("channel_conv", {"kernel": 3}, (Map(12, 1, 1),)),
    Case("channel_conv", {"kernel": 1}, (Map(12, 1, 1),)),
    Case("linear", {"width": 7}, (TOKENS,)),
    Case("linear", {"init": {"truncated_normal": 0.02}, "bias_init": "zeros"}, (EXTRA,)),
    Case("norm", {}),
    Case("norm", {"eps": 1e-3, "momentum": 0.2}),
    Case("norm", {}, (VECTOR,)),
    Case("norm", {"kind": "group", "groups": 4}),
    Case("norm", {"kind": "group", "groups": 3}, (VECTOR,)),
    Case("norm", {"kind": "layer"}),
    Case("norm", {"kind": "layer"}, (VECTOR,)),
    Case("norm", {"kind": "layer", "eps": 1e-6}, (TOKENS,)),
    Case("norm", {"kind": "layer", "zero_init": True}, (EXTRA,)),
    *(Case("activation", {"kind": kind}) for kind in OPS["activation"].parameters[0].choices),
    Case("activation", {"kind": "gelu"}, (TOKENS,)),
    *(Case("activation", {"kind": "gelu", "approximate": function}) for function in ("tanh", "sigmoid")),
    *(Case("activation", {"kind": kind, "slope": 0.2}) for kind in ("leaky_relu", "hard_sigmoid")),
    Case("activation", {"kind": "elu", "alpha": 0.5}),
    Case("activation", {}, (VECTOR,)),
    Case("dropout", {"rate": 0.25}),
    Case("dropout", {"rate": 0.25}, (EXTRA,)),
    Case("drop_path", {"rate": 0.25}),
    Case("drop_path", {"rate": 1.0}, (TOKENS,)),
    Case("max_pool", {"kernel": 3, "stride": 2}),
    Case("max_pool", {"kernel": 2, "stride": 2, "ceil": True}),
    Case("max_pool", {"kernel": [3, 1], "stride": [2, 1], "padding": [1, 0]}),
    Case("avg_pool", {"kernel": 3, "stride": 2, "count_padding": False}),
    Case("avg_pool", {"kernel": 2, "stride": 3, "ceil": True}),
    *(Case(pool, {"kernel": 3, "stride": stride, "padding": "same"}) for pool in POOLS for stride in (1, 2, 4)),
    *(Case(pool, {"kernel": [1, 2], "stride": [2, 3], "padding": "same"}) for pool in POOLS),
    Case("avg_pool", {"kernel": 3, "stride": 2, "padding": "same", "count_padding": False}),
    Case("global_pool", {}),
    Case("global_pool", {"keep": True}),
    Case("global_pool", {}, (TOKENS,)),
    Case("global_pool", {}, (EXTRA,)),
    *(Case("global_pool", {"kind": kind}) for kind in ("max", "sum")),
    *(Case("global_pool", {"kind": kind, "keep": True}) for kind in ("max", "sum", "avg_and_max")),
    Case("adaptive_avg_pool", {"size": 3}),
    Case("adaptive_avg_pool", {"size": [2, 16]}),
    Case("channel_pool", {}),
    Case("channel_pool", {"first": "max"}),
    Case("weighted_pool", {}, (MAP, Map(1, 9, 8))),
    Case("upsample", {}),
    Case("upsample", {"factor": [3, 1], "kind": "bilinear"}),
    Case("upsample", {"kind": "bicubic"}),
    *(Case("upsample", {"kind": kind, "align_corners": True}) for kind in ("bilinear", "bicubic")),
    Case("subsample", {"stride": 2}),
    Case("subsample", {"stride": [3, 1]}),
    Case("add", {}, (MAP,)),
    Case("add", {}, (MAP, MAP, MAP)),
    Case("add", {}, (TOKENS, TOKENS)),
    Case("add", {"spread": True}, (MAP, Map(12, 1, 1), Map(1, 9, 8))),
    Case("add", {}, (MAP, Held((12, 1, 1)))),
    Case("add", {}, (MAP, Held((1, 1, 9, 8)))),
    Case("add", {}, (TOKENS, Held((12,)))),
    Case("add", {}, (EXTRA, Held((1, 12)))),
    Case("multiply", {}, (MAP, Map(12, 1, 1))),
    Case("multiply", {}, (MAP, MAP)),
    Case("multiply", {}, (MAP, Map(1, 9, 8))),
    Case("multiply", {}, (MAP, Held((12, 1, 1)))),
    Case("multiply", {}, (MAP, Map(12, 1, 1), Held((1,)))),
    Case("multiply", {}, (MAP, Held((1, 1)))),
    Case("multiply", {}, (VECTOR, Held((12,)))),
    Case("multiply", {}, (TOKENS, Held((12,)))),
    Case("multiply", {}, (EXTRA, EXTRA)),
    Case("concat", {}, (MAP, Map(3, 9, 8))),
    Case("concat", {}, (VECTOR, Vector(3))),
    Case("split", {"parts": 3}),
    Case("split", {"parts": 4}, (VECTOR,)),
    Case("split", {"parts": 3}, (TOKENS,)),
    Case("split", {"parts": 3}, (EXTRA,)),
    Case("split", {"parts": 1}),
    Case("concat", {}, (TOKENS, Tokens(9, 8, 0, 3))),
    Case("concat", {}, (EXTRA,)),
    Case("streams", {}, (MAP, VECTOR)),
    Case("streams", {}, (MAP,)),
    Case("streams", {}, (TOKENS, EXTRA, TOKENS)),
    Case("softmax", {}, (VECTOR, VECTOR)),
    Case("softmax", {}, (MAP, MAP, MAP)),
    Case("channel_shuffle", {}),
    Case("channel_shuffle", {"groups": 3}),
    *(Case("pad_channels", {"width": 17, "side": side}) for side in ("both", "before", "behind")),
    Case("pad_pixels", {"below": 1}),
    Case("pad_pixels", {"above": 1, "below": 2, "right": 3, "value": -1}),
    Case("pad_pixels", {"above": -1, "right": 1}),
    Case("pad_pixels", {"above": -1, "left": -2}),
    Case("rescale", {"scale": 0.17}),
    Case("rescale", {"scale": [2], "offset": -1}, (VECTOR,)),
    Case("rescale", {"offset": 0.5}, (EXTRA,)),
    Case("rescale", {"scale": [0.1 * number for number in range(12)], "offset": 0.5}),
    Case("flatten", {}),
    Case("flatten", {}, (VECTOR,)),
    Case("flatten", {}, (TOKENS,)),
    Case("flatten", {}, (EXTRA,)),
    Case("identity", {}),
    Case("identity", {}, (TOKENS,)),
    Case("to_tokens", {}),
    Case("to_map", {}, (TOKENS,)),
    Case("attention", {}, (TOKENS, TOKENS, TOKENS)),
    Case("attention", {"heads": 3, "dropout": 0.25}, (EXTRA, EXTRA, EXTRA)),
    Case("attention", {"heads": 2}, (TOKENS, Tokens(2, 3, 0, 12), Tokens(2, 3, 0, 12))),
    Case("attention", {"heads": 4}, (TOKENS, Tokens(2, 3, 1, 12), Tokens(2, 3, 1, 8))),
    Case("attention", {"heads": 3, "scale": 1.0}, (TOKENS, TOKENS, TOKENS)),
    Case("attention", {"heads": 2, "weights": "mean", "cosine": True}, (EXTRA, EXTRA, EXTRA)),
    Case("parameter", {"shape": [12]}, ()),
    Case("parameter", {"shape": [12, 1, 1], "init": {"constant": 1e-6}}, ()),
    Case("parameter", {"shape": [1, 73, 12], "init": {"truncated_normal": 0.02}}, ()),
    Case("prepend_tokens", {}, (TOKENS, Held((1, 2, 12)))),
    Case("prepend_tokens", {}, (EXTRA, Held((1, 1, 12)))),
    Case("take_token", {}, (EXTRA,)),
    Case("take_token", {"index": 73}, (EXTRA,)),
    Case("resize_tokens", {"grid": [9, 8]}, (Held((1, 72, 12)), TOKENS)),
    Case("resize_tokens", {"grid": 7}, (Held((1, 50, 12)), TOKENS)),
    Case("resize_tokens", {"grid": 7, "kind": "nearest"}, (Held((1, 50, 12)), TOKENS)),
    Case("resize_tokens", {"grid": 7, "kind": "bicubic", "antialias": True}, (Held((1, 49, 12)), TOKENS)),
]


def helpers() -> dict[str, Any]:
    names: dict[str, Any] = {"torch": torch, "nn": nn, "functional": functional, "Tensor": torch.Tensor}
    for source in HELPERS.values():
        exec(source, names)
    return names


NAMES = helpers()


def made(construct: Construct) -> nn.Module:
    """The module that a construct stands for."""
    module = eval_construct(construct)
    assert isinstance(module, nn.Module)
    return module


def eval_construct(construct: Construct) -> Any:
    """What a construct stands for, a module or not."""
    arguments = [eval_construct(each) if isinstance(each, Construct) else each for each in construct.arguments]
    return eval(construct.callee, NAMES)(*arguments, **dict(construct.keywords))


def run(case: Case, *inputs: torch.Tensor) -> Any:
    """What an op gives for these inputs, in eval mode."""
    emitted = case.applied().emit()
    if isinstance(emitted, Expression):
        return computed(emitted, list(inputs))
    return made(emitted).eval()(*inputs if len(inputs) == 1 else [inputs])


def computed(expression: Expression, inputs: list[torch.Tensor]) -> Any:
    """What an expression gives."""
    names = [f"x{number}" for number in range(len(inputs))]
    joined = {"all": f"[{', '.join(names)}]", "sum": " + ".join(names), "product": " * ".join(names)}
    values = {name: repr(value) for name, value in expression.values}
    text = expression.template.format(*names, **joined, **values)
    return eval(text, NAMES, dict(zip(names, inputs, strict=True)))


def numbers(shape: Shape) -> torch.Tensor:
    """A tensor of a shape; two images, unless it is the same for all."""
    return torch.rand(*shape.sizes) if isinstance(shape, Held) else torch.rand(2, *dimensions(shape))


def sizes(value: Any) -> Any:
    """The shape of what came out, without the batch."""
    return tuple(value.shape[1:]) if isinstance(value, torch.Tensor) else tuple(sizes(each) for each in value)


def images(value: Any) -> set[int]:
    """Of how many images there are values in what came out."""
    return {len(value)} if isinstance(value, torch.Tensor) else {len(part) for part in value}


def identify(case: Case) -> str:
    return f"{case.op} {case.given} {' '.join(str(shape) for shape in case.inputs)}"


def test_every_op_is_tried() -> None:
    assert {case.op for case in CASES} == set(OPS)


@pytest.mark.parametrize("name", OPS)
def test_an_op_describes_itself(name: str) -> None:
    op_type = OPS[name]
    assert op_type.name == name
    assert op_type.__doc__
    assert op_type.help[0].islower()
    assert not op_type.help.endswith(".")
    names = [parameter.name for parameter in op_type.parameters]
    assert len(set(names)) == len(names)
    for parameter in op_type.parameters:
        assert parameter.type in TYPES
        assert parameter.help[0].islower() or parameter.help[0] == "`"
        assert not parameter.help.endswith(".")
        if parameter.default is not REQUIRED:
            assert parameter.check(parameter.default) == parameter.default
    assert is_dataclass(op_type)


def test_ops_are_equal_if_they_do_the_same() -> None:
    usual = Case("conv", {"kernel": 3, "padding": 1}).applied()
    same, other = Case("conv", {"kernel": [3, 3]}).applied(), Case("conv", {"kernel": 3, "stride": 2}).applied()
    assert usual == same
    assert len({usual, same, other, Case("linear", {}, (VECTOR,)).applied()}) == 3
    assert repr(Case("dropout", {"rate": 0.2}).applied()) == "Dropout(rate=0.2)"


def test_an_op_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Case("conv", {"kernel": 3}).applied().stride = (2, 2)  # type: ignore[attr-defined]


@pytest.mark.parametrize("case", CASES, ids=identify)
def test_an_op_is_what_torch_computes(case: Case) -> None:
    op = case.applied()
    assert hash(op) == hash(case.applied())
    assert op.label() == printable(op.label()).strip() != ""
    shape = op.infer(case.inputs)
    inputs = [numbers(each) for each in case.inputs]
    emitted = op.emit()
    if op.holds_tensor:
        assert isinstance(emitted, Construct)
        held = eval_construct(emitted)
        assert isinstance(held, nn.Parameter)
        assert [tuple(tensor) for tensor in op.state()] == [("", tuple(held.shape), True)]
        assert {each.tensor for each in op.initialise()} == {""}
        assert shape == Held(tuple(held.shape))
        assert op.macs(shape) == 0
        return
    module = nn.Identity() if isinstance(emitted, Expression) else made(emitted).eval()
    tensors = [(name, tuple(each.shape), True) for name, each in module.named_parameters()]
    tensors += [(name, tuple(each.shape), False) for name, each in module.named_buffers()]
    assert [tuple(tensor) for tensor in op.state()] == tensors
    assert {each.tensor for each in op.initialise()} <= {name for name, _, _ in tensors}
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):  # torch counts no other on a CPU
        if isinstance(emitted, Expression):
            output = computed(emitted, inputs)
        else:
            output = module(*inputs if len(inputs) == 1 or op.spreads else [tuple(inputs)])
    assert sizes(output) == (
        tuple(dimensions(part) for part in shape) if isinstance(shape, Streams) else dimensions(shape)
    )
    assert images(output) == {2}
    assert (
        op.macs(shape) * 2 * 2 == counter.get_total_flops()
    )  # two images, and a multiply-accumulate is two operations
    assert op.counts_as_layer == (case.op in LAYERS)
    assert op.macs(shape) > 0 or not (op.counts_as_layer or tensors) or op.role == "norm"


def test_values_of_new_pixels_and_tokens() -> None:
    """Where only shapes would not tell: what stands where."""
    x, y = torch.rand(2, 12, 9, 8), torch.rand(2, 1, 9, 8)
    both = run(Case("global_pool", {"kind": "avg_and_max", "keep": True}), x)
    torch.testing.assert_close(both, torch.stack([x.mean((2, 3)), x.amax((2, 3))], -1).unsqueeze(2))
    torch.testing.assert_close(run(Case("channel_pool", {}), x), torch.stack([x.mean(1), x.amax(1)], 1))
    weights = torch.softmax(y.flatten(1), 1).view(2, 1, 9, 8)
    pooled = run(Case("weighted_pool", {}, (MAP, Map(1, 9, 8))), x, y)
    torch.testing.assert_close(pooled, (x * weights).sum((2, 3), keepdim=True))
    shuffled = run(Case("channel_shuffle", {"groups": 3}), x)
    torch.testing.assert_close(shuffled, x[:, [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]])
    larger = run(Case("upsample", {"factor": [1, 2]}), x)
    torch.testing.assert_close(larger, torch.stack([x, x], -1).flatten(3))
    first, second = run(Case("softmax", {}, (MAP, MAP)), x, x + 1)
    torch.testing.assert_close(first + second, torch.ones_like(x))
    torch.testing.assert_close(second / first, torch.full_like(x, torch.e))


def test_values_of_tokens() -> None:
    x, held = torch.rand(2, 9, 8, 12), torch.rand(1, 2, 12)
    tokens = run(Case("to_tokens", {}), x.permute(0, 3, 1, 2))
    torch.testing.assert_close(tokens, x)
    torch.testing.assert_close(run(Case("to_map", {}, (TOKENS,)), x), x.permute(0, 3, 1, 2))
    longer = run(Case("prepend_tokens", {}, (TOKENS, Held((1, 2, 12)))), x, held)
    torch.testing.assert_close(longer, torch.cat([held.expand(2, 2, 12), x.reshape(2, 72, 12)], 1))
    torch.testing.assert_close(run(Case("take_token", {"index": 1}, (EXTRA,)), longer), held[:, 1].expand(2, 12))
    torch.testing.assert_close(run(Case("global_pool", {}, (EXTRA,)), longer), longer.mean(1))
    torch.testing.assert_close(run(Case("global_pool", {}, (TOKENS,)), x), x.mean((1, 2)))


def test_an_embedding_is_resized_only_where_the_grid_differs() -> None:
    held, x = torch.rand(1, 74, 12), torch.rand(2, 9, 8, 12)
    case = Case("resize_tokens", {"grid": [9, 8]}, (Held((1, 74, 12)), TOKENS))
    assert case.applied().infer(case.inputs) == EXTRA
    torch.testing.assert_close(run(case, held, x), held.expand(2, 74, 12))
    larger = run(case, held, torch.rand(2, 18, 16, 12))
    torch.testing.assert_close(larger[:, :2], held[:, :2].expand(2, 2, 12))
    grid = held[:, 2:].reshape(1, 9, 8, 12).permute(0, 3, 1, 2)
    expected = functional.interpolate(grid, scale_factor=2, mode="bilinear").permute(0, 2, 3, 1).reshape(1, 288, 12)
    torch.testing.assert_close(larger[:, 2:], expected.expand(2, 288, 12))


def test_attention_is_what_its_formula_says() -> None:
    queries, keys, values = torch.rand(2, 6, 12), torch.rand(2, 4, 12), torch.rand(2, 4, 8)
    shapes = Tokens(2, 3, 0, 12), Tokens(2, 2, 0, 12), Tokens(2, 2, 0, 8)
    grids = queries.view(2, 2, 3, 12), keys.view(2, 2, 2, 12), values.view(2, 2, 2, 8)
    output = run(Case("attention", {"heads": 4}, shapes), *grids)
    for head in range(4):
        q, k, v = queries[..., head * 3 :][..., :3], keys[..., head * 3 :][..., :3], values[..., head * 2 :][..., :2]
        expected = torch.softmax(q @ k.transpose(1, 2) / 3**0.5, -1) @ v
        torch.testing.assert_close(output[..., head * 2 :][..., :2], expected.view(2, 2, 3, 2))


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (Case("conv", {"kernel": 3}, (VECTOR,)), "conv takes a feature map (channels, height, width), got a vector of 12"),
        (Case("conv", {"kernel": 3}, (Streams((MAP, MAP)),)), "conv takes one feature map, got 2 values"),
        (Case("conv", {"kernel": 2}), "conv with an even kernel (2) has no default padding"),
        (Case("conv", {"kernel": 11, "padding": 0}), "conv needs a map of at least 11×11, got 9×8"),
        (Case("conv", {"kernel": 1, "groups": 5}), "`groups` (5) does not divide the 12 channels of the input"),
        (Case("linear", {"width": 3}), "linear takes a vector or tokens, got 12×9×8"),
        (Case("norm", {}, (Streams((MAP, MAP)),)), "norm takes one value, got 2"),
        (Case("norm", {"kind": "layer", "groups": 3}), "`groups` belongs to group norm, this is layer norm"),
        (Case("activation", {}, (Streams((MAP, MAP)),)), "activation takes one value, got 2"),
        (Case("add", {}, (MAP, VECTOR)), "add expected equal shapes, got 12×9×8 and 12"),
        (Case("multiply", {}, (MAP, Map(12, 3, 1))), "multiply expected a map and its gates, got 12×9×8 and 12×3×1"),
        (Case("concat", {}, (MAP, Map(12, 9, 9))), "concat expected maps of one size, got 12×9×8 and 12×9×9"),
        (Case("split", {"parts": 5}), "12 channels cannot be split into 5 equal parts"),
        (Case("pad_channels", {"width": 3}), "pad_channels cannot make 9 channels fewer"),
        (Case("channel_conv", {"kernel": 2}, (Map(12, 1, 1),)), "channel_conv takes an odd kernel, got 2"),
        (Case("channel_conv", {"kernel": 3}), "channel_conv takes a map of one pixel, got 12×9×8"),
        (Case("norm", {"eps": 0}), "`eps` of batch norm must be more than 0, got 0"),
        (Case("norm", {}, (TOKENS,)), "batch norm takes a feature map, got 9×8 tokens of 12"),
        (Case("conv", {"kernel": 1}, (TOKENS,)), "conv takes a feature map (channels, height, width), got 9×8 tokens of 12"),
        (Case("add", {}, (MAP, Map(12, 1, 1))), "add expected equal shapes, got 12×9×8 and 12×1×1"),
        (Case("add", {"spread": True}, (Map(12, 1, 1), MAP)), "add expected equal shapes, got 12×1×1 and 12×9×8"),
        (Case("add", {}, (MAP, Held((12,)))), "add expected equal shapes, got 12×9×8 and [12]"),
        (Case("multiply", {}, (MAP, Held((12,)))), "multiply expected a map and its gates, got 12×9×8 and [12]"),
        # torch would take these for sizes of the image, which are those of the channels by chance
        (Case("multiply", {}, (MAP, Held((8,)))), "multiply expected a map and its gates, got 12×9×8 and [8]"),
        (Case("multiply", {}, (MAP, Held((9, 8)))), "multiply expected a map and its gates, got 12×9×8 and [9, 8]"),
        (Case("add", {}, (MAP, Held((9, 1)))), "add expected equal shapes, got 12×9×8 and [9, 1]"),
        (Case("add", {}, (MAP, Held((1, 8)))), "add expected equal shapes, got 12×9×8 and [1, 8]"),
        (
            Case("multiply", {}, (TOKENS, EXTRA)),
            "multiply expected a map and its gates, got 9×8 tokens of 12 and 2+9×8 tokens of 12",
        ),
        (Case("concat", {}, (TOKENS, EXTRA)), "concat expected maps of one size, got 9×8 tokens of 12 and 2+9×8 tokens of 12"),
        (Case("concat", {}, (TOKENS, MAP)), "concat expected maps of one size, got 9×8 tokens of 12 and 12×9×8"),
        (Case("softmax", {}, (MAP, VECTOR)), "softmax expected equal shapes, got 12×9×8 and 12"),
        (Case("channel_shuffle", {"groups": 5}), "`groups` (5) does not divide the 12 channels of the input"),
        (Case("split", {"parts": 2}, (Streams((MAP, MAP)),)), "split takes one value, got 12×9×8 + 12×9×8"),
        (Case("weighted_pool", {}, (MAP, MAP)), "weighted_pool takes weights of 1×9×8, got 12×9×8"),
        (Case("global_pool", {"keep": True}, (TOKENS,)), "`keep` is for maps; tokens have no height and width"),
        (Case("global_pool", {"kind": "max"}, (TOKENS,)), "of tokens only the mean can be taken"),
        (Case("global_pool", {"kind": "avg_and_max"}), "avg_and_max gives a map of two pixels"),
        (Case("to_map", {}, (EXTRA,)), "to_map takes the tokens of a map alone, got 2 more"),
        (Case("flatten", {}, (Held((12, 1, 1)),)), "flatten takes a map, got a parameter of [12, 1, 1]"),
        (Case("drop_path", {}, (Held((12,)),)), "drop_path takes a value for each image, got a parameter of [12]"),
        (Case("norm", {}, (Held((12,)),)), "batch norm takes a feature map, got a parameter of [12]"),
        (
            Case("channel_pool", {}, (Held((12,)),)),
            "channel_pool takes a feature map (channels, height, width), got a parameter of [12]",
        ),
        (Case("to_map", {}), "to_map takes tokens, got 12×9×8"),
        (Case("parameter", {"shape": []}, ()), "`shape` has from one to four sizes"),
        (Case("parameter", {"shape": [1, 1, 1, 1, 1]}, ()), "`shape` has from one to four sizes"),
        (Case("parameter", {"shape": [1], "init": "kaiming_fan_in"}, ()), "a parameter has no kaiming_fan_in initialisation"),
        (Case("prepend_tokens", {}, (TOKENS, Held((12,)))), "prepend_tokens takes a parameter of [1, count, 12], got [12]"),
        (
            Case("prepend_tokens", {}, (TOKENS, TOKENS)),
            "prepend_tokens takes a parameter of [1, count, 12], got 9×8 tokens of 12",
        ),
        (Case("take_token", {"index": 74}, (EXTRA,)), "there is no token 74 among 74"),
        (
            Case("take_token", {}, (TOKENS,)),
            "take_token takes tokens of which some have no place, such as a class token, got 9×8 tokens of 12",
        ),
        (
            Case("resize_tokens", {"grid": 9}, (Held((1, 72, 12)), TOKENS)),
            "resize_tokens takes a parameter of [1, 81 or more, 12], got [1, 72, 12]",
        ),
        (
            Case("resize_tokens", {"grid": 9}, (Held((11, 81, 12)), TOKENS)),
            "resize_tokens takes a parameter of [1, 81 or more, 12], got [11, 81, 12]",
        ),
        (
            Case("resize_tokens", {"grid": 7}, (Held((1, 50, 12)), EXTRA)),
            "the second value of resize_tokens gives the grid; take the tokens before `prepend_tokens`",
        ),
        (
            Case("attention", {"heads": 5}, (TOKENS, TOKENS, TOKENS)),
            "`heads` (5) does not divide the 12 channels of the queries",
        ),
        (
            Case("attention", {"heads": 2}, (TOKENS, TOKENS, Tokens(9, 8, 0, 3))),
            "`heads` (2) does not divide the 3 channels of the values",
        ),
        (
            Case("attention", {}, (TOKENS, Tokens(9, 8, 0, 6), TOKENS)),
            "queries have 12 channels, keys 6; they must be equal",
        ),
        (Case("attention", {}, (TOKENS, TOKENS, EXTRA)), "there are 72 keys and 74 values; they must be as many"),
        (
            Case("conv", {"kernel": 3, "padding": "same", "stride": 2, "padding_mode": "reflect"}),
            "`padding: same` beside a stride is a padding with zeros",
        ),
        (
            Case("conv", {"kernel": 3, "dilation": 8, "padding_mode": "reflect"}),
            "`padding_mode: reflect` needs a map of at least 9×9, got 9×8",
        ),
        (
            Case("conv", {"kernel": 4, "padding": "same", "dilation": 6, "padding_mode": "circular"}),
            "`padding_mode: circular` needs a map of at least 9×9, got 9×8",
        ),
        (
            Case("channel_conv", {"kernel": 9, "circular": True}, (Map(3, 1, 1),)),
            "a circular kernel of 9 needs at least 4 channels, got 3",
        ),
        (Case("pad_pixels", {"above": -5, "below": -4}), "pad_pixels leaves nothing of a map of 9×8"),
        (
            Case("rescale", {"scale": [1, 2]}),
            "`scale` is one number, or of a map one for each channel; got 2 for 12×9×8",
        ),
        (
            Case("max_pool", {"kernel": 2, "padding": 2}),
            "the padding of a pool is at most half its kernel, got 2 beside a kernel of 2",
        ),
    ],
    ids=lambda value: identify(value) if isinstance(value, Case) else "",
)  # fmt: skip
def test_what_does_not_fit(case: Case, message: str) -> None:
    with pytest.raises(OpError) as error:
        case.applied().infer(case.inputs)
    assert str(error.value) == message


@pytest.mark.parametrize("name", OPS)
def test_the_macs_of_a_shipped_op_are_known(name: str) -> None:
    assert OPS[name].role not in ("convolution", "linear", "attention", "other") or OPS[name].macs is not Op.macs
