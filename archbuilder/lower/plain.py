"""The most frequent kind of step, lowered in one go: a use of an op that is always there and takes the value before it.

It does what the general way does for such a step, with the same parts, and leaves to that way whatever is unusual. Most steps
of a network are of this kind, and the dozen calls on the general way are most of what they cost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from archbuilder.graph.graph import plain_node
from archbuilder.graph.op import Op
from archbuilder.graph.ops.activation import DropPath
from archbuilder.lower.application import Application
from archbuilder.lower.arguments import Arguments
from archbuilder.lower.bounds import Bounds
from archbuilder.lower.frame import POISON, Frame
from archbuilder.lower.naming import Naming
from archbuilder.lower.said import Said
from archbuilder.lower.targets import Targets
from archbuilder.lower.uses import Target
from archbuilder.spec.models import Step


class _Plan(NamedTuple):
    """What a step is a use of. The step is held, so that its identity stays its own."""

    step: Step
    target: Target
    op_type: type[Op]
    said: Said


@dataclass
class PlainSteps:
    """Lowers plain steps. One for each lowering."""

    targets: Targets
    arguments: Arguments
    application: Application
    naming: Naming
    bounds: Bounds
    _plans: dict[int, _Plan | None] = field(default_factory=dict)

    def lower(self, name: str, step: Step, frame: Frame) -> bool:
        """Lowers a step; whether it did: the general way is for those that it leaves.

        Raises:
            GiveUp: if something in the step is wrong; that is reported.
        """
        plan = self._plans.get(id(step), _UNKNOWN)
        if plan is _UNKNOWN:
            plan = self._plans[id(step)] = self._plan_of(step, frame)
        builder, current = frame.builder, frame.current
        if plan is None or frame.is_special or current == POISON or current.item is not None:
            return False
        if name in builder.taken or name in builder.containers or name not in self.naming.checked or "." in name:
            return False
        given = self.arguments.at_once(plan.target, plan.said, frame)
        if given is None:
            return False
        op, shape = self.application.apply(plan.op_type, given, (current,), step, frame)
        builder.known.add(name)
        builder.taken.add(name)
        self.bounds.count(frame, step)
        frame.values[name] = frame.current = builder.add(plain_node(name, op, (current,), shape, step.place))
        return True

    def _plan_of(self, step: Step, frame: Frame) -> _Plan | None:
        """What there is to know of a step, if it is a plain one."""
        words = step.from_, step.depth, step.output, step.rename, step.register_, step.names, step.else_
        if type(step.block) is not str or step.is_broken or step.when is not True or step.inline or any(words):
            return None
        target = self.targets.find(step, frame)
        op_type = target.definition if isinstance(target, Target) else None
        if not isinstance(target, Target) or not isinstance(op_type, type) or op_type is DropPath:
            return None
        if op_type.inputs != (1, 1) or op_type.kept is not None or op_type.holds_tensor:
            return None
        said = self.arguments.readings.said_by(target, frame)
        return _Plan(step, target, op_type, said) if said.at_once is not None else None


_UNKNOWN: Final = _Plan(None, None, None, None)  # type: ignore[arg-type]
"""Stands for a step that was not met yet."""
