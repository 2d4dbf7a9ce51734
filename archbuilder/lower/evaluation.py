"""Computes expressions in the body at hand, and reports what goes wrong at the right place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archbuilder.diagnostics import Note, Place, Reporter, suggest
from archbuilder.language.arithmetic import FormulaError
from archbuilder.language.formula import Formula, UnknownNameError
from archbuilder.language.table import value_place
from archbuilder.lower.frame import UNKNOWN, Frame


class GiveUp(Exception):
    """What was wrong is reported; the step has no value."""


class TooLarge(Exception):
    """The network passes a bound, which has been reported; nothing more can be said of it."""


@dataclass
class Evaluation:
    """Evaluates and reports. One for each lowering."""

    reporter: Reporter

    def error(
        self,
        frame: Frame,
        code: str,
        message: str,
        place: Place | None,
        help: str | None = None,
        notes: tuple[Note, ...] = (),
    ) -> None:
        """Reports a mistake at `place`, or, where that is in a shipped block, at the use in the user's spec."""
        used_at = frame.used_at
        if used_at is not None and (place is None or place.source.shipped) and not used_at.source.shipped:
            notes = (*notes, Note(f"in the block `{frame.block}`", place)) if frame.block else notes
            place = used_at
        elif used_at is not None and place is not None and used_at[:2] != place[:2] and frame.used_block:
            notes = (*notes, Note(f"`{frame.used_block}` is used here", used_at))
        self.reporter.error(code, message, place, help=help, notes=notes)

    def evaluate(
        self, value: Any, frame: Frame, place: Place | None, variables: Mapping[str, Any] | None = None
    ) -> Any:
        """A value with its expressions computed, in lists and maps too.

        Raises:
            GiveUp: if that fails; the reason is reported.
        """
        if type(value) is Formula:
            return self._compute(value, frame, place, variables)
        if isinstance(value, list):
            places = [value_place(value, number) or place for number in range(len(value))]
            return [self.evaluate(each, frame, at, variables) for each, at in zip(value, places, strict=True)]
        if isinstance(value, dict):
            return {
                key: self.evaluate(each, frame, value_place(value, key) or place, variables)
                for key, each in value.items()
            }
        return value

    def _compute(self, formula: Formula, frame: Frame, place: Place | None, variables: Mapping[str, Any] | None) -> Any:
        scope: Any = frame if variables is None else _Elsewhere(variables, frame)
        try:
            value = formula.evaluate(scope)
        except UnknownNameError as error:
            help = suggest(error.name, frame.visible() if variables is None else [*variables, "here"])
            message = f"`{error.name}` is not known in this expression"
            self.error(frame, "unknown-name", message, place, help)
        except FormulaError as error:
            # Whatever depends on a value that went wrong stays silent.
            if not any(_is_unknown(scope, name) for name in formula.names):
                self.error(frame, "bad-expression", str(error), place, notes=_origins(formula, frame, place))
        else:
            if value is not UNKNOWN:
                return value
        raise GiveUp


def _origins(formula: Formula, frame: Frame, place: Place | None) -> tuple[Note, ...]:
    """Where the values come from that an expression in a block speaks of, as far as a user wrote them elsewhere."""
    if not frame.block:
        return ()
    known = ((name, frame.origins.get(name)) for name in sorted(formula.names))
    return tuple(
        Note(f"`{name}` is given here", at) for name, at in known if at and not at.source.shipped and at != place
    )


def _is_unknown(scope: Any, name: str) -> bool:
    """Whether a name stands for something that went wrong."""
    try:
        return scope[name] is UNKNOWN
    except KeyError:
        return False


class _Elsewhere:
    """The variables of another place, with `here` and `repeat` of this one."""

    def __init__(self, variables: Mapping[str, Any], frame: Frame) -> None:
        self.variables, self.frame = variables, frame

    def __getitem__(self, name: str) -> Any:
        if name in self.variables:
            return self.variables[name]
        if name in ("here", "repeat"):
            return self.frame[name]
        raise KeyError(name)
