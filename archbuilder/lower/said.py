"""What the uses of blocks say: values for their parameters, and defaults for what is inside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final

from archbuilder.diagnostics import Place, nearest, note_at, suggest
from archbuilder.language.formula import Formula
from archbuilder.language.models import BlockDefinition, Step
from archbuilder.language.table import key_place, replaced_by, value_place
from archbuilder.language.words import IN_DEFAULTS
from archbuilder.lower.defaults import Setting
from archbuilder.lower.evaluation import Evaluation
from archbuilder.lower.frame import Frame
from archbuilder.lower.habits import advice_for_parameter
from archbuilder.lower.library import Definition, Library, is_kept, parameters_of
from archbuilder.lower.slots import NOWHERE, Slot
from archbuilder.lower.usage import names_in, names_in_body
from archbuilder.lower.uses import Target, Written
from archbuilder.parameters import REQUIRED, SLOTS, Parameter, ParameterError, describe

STEP_WORDS: Final = tuple(IN_DEFAULTS)
"""Words of a step that may also stand in `defaults`, by block name."""


@dataclass(slots=True, eq=False)
class Facts:
    """What is read off a definition, which is held, so that its identity stays its own.

    `literal` are the defaults of its parameters that need no computing, `rest` the parameters that have others. Of these,
    `related` speak of further parameters, with which they stand here, and `derived` are computed from the input and from
    parameters before them, so that one after the other is known. `blank` has each parameter's literal default in their
    order, with `REQUIRED` for the rest; `needed` are those of the rest that are not derived.
    """

    definition: Definition
    parameters: dict[str, Parameter]
    literal: dict[str, Any]
    rest: tuple[Parameter, ...]
    related: Mapping[str, AbstractSet[str]]
    derived: tuple[Parameter, ...]
    blank: dict[str, Any]
    needed: frozenset[str]
    kept: bool

    def in_order(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values in the order of the parameters, whichever a use writes first: equal uses are known by their values."""
        return {name: values[name] for name in self.parameters}

    def overruled(self, given: AbstractSet[str]) -> Iterator[tuple[str, str]]:
        """Of parameters that are given, those from which only another one's default is computed, each with that other one."""
        if not isinstance(self.definition, BlockDefinition):
            return
        for key, names in self.related.items():
            for other in sorted(names & given) if key in given else ():
                left = [each.default for each in self.parameters.values() if each.name not in given]
                if other not in names_in_body(self.definition, left):
                    yield other, key


@dataclass(slots=True, eq=False)
class Said:
    """What a use says, read off its text alone. Step and facts are held, so that their identities stay their own.

    `explicit` are the values for parameters, of which `plain` need no computing (they are checked) and `computed` are
    expressions; `origins` are the places of the plain ones. `nearer` are defaults for what is inside. `overruled` has
    parameters that mean nothing, each with the one beside which it does. `at_once` has a value for each parameter, in
    their order, if all are known as soon as those in `computed` are, each by itself, and those of the facts' `derived`;
    `REQUIRED` stands for these. Otherwise it is None. `broken` says that something in it was wrong and has been reported.
    """

    step: Step
    facts: Facts
    explicit: dict[str, Written]
    nearer: list[Setting]
    plain: dict[str, Any]
    computed: tuple[tuple[str, Parameter, Formula], ...]
    origins: dict[str, Place | None]
    overruled: tuple[tuple[str, str], ...]
    at_once: dict[str, Any] | None
    broken: bool


# A shipped definition stays parsed from one call to the next; this is what is read off its text alone.
_KEPT_FACTS: Final[dict[int, Facts]] = {}
_KEPT_SAID: Final[dict[tuple[int, int], Said]] = {}


