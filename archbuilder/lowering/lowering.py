"""What one lowering shares: where mistakes go, what is made and counted, and how an expression gets its value."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Self

from archbuilder.diagnostics import Help, Note, Place, Reporter, suggest
from archbuilder.graph.bounds import MAXIMUM_NODES
from archbuilder.graph.graph import Graph, Node, Output
from archbuilder.graph.op import Op
from archbuilder.graph.shapes import Shape
from archbuilder.language.arithmetic import FormulaError, bounded_parts
from archbuilder.language.dotted import UnknownNameError
from archbuilder.language.formula import Formula, ReportedError
from archbuilder.language.rules import Sizes
from archbuilder.language.table import key_place, keys_in, value_place
from archbuilder.lowering.frame import UNKNOWN, Builder, Defaults, Frame, Made, Scope, Setting, Use
from archbuilder.lowering.library import Library
from archbuilder.lowering.plans import SlotText, StepPlan, UsePlan

MAXIMUM_TAKEN: Final = 1_000_000
"""Values that the steps of a network take, all together."""
MAXIMUM_RECURSION: Final = 40
"""How deep blocks may stand in blocks."""


_DEPENDS_ON_VALUES: Final = ("bad-shape", "shapes-differ", "bad-value", "bad-expression")
"""Mistakes of which one text can make several, with other numbers: in a block that is used several times."""


class GiveUp(Exception):
    """What was wrong is reported; the step has no value."""


class TooLarge(Exception):
    """The network passes a bound, which has been reported; nothing more can be said of it."""


class Target(NamedTuple):
    """A block or an op that a step uses, and the variables that what is said of it sees: None is for those of the frame.
    `in_slots` are the uses in the slots that it leads through, with the variables that each sees."""

    plan: UsePlan
    scopes: tuple[Scope | None, ...]
    in_slots: tuple[tuple[StepPlan, Scope | None], ...] = ()


@dataclass(slots=True, eq=False)
class Call:
    """A call of a block: its graph, None while it is lowered or where something in it is wrong, and the use for which it was
    lowered first; equal uses share it."""

    first: Use
    sizes: Sizes
    graph: Graph | None = None
    is_open: bool = True


@dataclass(eq=False)
class Lowering:
    """One lowering of one network.

    `made` says of each node what it was made of, `inline` the same of the network's own steps that are no node, by name.
    `settings` are all the defaults that were read, `outputs` the network's further outputs. `idle` is told what has no effect
    and need have none here, since a base says it, or a file with variants. `absent` are the steps that are left out, and loops
    without turns, with the nodes around. `sizes` are those of the body at hand, and `holds_sizes` says whether there are any.
    What a step stands for is looked up once, where it names that: `targets`. `new_slots` are what has been put into slots and
    not been looked at, with the body where that was. Equal ops and equal calls are made once: `ops`, `calls`. Where the network
    `misses_patch` nothing is said of shapes.
    """

    library: Library
    reporter: Reporter
    root: Builder
    sizes: Sizes
    holds_sizes: bool = False
    made: dict[Node, Made] = field(default_factory=dict)
    inline: dict[str, Made] = field(default_factory=dict)
    settings: list[Setting] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    new_slots: list[tuple[SlotText, str, Frame]] = field(default_factory=list)
    targets: dict[StepPlan, Target] = field(default_factory=dict)
    ops: dict[Any, tuple[Op, Shape]] = field(default_factory=dict)
    calls: dict[Any, Call] = field(default_factory=dict)
    inside_defaults: dict[Any, Defaults] = field(default_factory=dict)
    checked_names: set[str] = field(default_factory=set)
    idle: Reporter = field(default_factory=lambda: Reporter(is_aside=True))
    absent: list[tuple[StepPlan, Builder]] = field(default_factory=list)
    causes: set[Hashable] = field(default_factory=set)
    misses_patch: bool = False
    nodes: int = 0
    taken: int = 0
    depth: int = 0

    # ---- mistakes -----------------------------------------------------------------------------------------------

    def error(
        self,
        frame: Frame,
        code: str,
        message: str,
        place: Place | None,
        help: Help = None,
        notes: tuple[Note, ...] = (),
        cause: Hashable = None,
        *,
        weak: bool = False,
    ) -> None:
        """Reports a mistake at `place`, or, where that is in a shipped block, at the use in the user's spec.

        What has the same `cause` is reported once; so are mistakes at one place that differ in the values at hand alone. What
        is `weak` comes from a base, so that it need have no effect.
        """
        used_at = frame.used_at
        if cause is None and code in _DEPENDS_ON_VALUES and place is not None and not place.source.shipped:
            cause = (code, place.source.name, *place[1:])
        if (cause is not None and cause in self.causes) or (self.misses_patch and code in _DEPENDS_ON_VALUES[:2]):
            return
        self.causes.add(cause)
        if used_at is not None and (place is None or place.source.shipped) and not used_at.source.shipped:
            notes = (*notes, Note(f"in the block `{frame.block}`", place)) if frame.block else notes
            place = used_at
        elif used_at is not None and place is not None and used_at[:2] != place[:2] and frame.used_block:
            notes = (*notes, Note(f"`{frame.used_block}` is used here", used_at))
        self.told(weak=weak).error(code, message, place, help=help, notes=notes)

    def told(self, *, weak: bool) -> Reporter:
        """Who is told of what has no effect; with `weak` it need have none."""
        return self.idle if weak else self.reporter

    def note_absent(self, plan: StepPlan, frame: Frame) -> None:
        """Notes that a step is left out, or a loop has no turns: what serves it alone has an effect in another setting."""
        self.absent.append((plan, frame.builder))
        if frame.rules is not None:
            frame.rules.used.update(keys_in(plan.step.table))

    # ---- bounds -------------------------------------------------------------------------------------------------

    def count(self, frame: Frame, place: Place | None, count: int = 1) -> None:
        """Counts nodes that a step at `place` becomes.

        Raises:
            TooLarge: if there are too many; that is reported.
        """
        self.nodes += count
        if self.nodes > MAXIMUM_NODES:
            message = f"this network has more than {MAXIMUM_NODES:,} different steps"
            self.error(frame, "too-large", message, place)
            raise TooLarge

    def count_taken(self, frame: Frame, place: Place | None, count: int) -> None:
        """Counts values that a step at `place` takes.

        Raises:
            TooLarge: if there are too many; that is reported.
        """
        self.taken += count
        if self.taken > MAXIMUM_TAKEN:
            self.error(frame, "too-large", f"the steps of this network take more than {MAXIMUM_TAKEN:,} values", place)
            raise TooLarge

    def inside(self, frame: Frame, place: Place | None) -> Self:
        """The context of one level deeper in blocks, for a step at `place`.

        Raises:
            TooLarge: if they stand too deep; that is reported.
        """
        if self.depth >= MAXIMUM_RECURSION:
            message = f"blocks stand in blocks more than {MAXIMUM_RECURSION} deep"
            self.error(frame, "too-deep", message, place, "does a block use itself?")
            raise TooLarge
        return self

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(self, *_: object) -> None:
        self.depth -= 1

    # ---- values -------------------------------------------------------------------------------------------------

    def evaluate(self, value: Any, frame: Frame, place: Place | None, scope: Scope | None = None) -> Any:
        """A value with its expressions computed, in lists and maps too, with the variables of `frame` or of `scope`.

        Raises:
            GiveUp: if that fails; the reason is reported.
        """
        if type(value) is Formula:
            return self._compute(value, frame, place, scope)
        if isinstance(value, list):
            places = [value_place(value, number) or place for number in range(len(value))]
            listed = [self.evaluate(each, frame, at, scope) for each, at in zip(value, places, strict=True)]
            return self._joined(listed, value, frame, place)
        if isinstance(value, dict):
            table = {
                key: self.evaluate(each, frame, value_place(value, key) or place, scope) for key, each in value.items()
            }
            return self._joined(table, value.values(), frame, place)
        return value

    def _joined(self, value: Any, written: Iterable[Any], frame: Frame, place: Place | None) -> Any:
        """A list or a map of what was computed. Values may share parts, so a short text may mean a huge one."""
        try:
            return bounded_parts(value) if any(type(each) is Formula for each in written) else value
        except FormulaError as error:
            self.error(frame, "bad-expression", str(error), place)
            raise GiveUp from None

    def _compute(self, formula: Formula, frame: Frame, place: Place | None, scope: Scope | None) -> Any:
        names = frame if scope is None else _Elsewhere(scope.variables, frame)
        try:
            value = formula.evaluate(names)
        except UnknownNameError as error:
            self._report_unknown(error.name, frame, place, scope)
        except ReportedError:
            pass
        except FormulaError as error:
            # Whatever depends on a value that went wrong stays silent.
            if not any(_is_unknown(names, name) for name in formula.names):
                self.error(frame, "bad-expression", str(error), place, notes=_origins(formula, frame, place))
        else:
            if not (self.reporter.diagnostics and any(_is_unknown(names, name) for name in formula.names)):
                return value
        raise GiveUp

    def _report_unknown(self, name: str, frame: Frame, place: Place | None, scope: Scope | None) -> None:
        repeat = [] if frame.repeat is None else ["repeat"]

        def help() -> str | None:
            if name == "repeat":
                return "it counts the repeats of a step with `depth`; there are no repeats here"
            coming = {each.name: each.name_place for each in frame.steps if scope is None and not each.is_nothing}
            at = key_place((scope or frame.scope).coming, name) or coming.get(name)
            if at is not None and place is not None and at.source == place.source and at[1:] > place[1:]:
                return f"`{name}` is written further down: move it up, before this one"
            return suggest(name, frame.visible() if scope is None else [*scope.variables, "here", *repeat])

        message = f"`{name}` is not known in this expression"
        self.error(frame, "unknown-name", message, place, help, cause=(frame.block, name))

    def check_names(self, formula: Formula, frame: Frame, place: Place | None, scope: Scope | None) -> None:
        """Reports the names in an expression that are not known; those of steps with dots may be there in other turns."""
        names = frame if scope is None else _Elsewhere(scope.variables, frame)
        for name in sorted(formula.names):
            try:
                names[name]
            except KeyError:
                if "." not in name and name != "repeat":
                    self._report_unknown(name, frame, place, scope)


def _origins(formula: Formula, frame: Frame, place: Place | None) -> tuple[Note, ...]:
    """Where the values come from that an expression in a block speaks of, as far as a user wrote them elsewhere."""
    if not frame.block:
        return ()
    known = ((name, frame.scope.origin(name)) for name in sorted(formula.names))
    return tuple(
        Note(f"`{name}` is given here", at) for name, at in known if at and not at.source.shipped and at != place
    )


def _is_unknown(names: Frame | _Elsewhere, name: str) -> bool:
    """Whether a name stands for something that went wrong."""
    try:
        return names[name] is UNKNOWN
    except (KeyError, FormulaError):
        return False


class _Elsewhere:
    """The variables of another place, with `here` and `repeat` of this one."""

    def __init__(self, variables: Mapping[str, Any], frame: Frame) -> None:
        self.variables, self.frame = variables, frame

    def __getitem__(self, name: str) -> Any:
        if name in self.variables:
            return self.variables[name]
        if name == "repeat" and self.frame.repeat is not None:
            return self.frame.repeat
        if name == "here":
            return self.frame[name]
        raise KeyError(name)
