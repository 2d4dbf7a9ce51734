"""The most frequent kinds of step, lowered in one go: a use of an op under its own name, and a step that is left out.

It does what the general way does for such a step, with the same parts, and leaves to that way whatever is unusual or wrong.
Most steps of a network are of these kinds, and the dozen calls on the general way are most of what they cost.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

from archbuilder.diagnostics import Place
from archbuilder.graph.graph import Node, Origin, Value, plain_node
from archbuilder.graph.op import Op, OpError
from archbuilder.graph.shapes import Shape
from archbuilder.language.formula import Formula
from archbuilder.language.models import Step
from archbuilder.language.values import MAXIMUM_REPEATS
from archbuilder.lower.application import Application
from archbuilder.lower.arguments import Arguments
from archbuilder.lower.bounds import Bounds
from archbuilder.lower.frame import POISON, UNKNOWN, Frame
from archbuilder.lower.library import is_kept
from archbuilder.lower.names import objection
from archbuilder.lower.references import value_called
from archbuilder.lower.said import Said
from archbuilder.lower.targets import Targets
from archbuilder.lower.uses import Target
from archbuilder.plugin.registry import REGISTRY


@dataclass(slots=True, eq=False)  # its attributes are quicker to read than those of a named tuple
class _Use:
    """An op that a step uses, and what is said of it."""

    target: Target
    op_type: type[Op]
    said: Said
    takes: range
    """How many values the op takes, where each is a step's own."""


@dataclass(slots=True, eq=False)
class _Plan:
    """What a step is. The step is held, so that its identity stays its own; what it says stands here once more, since
    attributes of a model of pydantic's are slow to read.

    `use` is the op that it uses, `slot` what it stands for, by name; of a step that has neither, the plan says only when it
    is left out.
    """

    step: Step
    name: str
    use: _Use | None
    slot: str | None
    when: Any
    from_: list[str] | None
    place: Place | None
    origin: Origin


@dataclass
class PlainSteps:
    """Lowers plain steps of frames that are not special. One for each lowering."""

    targets: Targets
    arguments: Arguments
    application: Application
    bounds: Bounds
    _plans: dict[int, _Plan | None] = field(default_factory=dict)

    def lower(self, name: str, step: Step, frame: Frame) -> bool | None:
        """Lowers a step; whether it takes a number in a list, or None for what is left to the general way.

        Raises:
            TooLarge: if the network is too large; that is reported.
        """
        plan = self._plans.get(id(step), _UNKNOWN)
        if plan is _UNKNOWN:
            plan = self._plans[id(step)] = _KEPT_PLANS.get(id(step)) or self._plan_of(name, step, frame)
        if plan is None or plan.name != name:
            return None
        if plan.when is not True:
            present = plan.when.value_in(frame, UNKNOWN)
            if present is not True:
                return self._leave_out(plan, frame) if present is False else None
        if plan.use is None:
            is_empty = plan.slot is not None and frame.variables.get(plan.slot, UNKNOWN) is None
            return self._leave_out(plan, frame) if is_empty else None
        return self._use(plan, plan.use, frame)

    def _use(self, plan: _Plan, use: _Use, frame: Frame) -> bool | None:
        builder, name = frame.builder, plan.name
        inputs = (frame.current,) if plan.from_ is None else _values_of(plan.from_, frame)
        if inputs is None or POISON in inputs or name in builder.taken or name in builder.containers:
            return None
        shapes = (builder.shape_of(inputs[0]),) if len(inputs) == 1 else tuple(map(builder.shape_of, inputs))
        values = self.arguments.at_once(use.target, use.said, frame, shapes[0])
        if values is None or len(shapes) not in use.takes:
            return None
        try:
            op, shape = self.application.made(use.op_type, values, shapes)
        except OpError:
            return None
        builder.known.add(name)
        if op.does_nothing:
            return self._add(plan, _stand_in(plan, inputs, shape, frame), frame)
        builder.taken.add(name)
        return self._add(plan, plain_node(name, op, inputs, shape, plan.place, self._origin(plan, frame)), frame)

    def _leave_out(self, plan: _Plan, frame: Frame) -> bool | None:
        """A step that is left out hands on its first input; in a list, later steps move up."""
        inputs = (frame.current,) if plan.from_ is None else _values_of(plan.from_[:1], frame)
        if inputs is None or POISON in inputs:
            return None
        frame.builder.known.add(plan.name)
        self._add(plan, _stand_in(plan, inputs[:1], frame.builder.shape_of(inputs[0]), frame), frame)
        return False

    def _origin(self, plan: _Plan, frame: Frame) -> Origin:
        return plan.origin if not frame.turns else replace(plan.origin, turns=frame.turns)

    def _add(self, plan: _Plan, node: Node, frame: Frame) -> bool:
        self.bounds.count(frame, plan.step)
        frame.values[plan.name] = frame.current = frame.builder.add(node)
        return True

    def _plan_of(self, name: str, step: Step, frame: Frame) -> _Plan | None:
        """What there is to know of a step, if it is a plain one."""
        words = step.loop, step.depth, step.output, step.else_, step.rename, step.register_, step.names
        if step.is_broken or any(word is not None for word in words):
            return None
        if step.when is not True and type(step.when) is not Formula:
            return None
        if "." in name or "$" in name or objection(name) is not None:
            return None
        use, slot = None, None
        if type(step.block) is str:
            use = self._use_of(step, frame)
            if use is None:
                return None
        elif step.body is None or type(step.body) is Formula:
            slot = step.block if step.body is None else step.body
            slot = slot.bare if type(slot) is Formula else None
            if slot is None:
                return None
        inputs = tuple(map(str, step.from_)) if step.from_ is not None else None
        origin = Origin(name, step.arguments, step.when, inputs)
        plan = _Plan(step, name, use, slot, step.when, step.from_, step.place, origin)
        if is_kept(step):  # what a shipped step says is read off its text alone
            _KEPT_PLANS[id(step)] = plan
        return plan

    def _use_of(self, step: Step, frame: Frame) -> _Use | None:
        """The op that a step uses, if it is an op and nothing about it is unusual."""
        op_type = self.targets.library.find(str(step.block))
        if step.inline or not isinstance(op_type, type) or op_type.name in REGISTRY.entries:
            return None
        target = self.targets.find(step, frame)
        if not isinstance(target, Target) or op_type.kept is not None or op_type.holds_tensor:
            return None
        least, most = op_type.inputs
        takes = range(max(least, 2 if op_type.joins else 1), 1 + (MAXIMUM_REPEATS if most is None else most))
        said = self.arguments.readings.said_by(target, frame)
        return _Use(target, op_type, said, takes) if takes and said.at_once is not None else None


def _values_of(names: list[str], frame: Frame) -> tuple[Value, ...] | None:
    """The values of steps; None where one is not simply a step's: one of several, or a name to be computed first."""
    found: list[Value] = []
    for name in names:
        value = value_called(name, frame) if type(name) is str else None
        if value is None:
            return None
        found.append(value)
    return tuple(found)


def _stand_in(plan: _Plan, inputs: tuple[Value, ...], shape: Shape, frame: Frame) -> Node:
    origin = plan.origin if not frame.turns else replace(plan.origin, turns=frame.turns)
    return Node(plan.name, None, inputs, shape, plan.place, origin=origin)


_KEPT_PLANS: Final[dict[int, _Plan]] = {}
"""Those of shipped steps, which stay parsed from one call to the next."""
_UNKNOWN: Final = _Plan(None, "", None, None, None, None, None, None)  # type: ignore[arg-type]
"""Stands for a step that was not met yet."""