@dataclass
class Readings:
    """Reads what uses say. One for each lowering; `settings` are all the defaults that were read."""

    library: Library
    evaluation: Evaluation
    settings: list[Setting] = field(default_factory=list)
    _facts: dict[int, Facts] = field(default_factory=dict)
    _said: dict[int, Said] = field(default_factory=dict)

    def facts_of(self, definition: Definition) -> Facts:
        """What is read off a definition."""
        key = id(definition)
        known = self._facts.get(key)
        if known is None:
            known = _KEPT_FACTS.get(key) or _read_facts(definition)
            self._facts[key] = known
            if known.kept:
                _KEPT_FACTS[key] = known
        return known

    def said_by(self, target: Target, frame: Frame) -> Said:
        """What a use says; kept for a step that is met again, as those of a block's body are."""
        step = target.uses[0][0]
        known = self._said.get(id(step))
        if known is not None and known.facts.definition is target.definition and len(target.uses) == 1:
            return known
        facts = self.facts_of(target.definition)
        if len(target.uses) > 1:
            return self._read(target, facts, frame)
        key = (id(step), id(target.definition))
        kept = facts.kept and is_kept(step)
        said = (_KEPT_SAID.get(key) if kept else None) or self._read(target, facts, frame)
        if not said.nearer:  # these see the variables of one frame
            self._said[id(step)] = said
            if kept:
                _KEPT_SAID[key] = said
        return said

    def _read(self, target: Target, facts: Facts, frame: Frame) -> Said:
        explicit, nearer, broken = self._sort(target, facts.parameters, frame)
        plain: dict[str, Any] = {}
        computed: list[tuple[str, Parameter, Formula]] = []
        for key, written in explicit.items():
            parameter = facts.parameters[key]
            value = _plain(parameter, written.value)
            if value is not REQUIRED:
                plain[key] = value
            elif type(written.value) is Formula and parameter.type not in SLOTS and written.variables is None:
                computed.append((key, parameter, written.value))
        overruled = tuple(facts.overruled(explicit.keys()))
        at_once = None
        simple = not (nearer or overruled or broken) and len(plain) + len(computed) == len(explicit)
        if simple and facts.needed <= explicit.keys():
            at_once = {**facts.blank, **plain, **{key: REQUIRED for key, *_ in computed}}
        origins = {key: explicit[key].place for key in plain}
        step = target.uses[0][0]
        return Said(step, facts, explicit, nearer, plain, tuple(computed), origins, overruled, at_once, broken)

    # ---- sorting what a use says --------------------------------------------------------------------------------

    def _sort(
        self, target: Target, parameters: Mapping[str, Parameter], frame: Frame
    ) -> tuple[dict[str, Written], list[Setting], bool]:
        """The use's keys as values for parameters, and as defaults for the blocks inside; whether others were among them."""
        name, is_op = target.name, isinstance(target.definition, type)
        explicit: dict[str, Written] = {}
        nearer: list[Setting] = []
        failed = False
        for step, variables in target.uses:
            unknown: list[str] = []
            for key, value in step.arguments.items():
                if key in parameters:
                    if key in explicit:
                        message = f"`{key}` of `{name}` is set by `{frame.block}` itself"
                        notes = note_at(f"`{frame.block}` sets it here", explicit[key].place)
                        self.evaluation.error(
                            frame, "fixed-parameter", message, step.place_of_key(key), "remove it", notes
                        )
                    else:
                        explicit[key] = Written(value, step.place_at(key), variables)
                elif not is_op and self.library.find(key) is not None:
                    around = frame.variables if variables is None else variables
                    written = Written(value, step.place_at(key), around, past=replaced_by(step.table, key))
                    nearer += self.read_settings(key, written, step.place_of_key(key), step.is_weak(key), frame)
                elif not step.is_weak(key):
                    unknown.append(key)
            if unknown and type(step.block) is Formula:
                self._report_misfit(name, unknown, step, frame)
            for key in unknown if type(step.block) is not Formula else ():
                self._report_unknown(name, key, parameters, step, frame)
            failed = failed or bool(unknown)
        return explicit, nearer, failed

    def _report_misfit(self, name: str, unknown: list[str], step: Step, frame: Frame) -> None:
        """The block in a slot does not take what the body that has the slot tells it."""
        missing = " and no ".join(f"`{key}`" for key in unknown)
        slot = min(step.block.names) if isinstance(step.block, Formula) else ""
        message = f"`{name}` cannot be the `{slot}` of `{frame.block}`: it has no {missing}"
        around = self.library.find(frame.block)
        usual = parameters_of(around)[slot].default if around is not None and slot in parameters_of(around) else None
        fitting = [each for each in self.library.names() if self._fits(each, step.arguments)]
        fitting.sort(key=lambda each: (each != usual, self._size_of(each)))
        help = f"blocks that have them: {', '.join(fitting[:5])}, ..." if fitting else None
        origin = frame.origins.get(slot)
        place = origin if origin is not None and not origin.source.shipped else step.place_at("block")
        notes = note_at(f"`{frame.block}` uses it here", step.place) if place is origin else ()
        self.evaluation.error(frame, "bad-slot", message, place, help, notes)

    def _size_of(self, block: str) -> int:
        """How much a block can be told: what can be told little more than a slot tells is made for it."""
        definition = self.library.find(block)
        return len(parameters_of(definition)) if definition is not None else 0

    def _fits(self, block: str, told: Mapping[str, Any]) -> bool:
        """Whether a block takes what it is told, and needs no more."""
        definition = self.library.find(block)
        parameters = parameters_of(definition) if definition is not None else {}
        return told.keys() <= parameters.keys() and all(
            key in told for key, parameter in parameters.items() if parameter.required
        )

    def _report_unknown(
        self, name: str, key: str, parameters: Mapping[str, Parameter], step: Step, frame: Frame
    ) -> None:
        near = nearest(key, [*parameters, *Step.KEYS])
        help = advice_for_parameter(key, parameters) or (near and f"did you mean `{near}`?")
        help = help or suggest(key, parameters) or "remove it"
        message = f"`{name}` has no parameter `{key}`"
        notes = self.library.notes_on(name)
        self.evaluation.error(frame, "unknown-parameter", message, step.place_of_key(key), help, notes)

    # ---- defaults -----------------------------------------------------------------------------------------------

    def read_settings(
        self, block: str, written: Written, key_at: Place | None, weak: bool, frame: Frame
    ) -> list[Setting]:
        """The settings that `block: ...` stands for: a map of parameters, or a value for the first of them."""
        definition = self.library.find(block)
        value, around = written.value, written.variables or {}
        if definition is None:
            return []
        if value is None or value == {}:
            self._report_nothing(block, written, key_at, weak, frame)
            return []
        parameters = parameters_of(definition)
        if not isinstance(value, dict):
            if not parameters:
                message = f"`{block}` has no parameters"
                self.evaluation.error(frame, "unknown-parameter", message, key_at, "remove it")
                return []
            main = next(iter(parameters))
            settings = [Setting(block, main, value, around, key_at, written.place, weak, past=written.past)]
        else:
            settings = self._settings_in(value, block, definition, around, key_at, weak, frame)
        for setting in settings:
            if setting.parameter in parameters:
                setting.plain = _plain(parameters[setting.parameter], setting.value)
        self.settings += settings
        return settings

    def _report_nothing(self, block: str, written: Written, key_at: Place | None, weak: bool, frame: Frame) -> None:
        """Defaults that say nothing: null removes those of a base, if there were some."""
        if weak or written.past:
            return
        message = f"there are no defaults for `{block}` that could be removed"
        help = (
            "remove it, or give values; a step inside a block is left out by a patch of the block, with `when: false`"
        )
        self.evaluation.error(frame, "no-effect", message, key_at, help)

    def _settings_in(
        self,
        values: dict[str, Any],
        block: str,
        definition: Definition,
        around: Mapping[str, Any],
        key_at: Place | None,
        weak: bool,
        frame: Frame,
    ) -> list[Setting]:
        """The settings of a map of parameters."""
        parameters = parameters_of(definition)
        settings: list[Setting] = []
        weak_keys: frozenset[str] = getattr(values, "weak", frozenset())
        for key, each in values.items():
            at = key_place(values, key) or key_at
            inside = key not in parameters and not isinstance(definition, type) and self.library.find(key) is not None
            if key not in parameters and key not in STEP_WORDS and not inside:
                help = suggest(key, [*parameters, *STEP_WORDS])
                message = f"`{block}` has no parameter `{key}`"
                self.evaluation.error(frame, "unknown-parameter", message, at, help)
                continue
            word = IN_DEFAULTS.get(key)
            value_at = value_place(values, key) or at
            if word is not None and key not in parameters and not isinstance(each, word.type):
                message = f"`{key}` must be {word.kind}, got {describe(each)}"
                self.evaluation.error(frame, "bad-value", message, value_at)
                continue
            setting = Setting(block, key, each, around, at, value_at, weak or key in weak_keys)
            setting.past = replaced_by(values, key)
            settings.append(setting)
        return settings


