"""What the text alone says of a definition, of a step and of a use of a block: planned once, lowered as often as it is met.

A plan knows no shape and no value that has to be computed. Those of shipped blocks stay from one call to the next, since
their text does; all others belong to one lowering.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

from archbuilder.diagnostics import MAXIMUM_DIAGNOSTICS, Note, Place, Reporter, nearest, suggest
from archbuilder.graph.op import Op
from archbuilder.graph.origin import Origin
from archbuilder.language.formula import Formula
from archbuilder.language.models import BlockDefinition, Loop, Step, validate_body, validate_step
from archbuilder.language.spoken import names_in, names_in_body
from archbuilder.language.table import Past, key_place, replaced_by, value_place
from archbuilder.language.words import IN_DEFAULTS
from archbuilder.parameters import REQUIRED, SLOTS, Parameter, ParameterError, describe
from archbuilder.plugin.registry import PythonBlock

Block: TypeAlias = BlockDefinition | PythonBlock
Definition: TypeAlias = Block | type[Op]

COMPUTED: Final = REQUIRED
"""Stands for a value that has to be computed, or for one that does not fit: what computes it reports that."""


class Fault(NamedTuple):
    """A mistake that was found in a text; it is reported where the text is used, each time, since that is shown too."""

    code: str
    message: str
    place: Place | None
    help: str | None = None
    notes: tuple[Note, ...] = ()


# ---- steps ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class StepPlan:
    """A step of a body. `name` is how it is called, a formula where that has to be computed; the rest is as in `Step`.

    `says_names` says whether it has words for the names of what is inside, `shipped` whether it belongs to a shipped
    block. `uses` are the plans of its uses of ops and shipped blocks, where
    it is itself shipped.
    """

    step: Step
    name: str
    when: Any
    inputs: list[str] | None
    block: Any
    body: BodyPlan | str | None
    loop: Loop | None
    depth: Any
    output: str | None
    says_names: bool
    place: Place | None
    name_place: Place | None
    origin: Origin
    is_broken: bool
    is_nothing: bool
    shipped: bool
    uses: dict[Any, UsePlan] = field(default_factory=dict)


class BodyPlan(NamedTuple):
    """Steps in their order; those of a list are numbered."""

    steps: tuple[StepPlan, ...]
    listed: bool


def plan_body(body: dict[str, Step] | list[Step], *, shipped: bool = False) -> BodyPlan:
    """The plan of a body, named or listed."""
    named = enumerate(body) if isinstance(body, list) else body.items()
    return BodyPlan(tuple(plan_step(str(key), step, shipped=shipped) for key, step in named), isinstance(body, list))


def plan_step(key: str, step: Step, *, shipped: bool = False) -> StepPlan:
    """The plan of a step that is written under a key."""
    body = plan_body(step.body, shipped=shipped) if isinstance(step.body, dict | list) else step.body
    inputs = tuple(map(str, step.from_)) if step.from_ is not None else None
    slot = step.block if type(step.block) is Formula else None
    origin = Origin(key, step.arguments, step.when, inputs, block=slot, depth=step.depth)
    name = Formula(key) if "$" in key and step.loop is None and not step.is_unnamed else key
    return StepPlan(
        step, name, step.when, step.from_, step.block, body, step.loop, step.depth, step.output,
        bool(step.rename or step.register_ or step.inline), step.place, step.name_place, origin, step.is_broken,
        step.is_nothing, shipped,
    )  # fmt: skip


@dataclass(slots=True, eq=False)
class SlotText:
    """What is written for a slot: a block's name, a use of a block, or steps. It is read when it is first needed."""

    written: Any
    shipped: bool
    is_checked: bool = False
    _use: StepPlan | None = None
    _body: BodyPlan | None = None

    @property
    def name(self) -> str | None:
        """The block's name, where there is nothing else."""
        return self.written if isinstance(self.written, str) else None

    def use(self, reporter: Reporter) -> StepPlan | None:
        """The use of a block that it is; None where something in it is wrong, which is reported."""
        if self._use is None:
            step = validate_step(self.written, reporter)
            self._use = plan_step("", step, shipped=self.shipped) if step is not None else None
        return self._use

    def body(self, reporter: Reporter) -> BodyPlan | None:
        """The steps that it is; None where something in them is wrong, which is reported."""
        if self._body is None:
            body = validate_body(self.written, reporter)
            self._body = plan_body(body, shipped=self.shipped) if isinstance(body, dict | list) else None
        return self._body


