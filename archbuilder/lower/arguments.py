"""What a use of a block says, and what its parameters become: the rules of precedence are all here.

A parameter's value is, from weakest to strongest: the definition's default, the network's `defaults`, those of the uses
around (nearest last), and what the use itself says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from archbuilder.diagnostics import Note, Place, Reporter, suggest
from archbuilder.lower.defaults import Defaults, Setting
from archbuilder.lower.frame import UNKNOWN_SHAPE, Frame
from archbuilder.lower.library import Definition, Library, parameters_of
from archbuilder.parameters import SLOTS, Parameter, ParameterError, describe
from archbuilder.spec.formula import Formula, FormulaError, UnknownNameError
from archbuilder.spec.models import BlockDefinition, Step
from archbuilder.spec.table import key_place, value_place

STEP_WORDS: Final = ("rename", "register", "names")
"""Words of a step that may also stand in `defaults`, by block name."""


class GiveUp(Exception):
    """What was wrong is reported; the step has no value."""


@dataclass(frozen=True)
class Slot:
    """A block, or steps, given as a parameter. `variables` are those of the place where it is written."""

    written: Any
    variables: Mapping[str, Any] = field(compare=False)
    origins: Mapping[str, Place | None] = field(compare=False)
    identity: Any = None
    below: Slot | None = None

    @staticmethod
    def of(written: Any, variables: Mapping[str, Any], origins: Mapping[str, Place | None]) -> Slot:
        """A slot whose identity is its text where that is all there is to it."""
        if isinstance(written, str):
            return Slot(written, variables, origins, written)
        return Slot(written, variables, origins, (id(written), id(variables)))

    def __hash__(self) -> int:
        return hash(self.identity)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Slot) and self.identity == other.identity and self.below == other.below

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it."""
        return not self.written and (self.below is None or self.below.is_empty)


@dataclass
class Given:
    """The checked value of each parameter of one use, the defaults inside it, and the step's own words."""

    values: dict[str, Any]
    origins: dict[str, Place | None]
    defaults: Defaults
    words: dict[str, Any]


