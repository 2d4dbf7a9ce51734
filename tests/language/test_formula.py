"""Expressions: what they can say, what they cannot, and that nothing in them is ever run by Python."""

import copy
import pickle
from typing import Any

import pytest

from archbuilder.graph.shapes import Map
from archbuilder.language.arithmetic import FUNCTIONS, FormulaError
from archbuilder.language.formula import Formula

SCOPE: dict[str, Any] = {
    "width": 64, "ratio": 0.25, "deep": True, "nothing": None, "kind": "silu", "widths": [16, 32, 64], "i": 3,
    "input": Map(3, 32, 24),
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$width", 64),
        ("$(width)", 64),
        ("$(width + 1)", 65),
        ("$(width // 3)", 21),
        ("$(width / 2)", 32.0),
        ("$(-width % 10)", 6),
        ("$(2 ** i)", 8),
        ("$(width * ratio)", 16.0),
        ("$(round(width * ratio))", 16),
        ("$(1 if deep else 2)", 1),
        ("$(width > 3 and not nothing)", True),
        ("$(nothing or width)", 64),
        ("$(3 < i <= 4)", False),
        ("$(nothing is null)", True),
        ("$(nothing is not null)", False),
        ("$(kind == 'silu')", True),
        ("$(kind in ['relu', 'silu'])", True),
        ("$(kind not in ['relu'])", True),
        ("$(widths[0])", 16),
        ("$(widths[-1])", 64),
        ("$(len(widths))", 3),
        ("$(widths.-1 - widths.0)", 48),
        ("$(min(widths))", 16),
        ("$(max(1, 2.5, i))", 3),
        ("$(floor(2.7) + ceil(2.1))", 5),
        ("$(log2(8))", 3.0),
        ("$(round_to(37, 8))", 40),
        ("$(round_to(10, 8))", 16),
        ("$(input.channels)", 3),
        ("$(input.height // 2)", 16),
        ("$([width, width * 2])", [64, 128]),
        ("conv$i", "conv3"),
        ("unit$(i + 1)_$kind", "unit4_silu"),
        ("$(true)", True),
        ("$(false or null)", None),
    ],
)
def test_values(text: str, value: Any) -> None:
    result = Formula(text).evaluate(SCOPE)
    assert result == value
    assert type(result) is type(value)


def test_the_functions_are_these() -> None:
    assert list(FUNCTIONS) == ["len", "min", "max", "floor", "ceil", "round", "log2", "round_to"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$(1 +)", "`1 +` is not an expression"),
        ("$(", "this expression lacks a closing `)`"),
        ("$", "a `$` must be followed by a name or by `(`"),
        ("$5", "a `$` must be followed by a name or by `(`"),
        ("a$", "a `$` must be followed by a name or by `(`"),
        ("${width}", "a `$` must be followed by a name or by `(`: write `$width` instead of `${width}`"),
        ("$(lambda: 1)", "expressions hold arithmetic, comparisons, lists and `a if c else b`, nothing else"),
        ("$({1: 2})", "expressions hold arithmetic, comparisons, lists and `a if c else b`, nothing else"),
        ("$(f'{width}')", "expressions hold arithmetic, comparisons, lists and `a if c else b`, nothing else"),
        ("$((yield))", "expressions hold arithmetic, comparisons, lists and `a if c else b`, nothing else"),
        ("$(widths[0:2])", "expressions hold arithmetic, comparisons, lists and `a if c else b`, nothing else"),
        ("$(open('x'))", "the functions of expressions are len, min, max, floor, ceil, round, log2, round_to"),
        ("$(().__class__)", "a value has .channels, .height, .width, .tokens, not .__class__"),
        ("$(max(1, key=2))", "the functions of expressions are len, min, max, floor, ceil, round, log2, round_to"),
        ("$(1 << 3)", "the arithmetic of expressions is + - * / // % and 2 ** n"),
        ("a${ w }b", "a `$` must be followed by a name or by `(`: write `$w` instead of `${ w }`"),
        ("${}", "a `$` must be followed by a name or by `(`"),
        ("$(~1)", "`~` is not part of expressions"),
        ("$(1j)", "`1j` is not a value of the language"),
        ("$(b'x')", "`b'x'` is not a value of the language"),
        ("$(99999999999999999999)", "a number in this expression is too large"),
        ("$(" + "1+" * 300 + "1)", "this expression has 604 characters; at most 400 are allowed"),
        ("$(" + "(" * 60 + "1" + "+1)" * 60 + ")", "this expression is nested more than 40 deep"),
    ],
)
def test_what_cannot_be_said(text: str, message: str) -> None:
    with pytest.raises(FormulaError) as error:
        Formula(text)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$wide", "unknown name `wide`"),
        ("$(1 / (width - 64))", "this divides by zero"),
        ("$(width % 0)", "this divides by zero"),
        ("$(kind + 1)", "arithmetic needs numbers, got `silu`"),
        ("$(nothing * 2)", "arithmetic needs numbers, got null"),
        ("$(kind < 'z')", "arithmetic needs numbers, got `silu`"),
        ("$('a' * 1000000000)", "arithmetic needs numbers, got `a`"),
        ("$(widths[3])", "there is no element 3 in a list of 3"),
        ("$(width[0])", "`[...]` takes an element of a list by its number"),
        ("$(width.channels)", "this value has no .channels"),
        ("$(input.tokens)", "this value has no .tokens"),
        ("$(1 in width)", "`in` needs a list at its right"),
        ("$(3 ** 2)", "`**` is for powers of two with a whole exponent from 0 to 50"),
        ("$(2 ** 1000)", "`**` is for powers of two with a whole exponent from 0 to 50"),
        ("$(2 ** 50 * 2 ** 50)", "a number in this expression is too large"),
        ("$(len(width))", "`len` does not take these values"),
        ("$(max())", "`max` does not take these values"),
        ("$(log2(0))", "`log2` does not take these values"),
        ("$(log2(1, 2))", "`log2` does not take these values"),
        ("conv$ratio", "only whole numbers and texts can be written into a text, not 0.25"),
    ],
)
def test_what_has_no_value(text: str, message: str) -> None:
    with pytest.raises(FormulaError) as error:
        Formula(text).evaluate(SCOPE)
    assert str(error.value) == message


@pytest.mark.parametrize("text", ["$long$long", "a$(long)", "$('x' if false else long)b"])
def test_a_text_that_is_too_long_is_a_text(text: str) -> None:
    scope = {"long": "a" * 200}
    assert len(Formula(text).evaluate(scope)) > 200
    with pytest.raises(FormulaError, match="a text in this expression has more than 200 characters"):
        Formula(text).evaluate({"long": scope["long"] + "a"})


def test_a_formula_knows_its_names_and_is_its_text() -> None:
    formula = Formula("$(max(width, 2 * inner) if deep else 1)")
    assert formula.names == {"width", "inner", "deep"}
    assert formula == "$(max(width, 2 * inner) if deep else 1)"
    for copied in (pickle.loads(pickle.dumps(formula)), copy.deepcopy(formula), copy.copy(formula)):
        assert copied.evaluate({"width": 3, "inner": 4, "deep": True}) == 8


def test_only_what_is_needed_is_computed() -> None:
    assert Formula("$(1 if true else unknown)").evaluate({}) == 1
    assert Formula("$(false and unknown)").evaluate({}) is False
