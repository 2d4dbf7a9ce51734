"""What is known while a body is lowered: what names mean in it, the defaults that hold, and the nodes made so far."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from typing import Any, Final, NamedTuple

from archbuilder.diagnostics import Place
from archbuilder.graph.graph import INPUT, Graph, Node, Value, reduction_of, value_of
from archbuilder.graph.origin import Origin, Turn
from archbuilder.graph.shapes import Shape, Streams
from archbuilder.language.arithmetic import FormulaError
from archbuilder.language.dotted import beginnings, number_in
from archbuilder.language.formula import Formula
from archbuilder.language.models import BlockDefinition
from archbuilder.language.rules import Numbering, Rules
from archbuilder.lowering.plans import SettingPlan, SlotText, StepPlan, UsePlan

POISON: Final = Value(-2)
"""The value of a step that went wrong. Whatever depends on it stays silent."""

OUTER: Final = Value(INPUT)
"""What goes into a graph of its own."""


class Unknown:
    """Something that went wrong: the shape of a value, or a parameter."""


UNKNOWN: Final = Unknown()


# ---- what names mean ------------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class Scope:
    """The variables that expressions see in some part of a text.

    They are those of the body of a `use`, or of the network, where `places` says where each is written. `turns` are those
    of the loops around, `coming` has what is computed for them one after the other.
    """

    variables: Mapping[str, Any]
    use: Use | None = None
    places: Mapping[str, Place | None] = field(default_factory=dict)
    turns: tuple[Turn, ...] = ()
    coming: Mapping[str, Any] = field(default_factory=dict)

    def origin(self, name: str) -> Place | None:
        """Where the value of a variable was written, as far as somebody wrote it."""
        return self.places.get(name) if self.use is None else self.use.origin(name)

    def written(self, name: str) -> Place | None:
        """The same, also of what nobody has given: where the block's own text says it."""
        definition = self.use.plan.definition.definition if self.use is not None else None
        if (at := self.origin(name)) is not None or not isinstance(definition, BlockDefinition):
            return at
        said, at = definition.default_of(name)
        return (self.written(said.bare) if type(said) is Formula and said.bare else None) or at


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """A block, or steps, given as a parameter. `scope` is that of the place where it is written, which a name does not need;
    `below` is a slot of steps that it is laid over. Slots are equal if they say the same in the same place."""

    text: SlotText
    scope: Scope | None
    below: Slot | None = None

    def __str__(self) -> str:
        return "what is in a slot"

    @property
    def written(self) -> Any:
        """The block's name, the use or the steps, as they are written."""
        return self.text.written

    def __hash__(self) -> int:
        return hash(self.text.name or self.text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Slot):
            return False
        if self.text.name is not None:
            return self.text.name == other.text.name
        return self.text is other.text and self.scope is other.scope and self.below == other.below

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it."""
        return not self.written and (self.below is None or self.below.is_empty)


@dataclass(slots=True, eq=False)
class Setting:
    """A default where it holds: its plan, and the scope of the place where it is written.

    `weaker` is the setting that it is nearer than; `below` the same, where both are maps, which merge. `used` says whether
    it reached a block.
    """

    plan: SettingPlan
    scope: Scope
    weaker: Setting | None = None
    below: Setting | None = None
    used: bool = False

    def mark_used(self) -> None:
        """Notes that a block took the value."""
        setting: Setting | None = self
        while setting is not None and not setting.used:
            setting.used = True
            setting = setting.below


@dataclass(slots=True, eq=False)
class Defaults:
    """The settings that hold in a body, by block and parameter."""

    settings: dict[str, dict[str, Setting]] = field(default_factory=dict)
    numbered: bool = False
    """Whether one of them speaks of `repeat`."""

    def of(self, block: str) -> Mapping[str, Setting]:
        """The settings for a block."""
        return self.settings.get(block, _NONE)

    def extended(self, nearer: list[Setting]) -> Defaults:
        """These defaults with nearer ones laid over them."""
        if not nearer:
            return self
        settings = {block: dict(parameters) for block, parameters in self.settings.items()}
        for setting in nearer:
            plan = setting.plan
            parameters = settings.setdefault(plan.block, {})
            below = parameters.get(plan.parameter)
            if below is not None and isinstance(below.plan.value, dict) and isinstance(plan.value, dict):
                setting.below = below
            setting.weaker = below
            parameters[plan.parameter] = setting
        return Defaults(settings, self.numbered or any(setting.plan.numbered for setting in nearer))


_NONE: Final[dict[str, Setting]] = {}


@dataclass(slots=True, eq=False)
class Use:
    """A use of a block or an op where it stands, and what its parameters came to be.

    `scopes` are those of the use and of the slots that it leads through, None for that of `frame`; `here` is the value
    before it. The sources of `values` are, the strongest first: `fixed`, what the plan tells, `settings`, the definition's
    defaults. `nearer` are the defaults that it gives what is inside, `defaults` all that hold there, `words` those of them
    that are words of a step.
    """

    plan: UsePlan
    scopes: tuple[Scope | None, ...]
    frame: Frame
    here: Value
    settings: Mapping[str, Setting]
    fixed: Mapping[str, Any]
    values: dict[str, Any]
    input: Any
    nearer: list[Setting]
    defaults: Defaults
    words: Mapping[str, Setting]

    def origin(self, name: str) -> Place | None:
        """Where the value of a parameter was written: `$width` was written where `width` was."""
        told = self.plan.told.get(name)
        if told is None:
            setting = self.settings.get(name)
            return setting.plan.value_place if setting is not None else None
        return origin_of(told.value, told.place, self.frame)


def origin_of(value: Any, place: Place | None, frame: Frame) -> Place | None:
    """Where a value comes from that is written at a place: a name's value was written elsewhere."""
    if type(value) is Formula and (value.bare or (place is not None and place.source.shipped)):
        for name in value.names:
            origin = frame.scope.origin(name)
            if origin is not None:
                return origin
    return place