def _read_facts(definition: Definition) -> Facts:
    parameters = parameters_of(definition)
    literal = {key: _literal(each) for key, each in parameters.items()}
    simple = {key: value for key, value in literal.items() if value is not REQUIRED}
    rest = tuple(each for key, each in parameters.items() if key not in simple)
    spoken = {each.name: names_in(each.default) & parameters.keys() for each in rest}
    related = {key: names for key, names in spoken.items() if names}
    derived = _derived(parameters)
    needed = frozenset(each.name for each in rest).difference(each.name for each in derived)
    return Facts(definition, parameters, simple, rest, related, derived, literal, needed, is_kept(definition))


def _literal(parameter: Parameter) -> Any:
    """A default that needs no computing; `REQUIRED` for others."""
    default = parameter.default
    if default is None:
        return None
    if default is REQUIRED or type(default) is Formula:
        return REQUIRED
    if parameter.type in SLOTS:
        return Slot(default, NOWHERE, NOWHERE) if isinstance(default, str) else REQUIRED  # a name needs no variables
    return parameter.check(default)


def _derived(parameters: Mapping[str, Parameter]) -> tuple[Parameter, ...]:
    """Those whose defaults are computed from the input and the parameters before them."""
    found: list[Parameter] = []
    before = {"input"}
    for name, each in parameters.items():
        if type(each.default) is Formula and each.type not in SLOTS and each.default.names <= before:
            found.append(each)
        before.add(name)
    return tuple(found)


def _plain(parameter: Parameter, value: Any) -> Any:
    """A value that is what it says, checked; `REQUIRED` for one that must be computed, or does not fit."""
    if type(value) not in (int, float, bool, str) or parameter.type in SLOTS:
        return REQUIRED
    try:
        return parameter.check(value)
    except ParameterError:
        return REQUIRED  # reported where it is taken