# ---- definitions ----------------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class DefinitionPlan:
    """A block or an op.

    `op` is the op, if it is one. `literal` has a value for each parameter, in their order: its default, or `COMPUTED`.
    `computed` are the parameters of the latter kind, `slots` what is written for those of them that are slots. `spoken` has,
    by parameter, the other parameters from which its default is computed. `body` are the steps of a block in YAML.
    """

    definition: Definition
    op: type[Op] | None
    parameters: dict[str, Parameter]
    literal: dict[str, Any]
    computed: tuple[Parameter, ...]
    slots: dict[str, SlotText]
    spoken: Mapping[str, AbstractSet[str]]
    body: BodyPlan | None
    shipped: bool

    def overruled(self, given: AbstractSet[str]) -> Iterator[tuple[str, str]]:
        """Of parameters that are given, those from which only another one's default is computed, each with that other one."""
        if not isinstance(self.definition, BlockDefinition):
            return
        for key, names in self.spoken.items():
            for other in sorted(names & given) if key in given else ():
                left = [each.default for each in self.parameters.values() if each.name not in given]
                if other not in names_in_body(self.definition, left):
                    yield other, key


def plan_definition(definition: Definition, *, shipped: bool) -> DefinitionPlan:
    """The plan of a block or an op."""
    parameters = parameters_of(definition)
    literal: dict[str, Any] = {}
    slots: dict[str, SlotText] = {}
    for key, parameter in parameters.items():
        default = parameter.default
        is_slot = parameter.type in SLOTS and not (default is None or default is REQUIRED)
        if is_slot and type(default) is not Formula:
            slots[key] = SlotText(default, shipped)
        known = not (is_slot or default is REQUIRED or type(default) is Formula)
        literal[key] = parameter.check(default) if known else COMPUTED
    computed = tuple(each for key, each in parameters.items() if literal[key] is COMPUTED)
    spoken = {each.name: names_in(each.default) & parameters.keys() for each in computed}
    body = plan_body(definition.body, shipped=shipped) if isinstance(definition, BlockDefinition) else None
    spoken = {key: names for key, names in spoken.items() if names}
    op = definition if isinstance(definition, type) else None
    return DefinitionPlan(definition, op, parameters, literal, computed, slots, spoken, body, shipped)


def parameters_of(definition: Definition) -> dict[str, Parameter]:
    """What a block or an op can be told, by name."""
    if isinstance(definition, type):
        return {parameter.name: parameter for parameter in definition.parameters}
    return definition.parameters


Find: TypeAlias = Callable[[str], DefinitionPlan | None]
"""Looks up the plan of a block or an op by its name."""


# ---- uses -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class Told:
    """A value that is written for a parameter: `plain` is the value, if it needs no computing; `slot`, if it is for a slot.

    Where a use leads through slots, `level` says which of the steps on the way says it: 0 is the use itself.
    """

    parameter: Parameter
    value: Any
    place: Place | None
    level: int
    plain: Any
    slot: SlotText | None


@dataclass(slots=True, eq=False)
class SettingPlan:
    """A default that is written for all uses of a block in some part of a network. `parameter` may also be a word of a step,
    or the name of a block, for what stands inside; `past` are the values that this one has replaced in the text."""

    block: str
    parameter: str
    value: Any
    key_place: Place | None
    value_place: Place | None
    weak: bool
    past: tuple[Past, ...] = ()
    plain: Any = COMPUTED
    slot: SlotText | None = None
    numbered: bool = False
    """Whether it speaks of `repeat`."""
    open: bool = False
    """Whether it is said of what a parameter holds, so that it is for those that take it."""

    @property
    def text(self) -> object:
        """What tells the text that says it from others: its place, if it has one."""
        return (self.key_place, self.block, self.parameter) if self.key_place is not None else self


@dataclass(slots=True, eq=False)
class UsePlan:
    """A use of a block or an op.

    `steps` are the step and, where the block came through slots, the uses in these. `told` are the values for parameters,
    `nearer` the defaults for what is inside, each with the number of the step that says it. What is wrong: `unknown` are
    keys that mean nothing, with the step that says them, `twice` parameters that two steps give (with both places),
    `overruled` parameters that mean nothing beside another one, `faults` the mistakes in defaults. `says_more` says whether
    it says anything beside values for parameters, `misses_a_word` whether a word of a step is misspelt among its keys, so that
    the step is not understood, `takes_values` whether the op or block takes any; a held tensor does not.
    """

    name: str
    definition: DefinitionPlan
    steps: tuple[StepPlan, ...]
    told: dict[str, Told]
    nearer: tuple[tuple[int, SettingPlan], ...]
    unknown: tuple[tuple[Step, list[str]], ...]
    twice: tuple[tuple[str, Place | None, Place | None], ...]
    overruled: tuple[tuple[str, str], ...]
    faults: tuple[Fault, ...]
    says_more: bool
    misses_a_word: bool
    takes_values: bool