# ---- what is made ---------------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class Builder:
    """The nodes of one graph. `taken` are the names of its children, `containers` those of their prefixes, `known` the names
    of its steps, `loops` how often each loop ran, `left_out` the values that steps which are not there hand on."""

    input: Shape
    nodes: list[Node] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    containers: set[str] = field(default_factory=set)
    loose: dict[str, int] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    loops: list[int] = field(default_factory=list)
    left_out: set[Value] = field(default_factory=set)
    reductions: dict[Value, Fraction] = field(default_factory=dict)
    parts: dict[Value, list[Value]] = field(default_factory=dict)

    def reduction(self, value: Value) -> int:
        """For how many pixels of the input one pixel of a value stands, along the height."""
        return reduction_of(value, self.nodes, self.input, self.reductions)

    def add(self, node: Node) -> Value:
        """Appends a node; its value."""
        self.nodes.append(node)
        return value_of(len(self.nodes) - 1)

    def unlike_others(self, name: str) -> str:
        """A name for a step that stands inline and is no module, so that no key depends on it: one that no child can have."""
        count = self.loose[name] = self.loose.get(name, 0) + 1
        return f"{name}~{count}"

    def claim(self, name: str) -> str | None:
        """Takes a child's name. The name that stands in its way, if one does: a name is a module or a container of some."""
        if name in self.taken or name in self.containers:
            return name if name in self.taken else f"{name}.*"
        if "." in name:
            parts = name.split(".")
            prefixes = [".".join(parts[:count]) for count in range(1, len(parts))]
            if clash := self.taken.intersection(prefixes):
                return min(clash)
            self.containers.update(prefixes)
        self.taken.add(name)
        return None

    def shape_of(self, value: Value) -> Shape:
        """The shape of a value made so far."""
        number, item = value
        shape = self.input if number == INPUT else self.nodes[number].shape
        return shape if item is None or not isinstance(shape, Streams) else shape[item]

    def origin_of(self, value: Value) -> str:
        """The name of the step that a value comes from, for messages."""
        while value.node != INPUT and self.nodes[value.node].body is None:
            value = self.nodes[value.node].inputs[0]
        name = "input" if value.node == INPUT else self.nodes[value.node].name
        return name if value.item is None else f"{name}.{value.item}"


