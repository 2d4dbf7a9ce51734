"""What a use of a block says, and what its parameters become: the rules of precedence are all here.

A parameter's value is, from weakest to strongest: the definition's default, the network's `defaults`, those of the uses
around (nearest last), and what the use itself says.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from archbuilder.diagnostics import Note, Place, suggest
from archbuilder.lower.defaults import Defaults, Setting
from archbuilder.lower.evaluation import Evaluation, GiveUp
from archbuilder.lower.frame import UNKNOWN, Frame
from archbuilder.lower.library import Definition, Library, parameters_of
from archbuilder.lower.slots import NOWHERE, Slot
from archbuilder.lower.usage import names_in_body
from archbuilder.parameters import REQUIRED, SLOTS, Parameter, ParameterError, describe
from archbuilder.spec.formula import Formula
from archbuilder.spec.models import BlockDefinition, Step
from archbuilder.spec.table import Past, key_place, replaced_by, value_place

if TYPE_CHECKING:
    from archbuilder.lower.trace import Trace

_STEP_WORD_TYPES: Final = {"rename": dict, "register": list, "names": str}
STEP_WORDS: Final = tuple(_STEP_WORD_TYPES)
"""Words of a step that may also stand in `defaults`, by block name."""

Uses = list[tuple[Step, Mapping[str, Any] | None]]
"""A use of a block; behind it, where the block came through a slot, the slot's own use. Each with its variables (None:
those of the frame)."""


class Written(NamedTuple):
    """A value in the text of a spec: where it stands, and the variables that its expressions see."""

    value: Any
    place: Place | None
    variables: Mapping[str, Any] | None = None
    below: Setting | None = None
    past: tuple[Past, ...] = ()


class Resolved(NamedTuple):
    """A use of a block with all that was said about it, and the values that came of it."""

    name: str
    definition: Definition
    uses: Uses
    frame: Frame
    explicit: Mapping[str, Written]
    settings: Mapping[str, Setting]
    fixed: Mapping[str, Any]
    values: Mapping[str, Any]
    input: Any


@dataclass
class Given:
    """The checked value of each parameter of one use, where it was written, the defaults inside, and the step's words."""

    values: dict[str, Any]
    origins: dict[str, Place | None]
    defaults: Defaults
    words: dict[str, Setting]


class _Facts(NamedTuple):
    """A definition's parameters, and those of their defaults that need no computing."""

    parameters: dict[str, Parameter]
    literal: dict[str, Any]
    rest: tuple[Parameter, ...]
    shipped: bool


def _read_facts(definition: Definition, *, shipped: bool) -> _Facts:
    parameters = parameters_of(definition)
    simple = {
        key: None if each.default is None else each.check(each.default)
        for key, each in parameters.items()
        if each.default is None
        or (each.default is not REQUIRED and each.type not in SLOTS and type(each.default) is not Formula)
    }
    rest = tuple(each for key, each in parameters.items() if key not in simple)
    return _Facts(parameters, simple, rest, shipped)


class _Said(NamedTuple):
    """What a use says: values for parameters, those among them that need no computing (checked), and defaults for what is
    inside. Step and facts are held, so that their identities stay their own."""

    step: Step
    facts: _Facts
    explicit: dict[str, Written]
    nearer: list[Setting]
    plain: dict[str, Any]


def _plain(parameter: Parameter, written: Written) -> Any:
    """A value that is what it says, checked; `REQUIRED` for one that must be computed, or does not fit."""
    value = written.value
    if type(value) not in (int, float, bool, str) or parameter.type in SLOTS:
        return REQUIRED
    try:
        return parameter.check(value)
    except ParameterError:
        return REQUIRED  # reported where it is taken


# A shipped definition stays parsed from one call to the next; this is what is read off its text alone.
_SHIPPED_FACTS: Final[dict[int, tuple[Definition, _Facts]]] = {}
_SHIPPED_STEPS: Final[dict[tuple[int, int], _Said]] = {}


