"""What the parameters of a use become: the rules of precedence are all here.

A parameter's value is, from weakest to strongest: the definition's default, the network's `defaults`, those of the uses
around (nearest last), and what the use itself says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from archbuilder.diagnostics import Place
from archbuilder.language.formula import Formula
from archbuilder.language.models import BlockDefinition
from archbuilder.lower.checker import Checker
from archbuilder.lower.defaults import Defaults, Setting
from archbuilder.lower.evaluation import GiveUp
from archbuilder.lower.frame import UNKNOWN, Frame
from archbuilder.lower.said import STEP_WORDS, Readings, Said
from archbuilder.lower.slots import NOWHERE, Slot
from archbuilder.lower.uses import Target, Written
from archbuilder.parameters import REQUIRED, SLOTS, Parameter, ParameterError

if TYPE_CHECKING:
    from archbuilder.lower.trace import Trace

Restriding = Callable[[Any], Mapping[str, Any]]
"""Says what a use is given instead of its own stride and dilation, by its stride."""


class Resolved(NamedTuple):
    """A use of a block with all that was said about it, and the values that came of it."""

    target: Target
    frame: Frame
    explicit: Mapping[str, Written]
    settings: Mapping[str, Setting]
    fixed: Mapping[str, Any]
    values: Mapping[str, Any]
    input: Any


@dataclass(slots=True)
class Given:
    """The checked value of each parameter of one use, where it was written, the defaults inside, and the step's words."""

    values: dict[str, Any]
    origins: dict[str, Place | None]
    defaults: Defaults
    words: dict[str, Setting]


