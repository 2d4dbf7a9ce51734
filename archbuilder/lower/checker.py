"""A value of a spec, computed and of its parameter's type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from archbuilder.diagnostics import Note, Place, nearest
from archbuilder.language.formula import Formula
from archbuilder.language.models import Step
from archbuilder.language.reader import resolve_scalar
from archbuilder.language.table import value_place
from archbuilder.lower.evaluation import Evaluation, GiveUp
from archbuilder.lower.frame import UNKNOWN, Frame
from archbuilder.lower.library import Library
from archbuilder.lower.slots import NOWHERE, Slot
from archbuilder.lower.uses import Written
from archbuilder.parameters import SLOTS, Parameter, ParameterError, describe


@dataclass
class Checker:
    """Computes and checks what is written for the parameters of blocks. One for each lowering."""

    library: Library
    evaluation: Evaluation

    def checked(
        self,
        block: str,
        parameter: Parameter,
        written: Written,
        frame: Frame,
        origin: Place | None,
        use: Step | None = None,
    ) -> Any:
        """A value for a parameter of a block.

        Args:
            block: the block's name.
            parameter: the one that the value is for.
            written: the value as it stands in the text.
            frame: the body that the use stands in.
            origin: where to report a value that does not fit.
            use: what asks for the value, where it is a definition's default.

        Raises:
            GiveUp: if it cannot be computed, or does not fit; the reason is reported.
        """
        value = written.value
        if parameter.type in SLOTS and type(value) is not Formula:
            return self._slot(block, parameter, written, frame)
        if type(value) is Formula or isinstance(value, dict | list):
            bare = value.bare if type(value) is Formula and written.variables is None else None
            if bare is not None and frame.variables.get(bare, UNKNOWN) is not UNKNOWN:  # most expressions are a name
                value = frame.variables[bare]
            else:
                value = self.evaluation.evaluate(value, frame, written.place, written.variables)
        if isinstance(value, Slot):
            if parameter.type in SLOTS:
                return value
            self.evaluation.error(frame, "bad-value", f"`{parameter.name}` of `{block}` is no block", written.place)
            raise GiveUp
        if parameter.type in SLOTS and not (value is None or (parameter.type == "block" and isinstance(value, str))):
            message = f"`{parameter.name}` must be {parameter.expectation()}, got {describe(value)} (in `{block}`)"
            self.evaluation.error(frame, "bad-value", message, written.place)
            raise GiveUp
        try:
            return parameter.check(value)
        except ParameterError as error:
            at = origin if origin is not None and not origin.source.shipped else written.place
            self._report(str(error), block, parameter, value, written, frame, at, use)
            raise GiveUp from None

    def _report(
        self,
        error: str,
        block: str,
        parameter: Parameter,
        value: Any,
        written: Written,
        frame: Frame,
        at: Place | None,
        use: Step | None,
    ) -> None:
        told = use is not None and use.place is not None and use.place != at
        notes = (Note(f"`{block}` is used here", use.place),) if use is not None and told else ()
        help = _advice(value, written, parameter, frame, at)
        declared = self.library.notes_on(block, parameter.name)
        notes = (*notes, *(note for note in declared if note.place != at))
        self.evaluation.error(frame, "bad-value", f"{error} (in `{block}`)", at, help, notes)

    def _slot(self, block: str, parameter: Parameter, written: Written, frame: Frame) -> Slot | None:
        value = written.value
        if value is None:
            return None
        expected: tuple[type, ...] = (str, dict) if parameter.type == "block" else (dict,)
        if not isinstance(value, expected):
            message = f"`{parameter.name}` must be {parameter.expectation()}, got {describe(value)} (in `{block}`)"
            is_name = parameter.type == "steps" and isinstance(value, str)
            help = f"give the step a name: {{{value}: {value}}}" if is_name else None
            notes = self.library.notes_on(block, parameter.name)
            self.evaluation.error(frame, "bad-value", message, written.place, help, notes)
            raise GiveUp
        self._check_block(value, parameter, written, frame)
        own = written.variables is None
        variables = frame.variables if written.variables is None else written.variables
        below = None
        if written.below is not None and parameter.type == "steps":
            setting = written.below
            setting.mark_used()
            under = Written(setting.value, setting.value_place, setting.variables, setting.below)
            below = self._slot(block, parameter, under, frame)
        return Slot(value, variables, frame.origins if own else NOWHERE, below)

    def _check_block(self, value: Any, parameter: Parameter, written: Written, frame: Frame) -> None:
        """A slot must name a block that there is, also where it is not used; steps have names of their own."""
        if parameter.type == "steps":
            inner = value.get("block")
            if isinstance(inner, str) and (self.library.find(inner) is not None or len(value) > 1):
                message = f"`{parameter.name}` takes steps, each with a name, got one use of a block"
                help = f"give it a name: {{{inner}: {{block: {inner}}}}}"
                self.evaluation.error(frame, "bad-slot", message, written.place, help)
                raise GiveUp
            return
        name = _name_of_block(value)
        if name is None or self.library.find(name) is not None or self.library.incomplete:
            return
        place = value_place(value, "block") if isinstance(value, dict) else written.place
        message = f"there is no block {describe(name)}"
        self.evaluation.error(frame, "unknown-block", message, place, self.library.advice_for(name))
        raise GiveUp


def _name_of_block(value: Any) -> str | None:
    """The block that a slot names, where that is known before it is used."""
    name = value.get("block") if isinstance(value, dict) else value
    return name if isinstance(name, str) and "$" not in name else None


def _advice(value: Any, written: Written, parameter: Parameter, frame: Frame, at: Place | None) -> str | None:
    """What to write instead of a value that does not fit."""
    near = nearest(str(value), parameter.choices)
    if near is not None:
        return f"did you mean `{near}`?"
    if type(written.value) is not Formula:
        return _advice_for_literal(value, parameter, frame)
    if type(value) is float:
        return "this is a number with a fraction; use `//` or `round(...)`"
    if isinstance(value, str) and written.value.bare is None and not written.value.startswith("$("):
        return f"put all of it in brackets: $({written.value.removeprefix('$')})"
    is_quoted = at is not None and str(written.value) in at.source.line(at.line)
    return None if is_quoted else f"it is computed as `{written.value}`"


def _advice_for_literal(value: Any, parameter: Parameter, frame: Frame) -> str | None:
    """The same for a value that is not computed."""
    if isinstance(value, str) and value in frame.visible():
        return f"`${value}` is the value of that name"
    if isinstance(value, str) and parameter.type != "string":
        return "remove the quotes" if _fits(parameter, resolve_scalar(value)) else None
    if type(value) is float and parameter.type in ("int", "channels", "size"):
        if value.is_integer():
            return f"write {int(value)}"
        over = 1 / value if 0 < value < 1 else 0.5
        return f"it divides: a share of {value:g} is {round(over)}" if over.is_integer() else None
    return None


def _fits(parameter: Parameter, value: Any) -> bool:
    try:
        parameter.check(value)
    except ParameterError:
        return False
    return not isinstance(value, str)