@dataclass
class Arguments:
    """Resolves what uses say. One for each lowering."""

    library: Library
    reporter: Reporter
    settings: list[Setting] = field(default_factory=list)

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
        elif used_at is not None and used_at != place:
            notes = (*notes, Note(f"`{frame.block}` is used here", used_at))
        self.reporter.error(code, message, place, help=help, notes=notes)

    def evaluate(self, value: Any, frame: Frame, place: Place | None, variables: Mapping[str, Any] | None = None) -> Any:
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
            return formula.evaluate(scope)
        except UnknownNameError as error:
            help = suggest(error.name, frame.visible() if variables is None else [*variables, "here"])
            self.error(frame, "unknown-name", f"`{error.name}` is not known in this expression", place, help)
        except FormulaError as error:
            if not any(scope_gives_unknown(scope, name) for name in formula.names):
                self.error(frame, "bad-expression", str(error), place)
        raise GiveUp

    def resolve(
        self, name: str, definition: Definition, steps: list[tuple[Step, Mapping[str, Any] | None]], frame: Frame,
        fixed: Mapping[str, Any], input: Any,
    ) -> Given:  # fmt: skip
        """The parameters of a use.

        Args:
            name: the block's name.
            definition: the block or op.
            steps: the use; behind it, for a block given through a slot, the slot's own use. Each with its variables
                (None: those of the frame).
            frame: the body that the use stands in.
            fixed: values that override all, such as stride 1 in the later repeats.
            input: the shape (or shapes) that goes in, which a default's expression may ask for.

        Raises:
            GiveUp: if something is wrong; all of it is reported.
        """
        parameters = parameters_of(definition)
        explicit, nearer = self._sort(name, parameters, steps, frame, is_op=isinstance(definition, type))
        defaults = frame.defaults.extended(nearer)
        settings = frame.defaults.of(name)
        values: dict[str, Any] = {}
        origins: dict[str, Place | None] = {}
        failed = False
        for parameter in parameters.values():
            try:
                values[parameter.name] = self._value(
                    name, definition, parameter, explicit, settings, frame, fixed, values, origins, input, steps[0][0]
                )
            except GiveUp:
                failed = True
        if failed:
            raise GiveUp
        words = {word: setting for word in STEP_WORDS if (setting := settings.get(word)) is not None}
        return Given(values, origins, defaults, words)

    def _sort(
        self,
        name: str,
        parameters: Mapping[str, Parameter],
        steps: list[tuple[Step, Mapping[str, Any] | None]],
        frame: Frame,
        *,
        is_op: bool,
    ) -> tuple[dict[str, tuple[Any, Step, Mapping[str, Any] | None]], list[Setting]]:
        """The use's keys as values for parameters, and as defaults for blocks inside."""
        explicit: dict[str, tuple[Any, Step, Mapping[str, Any] | None]] = {}
        nearer: list[Setting] = []
        failed = False
        for step, variables in steps:
            for key, value in step.arguments.items():
                if key in parameters:
                    if key in explicit:
                        self._refuse_fixed(name, key, step, frame)
                    else:
                        explicit[key] = (value, step, variables)
                elif not is_op and self.library.find(key) is not None:
                    around = frame.variables if variables is None else variables
                    key_at, value_at = step.place_of_key(key), step.place_at(key)
                    nearer += self.read_settings(key, value, around, key_at, value_at, step.is_weak(key), frame)
                elif not step.is_weak(key):
                    self._report_unknown(name, key, parameters, step, frame)
                    failed = True
        if failed:
            raise GiveUp
        return explicit, nearer

    def _refuse_fixed(self, name: str, key: str, step: Step, frame: Frame) -> None:
        message = f"`{key}` of `{name}` is set by `{frame.block}` itself"
        self.error(frame, "fixed-parameter", message, step.place_of_key(key), "remove it")

    def _report_unknown(
        self, name: str, key: str, parameters: Mapping[str, Parameter], step: Step, frame: Frame
    ) -> None:
        choices = [*parameters, *Step.KEYS]
        help = suggest(key, choices)
        if key in ("planes", "out_channels", "channels", "filters") and "width" in parameters:
            help = "write `width`: the number of channels that come out"
        self.error(frame, "unknown-parameter", f"`{name}` has no parameter `{key}`", step.place_of_key(key), help)

    def read_settings(
        self,
        block: str,
        written: Any,
        variables: Mapping[str, Any],
        key_at: Place | None,
        value_at: Place | None,
        weak: bool,
        frame: Frame,
    ) -> list[Setting]:
        """The settings that `block: ...` stands for: a map of parameters, or a value for the first of them."""
        definition = self.library.find(block)
        if definition is None or written is None:
            return []
        parameters = parameters_of(definition)
        if not isinstance(written, dict):
            if not parameters:
                self.error(frame, "unknown-parameter", f"`{block}` has no parameters", key_at)
                return []
            main = next(iter(parameters))
            settings = [Setting(block, main, written, variables, key_at, value_at, weak)]
        else:
            settings = []
            weak_keys = getattr(written, "weak", frozenset())
            for key, value in written.items():
                at = key_place(written, key) or key_at
                if key not in parameters and key not in STEP_WORDS:
                    help = suggest(key, [*parameters, *STEP_WORDS])
                    self.error(frame, "unknown-parameter", f"`{block}` has no parameter `{key}`", at, help)
                    continue
                is_weak = weak or key in weak_keys
                settings.append(Setting(block, key, value, variables, at, value_place(written, key) or at, is_weak))
        self.settings += settings
        return settings

    def _value(
        self,
        name: str,
        definition: Definition,
        parameter: Parameter,
        explicit: Mapping[str, tuple[Any, Step, Mapping[str, Any] | None]],
        settings: Mapping[str, Setting],
        frame: Frame,
        fixed: Mapping[str, Any],
        values: dict[str, Any],
        origins: dict[str, Place | None],
        input: Any,
        use: Step,
    ) -> Any:
        key = parameter.name
        setting = settings.get(key)
        if key in fixed:
            return fixed[key]
        if key in explicit:
            value, step, variables = explicit[key]
            place = step.place_at(key)
            origins[key] = self._origin(value, frame, place)
            below = setting if setting is not None and isinstance(value, dict) else None
            return self._checked(name, parameter, value, frame, place, origins[key], variables, below)
        if setting is not None:
            setting.mark_used()
            origins[key] = setting.value_place
            place = setting.value_place
            return self._checked(name, parameter, setting.value, frame, place, place, setting.variables, setting.below)
        if parameter.required:
            help = f"add `{key}`: {parameter.help or parameter.expectation()}"
            self.error(frame, "missing-parameter", f"`{name}` needs `{key}`", use.place, help)
            raise GiveUp
        origins[key] = None
        return self._default(parameter, definition, values, input, frame)

    def _default(
        self, parameter: Parameter, definition: Definition, values: dict[str, Any], input: Any, frame: Frame
    ) -> Any:
        default = parameter.default
        if parameter.type in SLOTS:
            return None if default is None else Slot.of(default, values, _NOWHERE)
        if type(default) is not Formula:
            return default
        place = definition.place_at("parameters") if isinstance(definition, BlockDefinition) else None
        value = self.evaluate(default, frame, place, {**values, "input": input})
        return self._checked(parameter.name, parameter, value, frame, place, place, None, None)

    def _origin(self, value: Any, frame: Frame, place: Place | None) -> Place | None:
        """Where a value was written: for `$width`, where `width` was."""
        if type(value) is Formula:
            for name in value.names:
                if (origin := frame.origins.get(name)) is not None:
                    return origin
        return place

    def _checked(
        self,
        name: str,
        parameter: Parameter,
        written: Any,
        frame: Frame,
        place: Place | None,
        origin: Place | None,
        variables: Mapping[str, Any] | None,
        below: Setting | None,
    ) -> Any:
        if parameter.type in SLOTS and type(written) is not Formula:
            return self._slot(name, parameter, written, frame, place, variables, below)
        value = self.evaluate(written, frame, place, variables)
        if isinstance(value, Slot) or value is None:
            if isinstance(value, Slot) and parameter.type not in SLOTS:
                self.error(frame, "bad-value", f"`{parameter.name}` of `{name}` is no block", place)
                raise GiveUp
            if value is None and parameter.type in SLOTS:
                return None
        try:
            return parameter.check(value)
        except ParameterError as error:
            at = origin if origin is not None and not origin.source.shipped else place
            self.error(frame, "bad-value", f"{error} (in `{name}`)", at)
            raise GiveUp from None

    def _slot(
        self,
        name: str,
        parameter: Parameter,
        written: Any,
        frame: Frame,
        place: Place | None,
        variables: Mapping[str, Any] | None,
        below: Setting | None,
    ) -> Slot | None:
        if written is None:
            return None
        expected: tuple[type, ...] = (str, dict) if parameter.type == "block" else (dict,)
        if not isinstance(written, expected):
            message = f"`{parameter.name}` must be {parameter.expectation()}, got {describe(written)} (in `{name}`)"
            help = None
            if parameter.type == "steps" and isinstance(written, str):
                help = f"give the step a name: {{{written}: {written}}}"
            self.error(frame, "bad-value", message, place, help)
            raise GiveUp
        around = frame.variables if variables is None else variables
        slot = Slot.of(written, around, frame.origins if variables is None else _NOWHERE)
        if below is not None and parameter.type == "steps":
            below.mark_used()
            under = self._slot(name, parameter, below.value, frame, place, below.variables, below.below)
            slot = Slot(slot.written, slot.variables, slot.origins, slot.identity, under)
        return slot


def scope_gives_unknown(scope: Any, name: str) -> bool:
    """Whether a name stands for the shape of a value that went wrong."""
    try:
        return scope[name] is UNKNOWN_SHAPE
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


_NOWHERE: Final[Mapping[str, Place | None]] = {}
