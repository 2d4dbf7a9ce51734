"""What a network's output stride makes of the uses in its stages: strides beyond it become dilation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archbuilder.graph.graph import Graph, Node, Value, reduction_of
from archbuilder.graph.shapes import Map
from archbuilder.lower.evaluation import Evaluation, GiveUp
from archbuilder.lower.frame import POISON, Frame
from archbuilder.lower.library import parameters_of
from archbuilder.lower.rules import StrideRule
from archbuilder.lower.uses import Target
from archbuilder.parameters import Parameter


@dataclass
class Restride:
    """Says what one use is given instead of its own stride and dilation.

    Afterwards `turned` says whether its stride was beyond the output stride, and `dilation` what was wanted of it.
    """

    rule: StrideRule
    reduction: int | None
    """Of what goes in; None for the later repeats, which have no stride."""
    parameters: Mapping[str, Parameter]
    turned: bool = False
    dilation: int | tuple[int, int] = 1

    def __call__(self, stride: Any) -> dict[str, Any]:
        """What a use with this stride is given."""
        reduction, rule = self.reduction, self.rule
        changes = rule.apply_again() if reduction is None else rule.apply(stride, reduction)
        self.turned = "stride" in changes
        self.dilation = changes.get("dilation", 1)
        return {key: value for key, value in changes.items() if key in self.parameters}

    @property
    def leaves_out(self) -> bool:
        """Whether nothing remains of the use: a pool strides, and does nothing else (arXiv:1511.07122, section 4)."""
        return self.turned and "dilation" not in self.parameters


def restride_of(target: Target, frame: Frame, inputs: tuple[Value, ...], number: int) -> Restride | None:
    """What the network's output stride, if it states one here, makes of repeat `number` of a use of these values."""
    rules = frame.rules
    if rules is None or rules.stride is None or not inputs or POISON in inputs:
        return None
    if not isinstance(frame.builder.shape_of(inputs[0]), Map) or not isinstance(rules.whole, Map):
        return None
    reduction = rules.above * reduction_of(inputs[0], frame.builder.nodes, frame.builder.input) if number == 0 else None
    return Restride(rules.stride, reduction, parameters_of(target.definition))


def check_dilation(
    target: Target, nodes: Sequence[Node], restride: Restride, frame: Frame, evaluation: Evaluation
) -> None:
    """A use that the output stride dilates must be able to, and say nothing of it itself.

    Args:
        target: what it is a use of.
        nodes: what became of it.
        restride: what it was given.
        frame: the body that it stands in.
        evaluation: is told what is wrong.

    Raises:
        GiveUp: if something is wrong.
    """
    if restride.dilation == 1:
        return
    use = target.uses[0][0]
    if "dilation" in use.arguments:
        message = "`dilation` has no effect beside `output_stride`, which sets it here"
        evaluation.error(frame, "no-effect", message, use.place_of_key("dilation"), "remove one of them")
        raise GiveUp
    if "dilation" not in restride.parameters and _slides(nodes):
        message = f"`output_stride` needs blocks that dilate; `{target.name}` has no parameter `dilation`"
        evaluation.error(frame, "bad-output-stride", message, use.place)
        raise GiveUp


def _slides(nodes: Sequence[Node]) -> bool:
    """Whether a convolution among them, or inside, sees more than one pixel."""
    bodies = [node.body for node in nodes if node.body is not None]
    return any(
        _slides(body.nodes)
        if isinstance(body, Graph)
        else body.role == "convolution" and body.window is not None and max(body.window.kernel) > 1
        for body in bodies
    )
