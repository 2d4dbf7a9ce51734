"""What ops say of themselves to those who draw, sum up and emit them: each fact is held against what the op does."""

import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
import torch

from archbuilder.graph.answers import Construct, Expression
from archbuilder.graph.helpers import HELPERS
from archbuilder.graph.op import Op, Role
from archbuilder.graph.shapes import Map
from archbuilder.graph.table import OPS
from archbuilder.graph.windows import same_padding, slide
from archbuilder.language.formula import Formula
from tests.graph.test_ops import CASES, MAP, TOKENS, Case, computed, identify, made, numbers

IN_PLACE = {"relu", "relu6", "leaky_relu"}
"""The activations of which the gradient follows from what they give."""


@pytest.mark.parametrize("op_type", OPS.values(), ids=OPS)
def test_an_op_has_a_role(op_type: type[Op]) -> None:
    assert op_type.role in get_args(Role)
    assert (op_type.role == "other") == (op_type.name in ("channel_conv", "channel_pool", "rescale"))
    assert set(op_type.fallbacks) <= {parameter.name for parameter in op_type.parameters if parameter.default is None}
    assert op_type.size_parameter is None or op_type.size_parameter in {
        parameter.name for parameter in op_type.parameters
    }
    assert (not op_type.sums) or op_type.joins


def sources_in(op: Op, emitted: Construct | Expression) -> Iterator[tuple[tuple[str, ...], Any]]:
    """What is emitted, each value with the texts of which one gives it."""
    values: list[tuple[Any, Any]] = list(emitted.values if isinstance(emitted, Expression) else emitted.keywords)
    values += enumerate(emitted.arguments) if isinstance(emitted, Construct) else []
    names = {parameter.name for parameter in op.parameters}
    for key, value in values:
        if isinstance(value, Construct):
            yield from sources_in(op, value)
        elif texts := emitted.sources.get(key, (key,) if key in names else ()):
            yield tuple(each for text in texts for each in (text, *op.fallbacks.get(text, ()))), value


@pytest.mark.parametrize("case", CASES, ids=identify)
def test_what_is_emitted_comes_from_parameters(case: Case) -> None:
    op = case.applied()
    names = {each.name: each.check(case.given.get(each.name, each.default)) for each in op.parameters}
    for texts, value in sources_in(op, op.emit()):
        scope = {**names, "input": case.inputs[0] if case.inputs else None}
        found = [Formula(f"$({text})").value_in(scope, None) for text in texts]
        pairs = any(isinstance(each, tuple) for each in names.values()) and isinstance(value, int | tuple)
        assert value in found or pairs, f"{value} is none of {texts}"


def test_a_call_is_the_same_wherever_its_values_are_from() -> None:
    assert Construct("nn.ReLU", (1,), (), {0: ("width",)}) == Construct("nn.ReLU", (1,))
    assert Expression("{0}", (("a", 1),), {"a": ("b",)}) == Expression("{0}", (("a", 1),))


@pytest.mark.parametrize(
    ("given", "parameter", "value"),
    [
        ({"kernel": 3}, "width", 12),
        ({"kernel": 5}, "padding", 2),
        ({"kernel": 3, "dilation": 2}, "padding", 2),
        ({"kernel": 1, "group_width": 4}, "groups", 3),
    ],
)
def test_what_is_not_given_follows(given: dict[str, Any], parameter: str, value: int) -> None:
    case = Case("conv", given)
    names = {"kernel": 0, "dilation": 1, "group_width": 0, **given, "input": MAP}
    assert value in [eval(formula, names) for formula in case.applied().fallbacks[parameter]]


@pytest.mark.parametrize("case", CASES, ids=identify)
def test_a_window_is_how_an_op_slides(case: Case) -> None:
    op = case.applied()
    if (window := op.window) is None:
        assert op.role != "convolution"
        return
    shape, after = case.inputs[0], op.infer(case.inputs)
    assert isinstance(shape, Map)
    assert isinstance(after, Map)
    kernel, stride, padding, dilation = window
    assert padding is not None or case.given["padding"] == "same"
    ceil = bool(case.given.get("ceil"))
    behind = (case.given.get("below", 0), case.given.get("right", 0)) if case.op == "pad_pixels" else None
    found = slide(case.op, shape, kernel, stride, padding, dilation, ceil=ceil, behind=behind)  # type: ignore[arg-type]
    assert (after.height, after.width) == found


def test_a_window_that_keeps_the_size_unevenly_has_no_padding_of_its_own() -> None:
    window = Case("conv", {"kernel": 2, "padding": "same"}).applied().window
    assert window is not None
    assert window.padding is same_padding((2, 2), (1, 1), (1, 1)) is None


@pytest.mark.parametrize("case", CASES, ids=identify)
def test_what_is_fresh_can_be_overwritten(case: Case) -> None:
    op = case.applied()
    if not op.is_fresh(len(case.inputs)):
        return
    inputs = [numbers(shape).requires_grad_() for shape in case.inputs]
    emitted = op.emit()
    given = computed(emitted, inputs) if isinstance(emitted, Expression) else made(emitted)(*inputs)
    before = [each.detach().clone() for each in inputs]
    given.relu_().sum().backward()
    assert all(torch.equal(each, same) for each, same in zip(inputs, before, strict=True))


def test_a_sum_of_one_value_is_that_value() -> None:
    add = Case("add", {}, (MAP,)).applied()
    assert not add.is_fresh(1)
    assert add.is_fresh(2)


@pytest.mark.parametrize("kind", OPS["activation"].parameters[0].choices)
def test_what_works_in_place_keeps_the_gradient(kind: str) -> None:
    assert Case("activation", {"kind": kind}).applied().in_place == (kind in IN_PLACE)


@pytest.mark.parametrize("case", CASES, ids=identify)
def test_an_op_names_the_helpers_that_it_uses(case: Case) -> None:
    op = case.applied()
    emitted = op.emit()
    text = emitted.template if isinstance(emitted, Expression) else f"{emitted.callee}("
    used = set[str]()
    while named := {name for name in HELPERS if re.search(rf"(?<![\w.]){name}\(", text)} - used:
        used |= named  # and what these use
        text = "\n".join(HELPERS[name].partition("\n")[2] for name in named)
    assert used == set(op.helpers)


def test_a_drop_path_says_its_rates() -> None:
    op = Case("drop_path", {"rate": 0.3}).applied()
    assert op.drops_path
    assert [op.rate_at(position, 4) for position in range(4)] == [0, 0.1, 0.2, 0.3]
    assert op.at_rate(0.1).emit() == Construct("DropPath", (0.1,))
    assert op.remark_on("rate") == "the rate of the last block; `schedule: linear` makes it grow up to there"
    assert (op.does_nothing, op.at_rate(0).does_nothing) == (False, True)
    for other in (Case("conv", {"kernel": 3}).applied(), Case("to_map", {}, (TOKENS,)).applied()):
        assert (other.drops_path, other.rate_at(1, 2), other.at_rate(0.5), other.does_nothing) == (
            False,
            0,
            other,
            False,
        )
        assert other.remark_on("width") == ""


def test_only_shown_values_have_signs() -> None:
    signs = {name: op_type.sign for name, op_type in OPS.items() if op_type.sign}
    assert signs == {"add": "+", "multiply": "×"}
    assert [Case(name, {}, (MAP, MAP)).applied().label() for name in signs] == ["+", "×"]
