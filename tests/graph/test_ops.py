"""One contract for every op of the table: what it says of itself is what torch does."""

from dataclasses import is_dataclass
from typing import Any, NamedTuple

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from archbuilder.diagnostics import printable
from archbuilder.graph.op import Construct, Expression, Op, OpError
from archbuilder.graph.shapes import Map, Shape, Streams, Vector
from archbuilder.graph.table import OPS
from archbuilder.parameters import REQUIRED, TYPES
from archbuilder.pytorch.helpers import HELPERS

MAP, VECTOR = Map(12, 9, 8), Vector(12)


class Case(NamedTuple):
    """An op, what it is told, and what goes in."""

    op: str
    given: dict[str, Any]
    inputs: tuple[Shape, ...] = (MAP,)

    def applied(self) -> Op:
        op_type = OPS[self.op]
        values = {p.name: p.check(self.given.get(p.name, p.default)) for p in op_type.parameters}
        return op_type.resolve(values, self.inputs)


CASES = [
    Case("conv", {"kernel": 3}),
    Case("conv", {"kernel": [1, 3], "width": 8, "stride": [2, 1], "bias": True, "dilation": [1, 2]}),
    Case("conv", {"kernel": 4, "padding": [0, 1], "groups": 3, "width": 6}),
    Case("conv", {"kernel": 3, "group_width": 1, "width": 24}),
    Case("linear", {"width": 7}, (VECTOR,)),
    Case("linear", {"bias": False}, (VECTOR,)),
    Case("norm", {}),
    Case("norm", {"eps": 1e-3, "momentum": 0.2}),
    Case("norm", {}, (VECTOR,)),
    Case("norm", {"kind": "group", "groups": 4}),
    Case("norm", {"kind": "group", "groups": 3}, (VECTOR,)),
    Case("norm", {"kind": "layer"}),
    Case("norm", {"kind": "layer"}, (VECTOR,)),
    *(Case("activation", {"kind": kind}) for kind in OPS["activation"].parameters[0].choices),
    Case("dropout", {"rate": 0.25}),
    Case("drop_path", {"rate": 0.25}),
    Case("max_pool", {"kernel": 3, "stride": 2}),
    Case("max_pool", {"kernel": 2, "stride": 2, "ceil": True}),
    Case("max_pool", {"kernel": [3, 1], "stride": [2, 1], "padding": [1, 0]}),
    Case("avg_pool", {"kernel": 3, "stride": 2, "count_padding": False}),
    Case("avg_pool", {"kernel": 2, "stride": 3, "ceil": True}),
    Case("global_pool", {}),
    Case("global_pool", {"keep": True}),
    Case("subsample", {"stride": 2}),
    Case("subsample", {"stride": [3, 1]}),
    Case("add", {}, (MAP,)),
    Case("add", {}, (MAP, MAP, MAP)),
    Case("multiply", {}, (MAP, Map(12, 1, 1))),
    Case("multiply", {}, (MAP, MAP)),
    Case("multiply", {}, (MAP, Map(1, 9, 8))),
    Case("concat", {}, (MAP, Map(3, 9, 8))),
    Case("concat", {}, (VECTOR, Vector(3))),
    Case("split", {"parts": 3}),
    Case("split", {"parts": 4}, (VECTOR,)),
    Case("pad_channels", {"width": 17}),
    Case("flatten", {}),
    Case("flatten", {}, (VECTOR,)),
    Case("identity", {}),
]


def helpers() -> dict[str, Any]:
    names: dict[str, Any] = {"torch": torch, "nn": nn, "functional": functional, "Tensor": torch.Tensor}
    for source in HELPERS.values():
        exec(source, names)
    return names


NAMES = helpers()


def made(construct: Construct) -> nn.Module:
    """The module that a construct stands for."""
    arguments = [made(each) if isinstance(each, Construct) else each for each in construct.arguments]
    callee = eval(construct.callee, NAMES)
    module = callee(*arguments, **dict(construct.keywords))
    assert isinstance(module, nn.Module)
    return module


def computed(expression: Expression, inputs: list[torch.Tensor]) -> Any:
    """What an expression gives."""
    names = [f"x{number}" for number in range(len(inputs))]
    joined = {"all": ", ".join(names), "sum": " + ".join(names), "product": " * ".join(names)}
    text = expression.template.format(*names, **joined, **dict(expression.values))
    return eval(text, NAMES, dict(zip(names, inputs, strict=True)))


def sizes(value: Any) -> Any:
    """The shape of what came out, without the batch."""
    return tuple(value.shape[1:]) if isinstance(value, torch.Tensor) else tuple(sizes(each) for each in value)


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


@pytest.mark.parametrize("case", CASES, ids=identify)
def test_an_op_is_what_torch_computes(case: Case) -> None:
    op = case.applied()
    assert hash(op) == hash(case.applied())
    assert op.label() == printable(op.label()).strip() != ""
    shape = op.infer(case.inputs)
    inputs = [torch.rand(2, *sizes) for sizes in case.inputs]
    emitted = op.emit()
    if isinstance(emitted, Expression):
        assert op.state() == ()
        output, flops = computed(emitted, inputs), 0
    else:
        module = made(emitted).eval()
        tensors = [(name, tuple(each.shape), True) for name, each in module.named_parameters()]
        tensors += [(name, tuple(each.shape), False) for name, each in module.named_buffers()]
        assert [tuple(tensor) for tensor in op.state()] == tensors
        assert {each.tensor for each in op.initialise()} <= {name for name, _, _ in tensors}
        with FlopCounterMode(display=False) as counter:
            output = module(*inputs)
        flops = counter.get_total_flops()
    assert sizes(output) == (tuple(shape) if not isinstance(shape, Streams) else tuple(tuple(part) for part in shape))
    assert op.macs(shape) * 2 * 2 == flops  # two images, and a multiply-accumulate is two operations
    assert op.counts_as_layer == (op.macs(shape) > 0)


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (Case("conv", {"kernel": 3}, (VECTOR,)), "conv takes a feature map (channels, height, width), got a vector of 12"),
        (Case("conv", {"kernel": 3}, (Streams((MAP, MAP)),)), "conv takes one feature map, got 2 values"),
        (Case("conv", {"kernel": 2}), "conv with an even kernel (2) has no default padding"),
        (Case("conv", {"kernel": 11, "padding": 0}), "conv needs a map of at least 11×11, got 9×8"),
        (Case("conv", {"kernel": 1, "groups": 5}), "`groups` (5) does not divide the 12 channels of the input"),
        (Case("linear", {"width": 3}), "linear takes a vector, got 12×9×8"),
        (Case("norm", {}, (Streams((MAP, MAP)),)), "norm takes one value, got 2"),
        (Case("norm", {"kind": "layer", "groups": 3}), "`groups` belongs to group norm, this is layer norm"),
        (Case("activation", {}, (Streams((MAP, MAP)),)), "activation takes one value, got 2"),
        (Case("add", {}, (MAP, VECTOR)), "add expected equal shapes, got 12×9×8 and 12"),
        (Case("multiply", {}, (MAP, Map(12, 3, 1))), "multiply expected a map and its gates, got 12×9×8 and 12×3×1"),
        (Case("concat", {}, (MAP, Map(12, 9, 9))), "concat expected maps of one size, got 12×9×8 and 12×9×9"),
        (Case("split", {"parts": 5}), "12 channels cannot be split into 5 equal parts"),
        (Case("pad_channels", {"width": 3}), "pad_channels cannot make 9 channels fewer"),
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
