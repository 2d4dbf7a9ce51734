"""The most frequent kind of step, lowered in one go: a use of an op under its own name.

It does what the general way does for such a step, with the same parts, and leaves to that way whatever is unusual. Most steps
of a network are of this kind, and the dozen calls on the general way are most of what they cost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from archbuilder.diagnostics import Place
from archbuilder.graph.graph import Node, plain_node
from archbuilder.graph.op import Op
from archbuilder.graph.ops.activation import DropPath
from archbuilder.lower.application import Application
from archbuilder.lower.arguments import Arguments
from archbuilder.lower.bounds import Bounds
from archbuilder.lower.evaluation import Evaluation
from archbuilder.lower.frame import POISON, Frame
from archbuilder.lower.inputs import inputs_of
from archbuilder.lower.library import is_kept
from archbuilder.lower.naming import Naming
from archbuilder.lower.said import Said
from archbuilder.lower.targets import Targets
from archbuilder.lower.uses import Target
from archbuilder.spec.arithmetic import FormulaError
from archbuilder.spec.formula import Formula
from archbuilder.spec.models import Step


class _Plan(NamedTuple):
    """What a step is a use of. The step is held, so that its identity stays its own; what it says stands here once more,
    since attributes of a model of pydantic's are slow to read."""

    step: Step
    target: Target
    op_type: type[Op]
    said: Said
    when: Any
    from_: list[str] | None
    place: Place | None


@dataclass
class PlainSteps:
    """Lowers plain steps. One for each lowering."""

    targets: Targets
    evaluation: Evaluation
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
            plan = self._plans[id(step)] = _KEPT_PLANS.get(id(step)) or self._plan_of(step, frame)
        builder = frame.builder
        if plan is None or frame.is_special or name in builder.taken or name in builder.containers:
            return False
        if "." in name or "$" in name:
            return False
        if name not in self.naming.checked:
            self.naming.check(name, frame, step.name_place)
        if plan.when is not True and not _holds(plan.when, frame):
            return False
        inputs = (frame.current,) if plan.from_ is None else inputs_of(step, frame, self.evaluation)
        given = self.arguments.at_once(plan.target, plan.said, frame) if POISON not in inputs else None
        if given is None:
            return False
        op, shape = self.application.apply(plan.op_type, given, inputs, step, frame)
        builder.known.add(name)
        if type(op) is DropPath and op.rate == 0:
            node = Node(name, None, inputs, shape, plan.place)
        else:
            builder.taken.add(name)
            node = plain_node(name, op, inputs, shape, plan.place)
        self.bounds.count(frame, step)
        frame.values[name] = frame.current = builder.add(node)
        return True

    def _plan_of(self, step: Step, frame: Frame) -> _Plan | None:
        """What there is to know of a step, if it is a plain one."""
        words = step.loop, step.depth, step.output, step.rename, step.register_, step.names
        if type(step.block) is not str or step.is_broken or step.inline or any(word is not None for word in words):
            return None
        target = self.targets.find(step, frame)
        op_type = target.definition if isinstance(target, Target) else None
        if not isinstance(target, Target) or not isinstance(op_type, type):
            return None
        if op_type.inputs == (0, 0) or op_type.kept is not None or op_type.holds_tensor:
            return None
        said = self.arguments.readings.said_by(target, frame)
        if said.at_once is None:
            return None
        plan = _Plan(step, target, op_type, said, step.when, step.from_, step.place)
        if is_kept(step):  # what a shipped step says is read off its text alone
            _KEPT_PLANS[id(step)] = plan
        return plan


def _holds(when: Any, frame: Frame) -> bool:
    """Whether a step is there for certain. What is wrong with its `when` is found, and reported, on the general way."""
    try:
        return type(when) is Formula and when.evaluate(frame) is True
    except FormulaError:
        return False


_KEPT_PLANS: Final[dict[int, _Plan]] = {}
"""Those of shipped steps, which stay parsed from one call to the next."""
_UNKNOWN: Final = _Plan(None, None, None, None, None, None, None)  # type: ignore[arg-type]
"""Stands for a step that was not met yet."""