class NewName(NamedTuple):
    """A name that `rename` gives, and where it does so."""

    name: str
    place: Place | None


class Steps(dict[str, Value]):
    """The values of a body's steps, by name and in order. It is kept which names begin with another one and a dot: that is
    asked again and again, of each turn of a loop."""

    def __init__(self) -> None:
        super().__init__()
        self._read = 0
        self._under: dict[str, list[str]] = {}

    def poison(self, name: str) -> Value:
        """The value of a step that went wrong; of a name that is to be computed it is known how it begins."""
        self[name.partition("$")[0].rstrip(".") if "$" in name else name] = POISON
        return POISON

    def may_have(self, name: str) -> bool:
        """Whether a name begins as those of steps that went wrong, or that a loop would have made which cannot run."""
        return any(self.get(each) == POISON for each in beginnings(name))

    def under(self, whole: str, left_out: set[Value]) -> list[str] | None:
        """The names that begin so, without those of steps that are left out; None if there are none at all."""
        if whole.count(".") >= _MOST_DOTS:
            names = [name for name in self if name.startswith(f"{whole}.")]
            return [name for name in names if self[name] not in left_out] if names else None
        new = list(islice(reversed(self), len(self) - self._read))
        self._read = len(self)
        for name in reversed(new):
            parts = name.split(".", _MOST_DOTS)
            for count in range(1, len(parts)):
                found = self._under.setdefault(".".join(parts[:count]), [])
                if self[name] not in left_out:
                    found.append(name)
        return self._under.get(whole)


_MOST_DOTS: Final = 20
"""So many parts of names are kept."""


