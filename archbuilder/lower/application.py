"""Applies an op to values, and says what is wrong where that cannot be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from archbuilder.diagnostics import Note
from archbuilder.graph.graph import Value
from archbuilder.graph.op import Op, OpError, ShapesDiffer
from archbuilder.graph.shapes import Shape, Streams
from archbuilder.language.models import Step
from archbuilder.lower.arguments import Given
from archbuilder.lower.evaluation import Evaluation, GiveUp
from archbuilder.lower.frame import Frame
from archbuilder.plugin.registry import REGISTRY


@dataclass
class Application:
    """Applies ops. One for each lowering, in which equal ones are made once."""

    evaluation: Evaluation
    _made: dict[Any, tuple[Op, Shape]] = field(default_factory=dict)

    def apply(
        self, op_type: type[Op], given: Given, inputs: tuple[Value, ...], step: Step, frame: Frame
    ) -> tuple[Op, Shape]:
        """The op for these inputs, and the shape of what it gives.

        Raises:
            GiveUp: if it does not fit; the reason is reported.
        """
        shapes = tuple(map(frame.builder.shape_of, inputs))
        self._check_count(op_type, shapes, step, frame)
        try:
            if op_type.name not in REGISTRY.entries:
                return self.made(op_type, given.values, shapes)
            from archbuilder.lower.python import op_of_plugin, probed

            with op_of_plugin(op_type, self.evaluation, frame, step.place):
                return probed(op_type, given.values, shapes)
        except OpError as error:
            _report(error, given, inputs, step, frame, self.evaluation)
            raise GiveUp from None

    def made(self, op_type: type[Op], values: dict[str, Any], shapes: tuple[Shape, ...]) -> tuple[Op, Shape]:
        """The op for these values and inputs, and the shape of what it gives; the same one for equal ones.

        Raises:
            OpError: if it does not fit.
        """
        key = (op_type, *values.values(), shapes)
        known = self._made.get(key)
        if known is None:
            op = op_type.resolve(values, shapes)
            known = self._made[key] = (op, op.infer(shapes))
        return known

    def _check_count(self, op_type: type[Op], shapes: tuple[Shape, ...], step: Step, frame: Frame) -> None:
        count, (least, most) = len(shapes), op_type.inputs
        if op_type.joins:
            listed = isinstance(shapes[0], Streams) if shapes else False
            if not (listed or any(name.endswith("*") for name in step.from_ or ())):
                least = 2
        if count < least or (most is not None and count > most):
            wanted = str(least) if least == most else f"{least} or more"
            message = f"`{op_type.name}` takes {wanted} value{'s' * (wanted != '1')}, got {count}"
            advice = "name them in `from`, as in `from: [left, right]`" if least > 1 else None
            self.evaluation.error(frame, "bad-input", message, step.place_at("from"), advice)
            raise GiveUp


def _report(
    error: OpError, given: Given, inputs: tuple[Value, ...], step: Step, frame: Frame, evaluation: Evaluation
) -> None:
    notes: tuple[Note, ...] = ()
    code, builder = "bad-shape", frame.builder
    if isinstance(error, ShapesDiffer):
        code = "shapes-differ"
        ends = [inputs[number] for number in (error.first, error.second)]
        texts = [f"{builder.shape_of(value)} comes from `{builder.origin_of(value)}`" for value in ends]
        notes = (Note(", ".join(texts)),)
    help = error.help
    several = next((value for value in inputs if isinstance(builder.shape_of(value), Streams)), None)
    if help is not None and several is not None:
        help = help.replace("`from: parts.0`", f"`from: {builder.origin_of(several)}.0`")
    place = step.place
    origin = given.origins.get(error.parameter) if error.parameter is not None else None
    if origin is not None and not origin.source.shipped:
        place = origin
    evaluation.error(frame, code, str(error), place, help, notes)
