"""The values that a step takes: the one before it, or those that `from` names."""

from __future__ import annotations

from typing import Any

from archbuilder.diagnostics import Place
from archbuilder.graph.graph import Value
from archbuilder.language.formula import Formula
from archbuilder.language.models import Step
from archbuilder.language.table import value_place
from archbuilder.language.values import MAXIMUM_REPEATS
from archbuilder.lower.evaluation import Evaluation, GiveUp
from archbuilder.lower.frame import Frame
from archbuilder.lower.references import advice_for, find_values
from archbuilder.lower.slots import Slot
from archbuilder.parameters import describe


def inputs_of(step: Step, frame: Frame, evaluation: Evaluation, *, first_only: bool = False) -> tuple[Value, ...]:
    """The values that a step takes.

    Raises:
        GiveUp: if it names one that there is not; that is reported.
    """
    if step.from_ is None:
        return (frame.current,)
    found: list[Value] = []
    for number, written in enumerate(step.from_[:1] if first_only else step.from_):
        name: Any = written
        if type(written) is Formula:
            name = evaluation.evaluate(written, frame, _place_of_input(step, number))
        if not isinstance(name, str):
            message = f"`from` takes names of steps, got {_described(name)}"
            advice = f"write {str(written).removeprefix('$')}, without the `$`"
            if isinstance(name, Slot):
                advice = f"use it in a step of its own, {{block: {written}}}, and name that"
            evaluation.error(frame, "bad-value", message, _place_of_input(step, number), advice)
            raise GiveUp
        values = find_values(name, frame)
        if values is None:
            message = f"there is no step `{name}` before this one"
            place, help = _place_of_input(step, number), advice_for(name, frame)
            evaluation.error(frame, "unknown-step", message, place, help)
            raise GiveUp
        found += values
        if len(found) > MAXIMUM_REPEATS:
            message = f"a step takes at most {MAXIMUM_REPEATS:,} values"
            evaluation.error(frame, "too-large", message, _place_of_input(step, number))
            raise GiveUp
    return tuple(found)


def _described(value: Any) -> str:
    return f"a value of {value}" if getattr(value, "is_shape", False) else describe(value)


def _place_of_input(step: Step, number: int) -> Place | None:
    """Where the name of one of a step's inputs is written."""
    listed = step.table.get("from") if step.table is not None else None
    return value_place(listed, number) or step.place_at("from")