@dataclass(slots=True, eq=False)
class Frame:
    """A body being lowered.

    `values` are its steps so far, `current` the value that the next step takes. `block` is whose body it is, `used_at` the
    place in the user's spec that asked for all this, and `used_block` the block that is used there. `rules` hold for the
    steps of a network's own sections, `numbering` also for what is inline there.
    """

    builder: Builder
    scope: Scope
    defaults: Defaults
    input: Value
    used_at: Place | None = None
    block: str = ""
    used_block: str = ""
    values: Steps = field(default_factory=Steps)
    rename: Mapping[str, NewName] = field(default_factory=dict)
    rules: Rules | None = None
    numbering: Numbering | None = None
    inlined: bool = False
    own: bool = True
    """Whether its variables are those of the graph that its nodes go into."""
    repeat: int | None = None
    """Which repeat of the nearest step with `depth` around it this is, for expressions in `defaults`."""
    steps: Sequence[StepPlan] = ()
    """The steps of the body that is being lowered, those still to come too."""
    current: Value = field(init=False)

    def __post_init__(self) -> None:
        self.current = self.input

    def __getitem__(self, name: str) -> Any:
        """What a name means in an expression."""
        found = self.scope.variables.get(name, _ABSENT)
        if found is not _ABSENT:
            return found
        value = self.current if name == "here" else self.values.get(name)
        if name == "repeat" and self.scope.use is None and self.repeat is not None:
            return self.repeat  # in the steps that `defaults` of the network put into a slot
        whole, _, part = name.rpartition(".")
        if value is None and (number := number_in(part) or 0) < 0:
            steps = self.steps_in(whole) or []
            value = self.values[steps[number]] if number >= -len(steps) else None
        if value is None:
            if self.is_inside(whole, part):
                raise FormulaError(f"`{name}` is inside `{whole}`, so it is no value here")
            if self.values.may_have(name):
                return UNKNOWN
            raise KeyError(name)
        return UNKNOWN if value == POISON else self.builder.shape_of(value)

    def with_variable(self, name: str, value: Any, turn: Turn | None = None) -> Frame:
        """This frame with one more variable, of a turn of a loop or of a repeat; the steps are shared."""
        scope = self.scope
        turns = scope.turns if turn is None else (*scope.turns, turn)
        inner = Frame(
            self.builder, Scope({**scope.variables, name: value}, scope.use, scope.places, turns), self.defaults,
            self.input, self.used_at, self.block, self.used_block, self.values, self.rename, self.rules,
            self.numbering, self.inlined, self.own, value if name == "repeat" else self.repeat,
        )  # fmt: skip
        inner.current = self.current
        return inner

    def steps_in(self, whole: str) -> list[str] | None:
        """The steps whose names begin with a name and a dot, without those that are left out; None if there are none at all."""
        return self.values.under(whole, self.builder.left_out)

    def unknown(self, names: Collection[str], others: Collection[str] = ()) -> list[tuple[int, str]]:
        """Those of some names, each with its number, that no step here can have, and that are none of some others."""
        known = {*self.known(), *others} if names else others
        return [(at, name) for at, name in enumerate(names) if not (name in known or self.values.may_have(name))]

    def known(self) -> set[str]:
        """The names of its steps, those that went wrong too, and what these begin with, up to a dot."""
        return {part for name in (*self.builder.known, *self.values) for part in (name, name.split(".")[0])}

    def modules(self, steps: Iterable[Any]) -> tuple[str, ...]:
        """The names of children that are called by them, or as their steps are, before these are renamed."""
        new = {each.name for each in self.rename.values()}
        return tuple([self.rename[name].name if name in self.rename and name not in new else name for name in steps])

    def is_inside(self, name: str, part: str) -> bool:
        """Whether a part of a step is a module inside it, one of its repeats for example, and so no part of its value."""
        value = self.values.get(name, POISON)
        if value.node < 0 or isinstance(self.builder.shape_of(value), Streams):
            return False
        body = self.builder.nodes[value.node].body
        return isinstance(body, Graph) and any(part in node.all_names() for node in body.nodes)

    def visible(self) -> list[str]:
        """The names that an expression can use here."""
        steps = (name for name in self.values if name.replace(".", "_").isidentifier())
        return [*self.scope.variables, "here", *steps]

    def site(
        self, plan: StepPlan, name: str, inputs: tuple[Value, ...], uses: Sequence[tuple[StepPlan, Scope | None]] = ()
    ) -> Site:
        """A step where it stands here; `uses` are those in slots that it leads to."""
        origin, turns = plan.origin, self.scope.turns
        if uses or turns or not self.own:
            arguments = origin.arguments
            for use, scope in uses:
                if scope is not None and scope.use is self.scope.use:  # written where the same names are known
                    arguments = {**arguments, **use.step.arguments}
            origin = Origin(
                origin.key, arguments, origin.when, origin.inputs, turns, self.own, origin.block, origin.depth
            )
        # There is one for every step: `tuple.__new__` makes it in half the time.
        return tuple.__new__(Site, (plan, name, self, inputs, origin))


_ABSENT: Final = object()


class Site(NamedTuple):
    """A step where it stands: the name that it has there, the body around it, the values that it takes, and what its nodes
    say of it."""

    plan: StepPlan
    name: str
    frame: Frame
    inputs: tuple[Value, ...]
    origin: Origin

    def shape(self) -> Shape:
        """What goes in: one shape, or several as streams."""
        shapes = tuple(self.frame.builder.shape_of(value) for value in self.inputs)
        return shapes[0] if len(shapes) == 1 else Streams(shapes)


class Made(NamedTuple):
    """What a node was made of: its step where it stands, the use of each repeat that was lowered, how many repeats there are,
    which of them is the node's first, and whether they are children of a child."""

    site: Site
    uses: tuple[Use, ...]
    repeats: int = 1
    first: int = 0
    in_sequence: bool = False

    def use_of(self, number: int) -> Use | None:
        """The use of a repeat of the node; those after the last one that was lowered are equal to it."""
        return self.uses[min(self.first + number, len(self.uses) - 1)] if self.uses else None