@dataclass
class Arguments:
    """Gives the parameters of uses their values. One for each lowering; `trace` is told of every decision, where somebody
    wants to know."""

    readings: Readings
    checker: Checker
    trace: Trace | None = None
    _inside: dict[tuple[int, tuple[int, ...]], Defaults] = field(default_factory=dict)

    def resolve(
        self,
        target: Target,
        frame: Frame,
        input: Any,
        fixed: Mapping[str, Any] | None = None,
        restride: Restriding | None = None,
    ) -> Given:
        """The parameters of a use.

        Args:
            target: the block or op, and what is said about it.
            frame: the body that the use stands in.
            input: the shape (or shapes) that goes in, which a default's expression may ask for.
            fixed: values that override all, such as stride 1 in the later repeats.
            restride: gives more of them, where the network states its output stride.

        Raises:
            GiveUp: if something is wrong; all of it is reported.
        """
        settings = frame.defaults.of(target.name)
        said = self.readings.said_by(target, frame)
        if not (restride or self.trace) and len(target.uses) == 1 and frame.rules is None:
            values = self.at_once(target, said, frame, input, fixed)
            if values is not None:
                return Given(values, _origins_at_once(said, settings, frame), frame.defaults, _NO_WORDS)
        return self._step_by_step(_Taking(self, target, said, settings, frame, input), fixed or {}, restride)

    def at_once(
        self, target: Target, said: Said, frame: Frame, input: Any, fixed: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | None:
        """The values of a use whose parameters are known without looking at each; None where one is not, or is wrong.

        It is for uses in frames without rules, where nobody asks where a value comes from.
        """
        known = said.at_once
        if known is None:
            return None
        settings = frame.defaults.of(target.name)
        if not (settings or fixed or said.explicit or said.facts.derived):
            return known  # most frequent: nothing is said
        values = _values_at_once(said, known, settings, frame, input, fixed)
        if values is None or (settings and said.facts.related and self.overruled(target, said, settings)):
            return None
        _settle(target, said, values, settings, self.checker, frame)
        return values

    def _step_by_step(self, taking: _Taking, fixed: Mapping[str, Any], restride: Restriding | None) -> Given:
        """The parameters of a use, the strongest first."""
        target, said, settings, frame = taking.target, taking.said, taking.settings, taking.frame
        taking.take_explicit(fixed)
        taking.take_settings()
        if restride is not None and not taking.failed:
            if "stride" in said.facts.parameters and "stride" not in taking.values:
                taking.take_defaults("stride")
            fixed = {**fixed, **restride(fixed.get("stride", taking.values.get("stride", 1)))}
        taking.values.update(fixed)
        if self.trace is not None and fixed:
            self.trace.fixed(fixed)
        if taking.failed:
            raise GiveUp
        taking.take_defaults()
        taking.refuse_overruled()
        taking.arrange()
        _settle(target, said, taking.values, settings, self.checker, frame)
        if not (settings or said.nearer or self.trace):
            return Given(taking.values, taking.origins, frame.defaults, _NO_WORDS)
        words = {word: settings[word] for word in STEP_WORDS if word in settings}
        parameters = said.facts.parameters
        inside = [each for key, each in settings.items() if key not in parameters and key not in STEP_WORDS]
        if self.trace is not None:
            resolved = Resolved(target, frame, said.explicit, settings, fixed, taking.values, taking.input)
            self.trace.resolved(resolved, said.nearer)
        return Given(taking.values, taking.origins, self._defaults_inside(frame, inside).extended(said.nearer), words)

    def overruled(self, target: Target, said: Said, settings: Mapping[str, Setting]) -> list[tuple[str, str]]:
        """The parameters that have no effect beside another one that is said as near, or nearer; each with that one.

        What a default says gives way to what the use says, and what a base said to all that this file says.
        """
        if not settings:
            return list(said.overruled)
        taken = {
            key: each for key, each in settings.items() if key in said.facts.parameters and key not in said.explicit
        }
        pairs = said.facts.overruled({*said.explicit, *taken})
        return [
            (other, key)
            for other, key in pairs
            if (key in said.explicit and other in said.explicit)
            or (key in taken and not taken[key].weak and (other in said.explicit or not taken[other].weak))
        ]

    def _defaults_inside(self, frame: Frame, inside: list[Setting]) -> Defaults:
        """The defaults for what stands in a block, where `defaults` says something of it: `{mbconv: {activation: relu}}`."""
        if not inside:
            return frame.defaults
        key = (id(frame.defaults), tuple(id(setting) for setting in inside))
        if key not in self._inside:
            nearer: list[Setting] = []
            for setting in inside:
                setting.mark_used()
                written = Written(setting.value, setting.value_place, setting.variables)
                block, weak = setting.parameter, setting.weak
                nearer += self.readings.read_settings(block, written, setting.key_place, weak, frame)
            self._inside[key] = frame.defaults.extended(nearer)
        return self._inside[key]


@dataclass
class _Taking:
    """The values of one use, as they are taken."""

    arguments: Arguments
    target: Target
    said: Said
    settings: Mapping[str, Setting]
    frame: Frame
    input: Any
    values: dict[str, Any] = field(init=False)
    origins: dict[str, Place | None] = field(init=False)
    failed: bool = False

    def __post_init__(self) -> None:
        self.failed = self.said.broken
        watched = self.frame.rules is not None or self.arguments.trace is not None
        self.values = {**self.said.facts.literal, **({} if watched else self.said.plain)}
        self.origins = {} if watched else dict(self.said.origins)

    def take_explicit(self, fixed: Mapping[str, Any]) -> None:
        """Takes what the use itself says."""
        parameters = self.said.facts.parameters
        for key, written in self.said.explicit.items():
            if key not in self.origins and key not in fixed:
                try:
                    self._take(parameters[key], written)
                except GiveUp:
                    self.failed = True

    def _take(self, parameter: Parameter, written: Written) -> None:
        key, value, frame = parameter.name, written.value, self.frame
        origin = self.origins[key] = _origin_of(written, frame)
        if self.arguments.trace is not None:
            self.arguments.trace.took(key, written)
        setting = self.settings.get(key)
        if setting is not None and isinstance(value, dict):
            written = written._replace(below=setting)
        self.values[key] = self._checked(parameter, written, origin)
        if frame.rules is not None and "channels" in (parameter.type, parameter.element):
            self.values[key] = frame.rules.scaled(self.values[key])

    def _checked(self, parameter: Parameter, written: Written, origin: Place | None) -> Any:
        return self.arguments.checker.checked(self.target.name, parameter, written, self.frame, origin)

    def take_settings(self) -> None:
        """Takes the defaults of the network and of the uses around."""
        parameters = self.said.facts.parameters
        for key, setting in self.settings.items():
            if key in self.said.explicit or key not in parameters:
                continue
            self.origins[key] = setting.value_place
            if self.arguments.trace is not None:
                self.arguments.trace.took(key, setting)
            written = Written(setting.value, setting.value_place, setting.variables, setting.below)
            try:
                self.values[key] = self._checked(parameters[key], written, setting.value_place)
            except GiveUp:
                self.failed = True

    def take_defaults(self, last: str = "") -> None:
        """Fills in what nobody has given, in the order of the parameters, so that each may ask for those before it.

        Raises:
            GiveUp: if something must be given; that is reported.
        """
        for parameter in self.said.facts.rest:
            if parameter.name not in self.values:
                self._take_default(parameter)
            if parameter.name == last:
                break
        if self.failed:
            raise GiveUp

    def _take_default(self, parameter: Parameter) -> None:
        key = parameter.name
        checker, use, name = self.arguments.checker, self.target.uses[0][0], self.target.name
        if parameter.default is REQUIRED:
            help = f"add `{key}`: {parameter.help or parameter.expectation()}"
            notes = checker.library.notes_on(name, key)
            message = f"`{name}` needs `{key}`"
            checker.evaluation.error(self.frame, "missing-parameter", message, use.place, help, notes)
            self.failed = True
        elif parameter.type in SLOTS and type(parameter.default) is not Formula:
            self.values[key] = Slot(parameter.default, self.values, NOWHERE)
        elif not self.failed:
            definition = self.target.definition
            place = definition.place_inside("parameters", key) if isinstance(definition, BlockDefinition) else None
            if place is None or place.source.shipped:
                place = use.place
            written = Written(parameter.default, place, {**self.values, "input": self.input})
            self.values[key] = checker.checked(name, parameter, written, self.frame, place, use)

    def arrange(self) -> None:
        """Puts the values in the order of the parameters. Slots hold on to this very map."""
        values = self.said.facts.in_order(self.values)
        self.values.clear()
        self.values.update(values)

    def refuse_overruled(self) -> None:
        """Refuses a parameter that has no effect beside another one."""
        for other, key in self.arguments.overruled(self.target, self.said, self.settings):
            message = f"`{other}` of `{self.target.name}` has no effect beside `{key}`"
            explicit = self.said.explicit.get(other)
            place = explicit.place if explicit is not None else self.settings[other].key_place
            self.arguments.checker.evaluation.error(self.frame, "no-effect", message, place, "give one of them")


def _values_at_once(
    said: Said,
    known: Mapping[str, Any],
    settings: Mapping[str, Setting],
    frame: Frame,
    input: Any,
    fixed: Mapping[str, Any] | None,
) -> dict[str, Any] | None:
    """The values of a use; None where one is not known by itself, or is wrong: taken step by step, it is reported."""
    values = {**known}
    for key, setting in settings.items():
        if key not in said.explicit:
            if setting.plain is REQUIRED:
                return None  # it must be computed, or is for what stands inside
            values[key] = setting.plain
    for key, parameter, formula in said.computed:
        if not _compute(values, key, parameter, formula, frame.variables if formula.bare else frame):
            return None
    if fixed:
        values.update(fixed)
    for parameter in said.facts.derived:
        if values[parameter.name] is REQUIRED:
            scope = {**values, "input": input}
            if not _compute(values, parameter.name, parameter, parameter.default, scope):
                return None
    return values


def _compute(values: dict[str, Any], key: str, parameter: Parameter, formula: Formula, scope: Any) -> bool:
    """Takes the value of an expression, if it has one that fits; whether it has."""
    value = formula.value_in(scope, UNKNOWN)
    if value is UNKNOWN or type(value) is Slot:
        return False
    try:
        values[key] = parameter.check(value)
    except ParameterError:
        return False
    return True


def _origins_at_once(said: Said, settings: Mapping[str, Setting], frame: Frame) -> dict[str, Place | None]:
    """Where the values of a use were written."""
    origins = dict(said.origins)
    for key, setting in settings.items():
        if key not in said.explicit:
            origins[key] = setting.value_place
    for key, *_ in said.computed:
        origins[key] = _origin_of(said.explicit[key], frame)
    return origins


def _origin_of(written: Written, frame: Frame) -> Place | None:
    """Where a value comes from: `$width` was written where `width` was."""
    value, at = written.value, written.place
    if type(value) is Formula and (value.bare or (at is not None and at.source.shipped)):
        for name in value.names:
            origin = frame.origins.get(name)
            if origin is not None:
                return origin
    return at


def _settle(
    target: Target,
    said: Said,
    values: dict[str, Any],
    settings: Mapping[str, Setting],
    checker: Checker,
    frame: Frame,
) -> None:
    """Notes which defaults were of use, and refuses what the use says of an op that means nothing beside the rest."""
    definition = target.definition
    idle = definition.idle(values) if isinstance(definition, type) else _NOT_IDLE
    for key, setting in settings.items():
        if not setting.used and key in values and key not in said.explicit and key not in idle:
            setting.mark_used()
    for key in idle:
        if key in said.explicit:
            message = f"`{key}` of `{target.name}` has no effect {idle[key]}"
            checker.evaluation.error(frame, "no-effect", message, said.explicit[key].place, "remove it")


_NO_WORDS: Final[dict[str, Setting]] = {}
_NOT_IDLE: Final[dict[str, str]] = {}