@dataclass
class Arguments:
    """Resolves what uses say. One for each lowering; `trace` is told of every decision, where somebody wants to know."""

    library: Library
    evaluation: Evaluation
    settings: list[Setting] = field(default_factory=list)
    trace: Trace | None = None
    _facts: dict[int, tuple[Definition, _Facts]] = field(default_factory=dict)
    _sorted: dict[tuple[int, int], _Said] = field(default_factory=dict)
    _inside: dict[tuple[int, tuple[int, ...]], Defaults] = field(default_factory=dict)

    def resolve(
        self, name: str, definition: Definition, uses: Uses, frame: Frame, fixed: Mapping[str, Any], input: Any
    ) -> Given:
        """The parameters of a use.

        Args:
            name: the block's name.
            definition: the block or op.
            uses: what is said about it.
            frame: the body that the use stands in.
            fixed: values that override all, such as stride 1 in the later repeats.
            input: the shape (or shapes) that goes in, which a default's expression may ask for.

        Raises:
            GiveUp: if something is wrong; all of it is reported.
        """
        facts = self._facts_of(definition)
        settings = frame.defaults.of(name)
        if len(uses) == 1 and not (uses[0][0].arguments or facts.rest or fixed or settings or self.trace):
            return Given(
                facts.literal, _NO_ORIGINS, frame.defaults, _NO_WORDS
            )  # the most frequent case: nothing is said
        said = self._said(name, facts, uses, frame, is_op=isinstance(definition, type))
        explicit, nearer = said.explicit, said.nearer
        plain = said.plain if frame.rules is None and self.trace is None else {}
        values = {**facts.literal, **plain}
        origins: dict[str, Place | None] = {key: explicit[key].place for key in plain}
        failed = False
        for key, written in explicit.items():
            if key not in plain and key not in fixed:
                try:
                    self._take(name, facts.parameters[key], written, settings.get(key), frame, values, origins)
                except GiveUp:
                    failed = True
        if settings:
            failed = self._take_settings(name, facts, settings, explicit, frame, values, origins) or failed
        if fixed:
            values.update(fixed)
        if self.trace is not None and fixed:
            self.trace.fixed(fixed)
        if not failed:
            self._take_defaults(name, definition, facts, values, frame, input, uses[0][0])
            self._refuse_overruled(name, definition, facts.parameters, explicit, frame)
            self._settle(name, definition, values, settings, explicit, frame)
        else:
            raise GiveUp
        if not (settings or nearer or self.trace):
            return Given(values, origins, frame.defaults, _NO_WORDS)
        words = {word: settings[word] for word in STEP_WORDS if word in settings}
        inside = [each for key, each in settings.items() if key not in facts.parameters and key not in STEP_WORDS]
        if self.trace is not None:
            self.trace.resolved(
                Resolved(name, definition, uses, frame, explicit, settings, fixed, values, input), nearer
            )
        return Given(values, origins, self._defaults_inside(frame, inside).extended(nearer), words)

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
                nearer += self.read_settings(setting.parameter, written, setting.key_place, setting.weak, frame)
            self._inside[key] = frame.defaults.extended(nearer)
        return self._inside[key]

    def _facts_of(self, definition: Definition) -> _Facts:
        known = _SHIPPED_FACTS.get(id(definition)) or self._facts.get(id(definition))
        if known is None:
            shipped = isinstance(definition, type) or (
                isinstance(definition, BlockDefinition) and definition.is_shipped
            )
            kept = _SHIPPED_FACTS if shipped else self._facts
            known = kept[id(definition)] = (definition, _read_facts(definition, shipped=shipped))
        return known[1]

    def _said(self, name: str, facts: _Facts, uses: Uses, frame: Frame, *, is_op: bool) -> _Said:
        """What a use says, sorted; kept for a step that is met again, as those of a block's body are."""
        step = uses[0][0]
        key = (id(step), id(facts))
        kept = _SHIPPED_STEPS if facts.shipped and step.is_shipped else self._sorted
        known = kept.get(key) if len(uses) == 1 else None
        if known is not None:
            return known
        explicit, nearer = self._sort(name, facts.parameters, uses, frame, is_op=is_op)
        plain = {
            key: value
            for key, each in explicit.items()
            if (value := _plain(facts.parameters[key], each)) is not REQUIRED
        }
        said = _Said(step, facts, explicit, nearer, plain)
        if len(uses) == 1 and not nearer:
            kept[key] = said
        return said

    # ---- sorting what a use says --------------------------------------------------------------------------------

    def _sort(
        self, name: str, parameters: Mapping[str, Parameter], uses: Uses, frame: Frame, *, is_op: bool
    ) -> tuple[dict[str, Written], list[Setting]]:
        """The use's keys as values for parameters, and as defaults for the blocks inside."""
        explicit: dict[str, Written] = {}
        nearer: list[Setting] = []
        failed = False
        for step, variables in uses:
            unknown: list[str] = []
            for key, value in step.arguments.items():
                if key in parameters:
                    if key in explicit:
                        message = f"`{key}` of `{name}` is set by `{frame.block}` itself"
                        notes = _notes(f"`{frame.block}` sets it here", explicit[key].place)
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
        if failed:
            raise GiveUp
        return explicit, nearer

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
        notes = _notes(f"`{frame.block}` uses it here", step.place) if place is origin else ()
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
        near = difflib.get_close_matches(key, [*parameters, *Step.KEYS], 1, 0.65)
        help = f"did you mean `{near[0]}`?" if near else suggest(key, parameters) or "remove it"
        if key in _FOREIGN_WIDTHS and "width" in parameters:
            help = "write `width`: the number of channels that come out"
            if "inner" in parameters:
                help += "; the 3x3 in between has `inner`, or `ratio` of it"
        message = f"`{name}` has no parameter `{key}`"
        notes = self._definition_of(name)
        self.evaluation.error(frame, "unknown-parameter", message, step.place_of_key(key), help, notes)

    def _definition_of(self, name: str, parameter: str | None = None) -> tuple[Note, ...]:
        """Where a block of the user's own is defined, or declares a parameter."""
        definition = self.library.find(name)
        if not isinstance(definition, BlockDefinition):
            return ()
        if parameter is None:
            return _notes(f"`{name}` is defined here", definition.place)
        place = key_place(definition.table and definition.table.get("parameters"), parameter)
        return _notes(f"`{parameter}` is declared here", place)

    def read_settings(
        self, block: str, written: Written, key_at: Place | None, weak: bool, frame: Frame
    ) -> list[Setting]:
        """The settings that `block: ...` stands for: a map of parameters, or a value for the first of them."""
        definition = self.library.find(block)
        value, around = written.value, written.variables or {}
        if definition is None or value is None:
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
            settings = []
            weak_keys: frozenset[str] = getattr(value, "weak", frozenset())
            for key, each in value.items():
                at = key_place(value, key) or key_at
                inside = (
                    key not in parameters and not isinstance(definition, type) and self.library.find(key) is not None
                )
                if key not in parameters and key not in STEP_WORDS and not inside:
                    help = suggest(key, [*parameters, *STEP_WORDS])
                    message = f"`{block}` has no parameter `{key}`"
                    self.evaluation.error(frame, "unknown-parameter", message, at, help)
                    continue
                expected = _STEP_WORD_TYPES.get(key)
                if expected is not None and key not in parameters and not isinstance(each, expected):
                    kind = {dict: "a map of names", list: "a list of names", str: "a text"}[expected]
                    message = f"`{key}` must be {kind}, got {describe(each)}"
                    self.evaluation.error(frame, "bad-value", message, value_place(value, key) or at)
                    continue
                is_weak = weak or key in weak_keys
                setting = Setting(block, key, each, around, at, value_place(value, key) or at, is_weak)
                setting.past = replaced_by(value, key)
                settings.append(setting)
        self.settings += settings
        return settings

    # ---- taking values ------------------------------------------------------------------------------------------

    def _take(
        self,
        name: str,
        parameter: Parameter,
        written: Written,
        setting: Setting | None,
        frame: Frame,
        values: dict[str, Any],
        origins: dict[str, Place | None],
    ) -> None:
        """Takes a value that the use itself gives."""
        value, key = written.value, parameter.name
        origin = written.place
        at = written.place
        if type(value) is Formula and (value[1:].isidentifier() or (at is not None and at.source.shipped)):
            for variable in value.names:  # `$width` was written where `width` was
                if (known := frame.origins.get(variable)) is not None:
                    origin = known
                    break
        origins[key] = origin
        if self.trace is not None:
            self.trace.took(key, written)
        if setting is not None and isinstance(value, dict):
            written = written._replace(below=setting)
        values[key] = self._checked(name, parameter, written, frame, origin)
        if frame.rules is not None and frame.rules.width is not None and parameter.type == "channels":
            values[key] = frame.rules.width(values[key])
            frame.rules.used.add("width")

    def _take_settings(
        self,
        name: str,
        facts: _Facts,
        settings: Mapping[str, Setting],
        explicit: Mapping[str, Written],
        frame: Frame,
        values: dict[str, Any],
        origins: dict[str, Place | None],
    ) -> bool:
        """Takes the defaults of the network and of the uses around; whether one was wrong."""
        failed = False
        for key, setting in settings.items():
            if key in explicit or key not in facts.parameters:
                continue
            origins[key] = setting.value_place
            if self.trace is not None:
                self.trace.took(key, setting)
            written = Written(setting.value, setting.value_place, setting.variables, setting.below)
            try:
                values[key] = self._checked(name, facts.parameters[key], written, frame, setting.value_place)
            except GiveUp:
                failed = True
        return failed

    def _take_defaults(
        self,
        name: str,
        definition: Definition,
        facts: _Facts,
        values: dict[str, Any],
        frame: Frame,
        input: Any,
        use: Step,
    ) -> None:
        """Fills in what nobody has given."""
        failed = False
        for parameter in facts.rest:
            key, default = parameter.name, parameter.default
            if key in values:
                continue
            if default is REQUIRED:
                help = f"add `{key}`: {parameter.help or parameter.expectation()}"
                notes = self._definition_of(name, key)
                self.evaluation.error(frame, "missing-parameter", f"`{name}` needs `{key}`", use.place, help, notes)
                failed = True
            elif parameter.type in SLOTS:
                values[key] = Slot(default, values, NOWHERE)
            elif not failed:
                place = definition.place_inside("parameters", key) if isinstance(definition, BlockDefinition) else None
                if place is None or place.source.shipped:
                    place = use.place
                written = Written(default, place, {**values, "input": input})
                values[key] = self._checked(name, parameter, written, frame, place, use)
        if failed:
            raise GiveUp

    def _settle(
        self,
        name: str,
        definition: Definition,
        values: dict[str, Any],
        settings: Mapping[str, Setting],
        explicit: Mapping[str, Written],
        frame: Frame,
    ) -> None:
        """Notes which defaults were of use, and refuses what the use says of an op that means nothing beside the rest."""
        idle = definition.idle(values) if isinstance(definition, type) else {}
        for key, setting in settings.items():
            if key in values and key not in explicit and key not in idle:
                setting.mark_used()
        for key in idle.keys() & explicit.keys():
            message = f"`{key}` of `{name}` has no effect {idle[key]}"
            self.evaluation.error(frame, "no-effect", message, explicit[key].place, "remove it")

    def _refuse_overruled(
        self,
        name: str,
        definition: Definition,
        parameters: Mapping[str, Parameter],
        explicit: Mapping[str, Written],
        frame: Frame,
    ) -> None:
        """A parameter from which only another one's default is computed has no effect beside that other one."""
        if not isinstance(definition, BlockDefinition):
            return
        for key in explicit:
            default = parameters[key].default
            if type(default) is not Formula:
                continue
            for other in default.names & explicit.keys():
                left = [each.default for each in parameters.values() if each.name not in explicit]
                if other not in names_in_body(definition, left):
                    message = f"`{other}` of `{name}` has no effect beside `{key}`"
                    self.evaluation.error(frame, "no-effect", message, explicit[other].place, "give one of them")

    def _checked(
        self,
        name: str,
        parameter: Parameter,
        written: Written,
        frame: Frame,
        origin: Place | None,
        use: Step | None = None,
    ) -> Any:
        """A value, computed and of the parameter's type; `use` asks for it where it is a definition's default."""
        value = written.value
        if parameter.type in SLOTS and type(value) is not Formula:
            return self._slot(name, parameter, written, frame)
        if type(value) is Formula or isinstance(value, dict | list):
            bare = value.bare if type(value) is Formula and written.variables is None else None
            if bare is not None and frame.variables.get(bare, UNKNOWN) is not UNKNOWN:  # most expressions are a name
                value = frame.variables[bare]
            else:
                value = self.evaluation.evaluate(value, frame, written.place, written.variables)
        if isinstance(value, Slot):
            if parameter.type in SLOTS:
                return value
            self.evaluation.error(frame, "bad-value", f"`{parameter.name}` of `{name}` is no block", written.place)
            raise GiveUp
        try:
            return parameter.check(value)
        except ParameterError as error:
            at = origin if origin is not None and not origin.source.shipped else written.place
            told = use is not None and use.place is not None and use.place != at
            notes = (Note(f"`{name}` is used here", use.place),) if use is not None and told else ()
            help = _advice(value, written, parameter, at)
            declared = self._definition_of(name, parameter.name)
            notes = (*notes, *(note for note in declared if note.place != at))
            self.evaluation.error(frame, "bad-value", f"{error} (in `{name}`)", at, help, notes)
            raise GiveUp from None

    def _slot(self, name: str, parameter: Parameter, written: Written, frame: Frame) -> Slot | None:
        value = written.value
        if value is None:
            return None
        expected: tuple[type, ...] = (str, dict) if parameter.type == "block" else (dict,)
        if not isinstance(value, expected):
            message = f"`{parameter.name}` must be {parameter.expectation()}, got {describe(value)} (in `{name}`)"
            is_name = parameter.type == "steps" and isinstance(value, str)
            help = f"give the step a name: {{{value}: {value}}}" if is_name else None
            notes = self._definition_of(name, parameter.name)
            self.evaluation.error(frame, "bad-value", message, written.place, help, notes)
            raise GiveUp
        own = written.variables is None
        variables = frame.variables if written.variables is None else written.variables
        below = None
        if written.below is not None and parameter.type == "steps":
            setting = written.below
            setting.mark_used()
            under = Written(setting.value, setting.value_place, setting.variables, setting.below)
            below = self._slot(name, parameter, under, frame)
        return Slot(value, variables, frame.origins if own else NOWHERE, below)


def _notes(text: str, place: Place | None) -> tuple[Note, ...]:
    """A note on a place in a text of the user's own."""
    return (Note(text, place),) if place is not None and not place.source.shipped else ()


def _advice(value: Any, written: Written, parameter: Parameter, at: Place | None) -> str | None:
    """What to write instead of a value that does not fit."""
    near = difflib.get_close_matches(str(value), parameter.choices, 1, 0.65)
    if near:
        return f"did you mean `{near[0]}`?"
    if type(written.value) is not Formula:
        return None
    if type(value) is float and "/" in written.value:
        return "`/` gives a number with a fraction; use `//` or `round(...)`"
    is_quoted = at is not None and str(written.value) in at.source.line(at.line)
    return None if is_quoted else f"it is computed as `{written.value}`"


_FOREIGN_WIDTHS: Final = ("planes", "out_channels", "channels", "filters", "out_planes", "features")
"""What other libraries call the width."""

_NO_ORIGINS: Final[dict[str, Place | None]] = {}
_NO_WORDS: Final[dict[str, Setting]] = {}