def plan_use(name: str, definition: DefinitionPlan, steps: tuple[StepPlan, ...], find: Find) -> UsePlan:
    """The keys of a use as values for parameters, and as defaults for the blocks inside."""
    told: dict[str, Told] = {}
    nearer: list[tuple[int, SettingPlan]] = []
    unknown: list[tuple[Step, list[str]]] = []
    twice: list[tuple[str, Place | None, Place | None]] = []
    faults: list[Fault] = []
    for level, plan in enumerate(steps):
        step, shipped = plan.step, plan.shipped
        keys: list[str] = []
        for key, value in step.arguments.items():
            parameter = definition.parameters.get(key)
            if parameter is not None and key in told:
                twice.append((key, step.place_of_key(key), told[key].place))
            elif parameter is not None:
                slot = _slot_text(parameter, value, shipped=shipped)
                told[key] = Told(parameter, value, step.place_at(key), level, _plain(parameter, value), slot)
            elif definition.op is None and find(key) is not None:
                place, past = step.place_at(key), replaced_by(step.table, key)
                written = SettingPlan(key, "", value, step.place_of_key(key), place, step.is_weak(key), past)
                found, wrong = plan_settings(written, find, shipped=shipped)
                nearer += [(level, each) for each in found]
                faults += wrong
            elif not (step.is_weak(key) and replaced_by(step.table, "block")):  # it was for another block
                keys.append(key)
        if keys:
            unknown.append((step, keys))
    filled = [each.level for each in told.values() if each.parameter.type in SLOTS and type(each.value) is Formula]
    for level, written in nearer:
        written.open = type(steps[level].block) is Formula or level in filled
    overruled = tuple(definition.overruled(told.keys()))
    return UsePlan(
        name, definition, steps, told, tuple(nearer), tuple(unknown), tuple(twice), overruled, tuple(faults),
        says_more=bool(nearer or unknown or twice or faults),
        misses_a_word=any(nearest(key, Step.KEYS) for _, keys in unknown for key in keys[:MAXIMUM_DIAGNOSTICS]),
        takes_values=definition.op is None or definition.op.inputs != (0, 0),
    )  # fmt: skip


def plan_settings(written: SettingPlan, find: Find, *, shipped: bool = False) -> tuple[list[SettingPlan], list[Fault]]:
    """The settings that `block: ...` stands for, a map of parameters or a value for the first of them; and what is wrong."""
    block, value = written.block, written.value
    definition = find(block)
    if definition is None:
        return [], []
    if value is None or value == {}:
        return [], [] if written.past or getattr(value, "broken", False) else [_nothing_to_remove(written)]
    faults: list[Fault] = []
    if isinstance(value, dict):
        settings = list(_settings_in(written, definition, find, faults))
    elif definition.parameters:
        main = next(iter(definition.parameters))
        settings = [SettingPlan(block, main, value, written.key_place, written.value_place, written.weak, written.past)]
    else:
        return [], [Fault("unknown-parameter", f"`{block}` has no parameters", written.key_place, "remove it")]
    for setting in settings:
        parameter = definition.parameters.get(setting.parameter)
        setting.numbered = "repeat" in names_in(setting.value)
        if parameter is not None:
            setting.plain = _plain(parameter, setting.value)
            setting.slot = _slot_text(parameter, setting.value, shipped=shipped)
    return settings, faults


def _nothing_to_remove(written: SettingPlan) -> Fault:
    """Defaults that say nothing: null removes those of a base, if there were some."""
    message = f"there are no defaults for `{written.block}` that could be removed"
    help = "remove it, or give values; a step inside a block is left out by a patch of the block, with `when: false`"
    return Fault("no-effect", message, written.key_place, help)


def _settings_in(
    written: SettingPlan, definition: DefinitionPlan, find: Find, faults: list[Fault]
) -> Iterator[SettingPlan]:
    """The settings of a map of parameters; what is wrong with one is added to the faults."""
    block, values, parameters = written.block, written.value, definition.parameters
    weak_keys: frozenset[str] = getattr(values, "weak", frozenset())
    for key, each in values.items():
        at = key_place(values, key) or written.key_place
        inside = key not in parameters and definition.op is None and find(key) is not None
        if key not in parameters and key not in IN_DEFAULTS and not inside:
            help = suggest(key, [*parameters, *IN_DEFAULTS])
            faults.append(Fault("unknown-parameter", f"`{block}` has no parameter `{key}`", at, help))
            meant = nearest(key, parameters)
            if meant is None or meant in values:
                continue
        else:
            meant = key
        value_at = value_place(values, key) or at
        word = IN_DEFAULTS.get(key) if key not in parameters else None
        if word is not None and not isinstance(each, word.type):
            faults.append(Fault("bad-value", f"`{key}` must be {word.kind}, got {describe(each)}", value_at))
            continue
        weak = written.weak or key in weak_keys
        # What is misspelt is taken as it was meant: other mistakes may follow from its lack.
        yield SettingPlan(block, meant, each, at, value_at, weak, replaced_by(values, key))


def _plain(parameter: Parameter, value: Any) -> Any:
    """A value that is what it says, checked; `COMPUTED` for one that must be computed, or does not fit."""
    if type(value) not in (int, float, bool, str) or parameter.type in SLOTS:
        return COMPUTED
    try:
        return parameter.check(value)
    except ParameterError:
        return COMPUTED  # reported where it is taken


def _slot_text(parameter: Parameter, value: Any, *, shipped: bool) -> SlotText | None:
    is_text = parameter.type in SLOTS and isinstance(value, str | dict) and type(value) is not Formula
    return SlotText(value, shipped) if is_text else None
