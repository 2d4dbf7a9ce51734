"""What a class does, step by step: each is planned for all instances at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from archbuilder.graph.answers import Expression
from archbuilder.graph.graph import Graph, Node
from archbuilder.graph.op import Op
from archbuilder.graph.shapes import Streams
from archbuilder.pytorch.constructor import ABSENT, CannotUnify, Constructor
from archbuilder.pytorch.expressions import IDENTITY, unify_expressions, unify_modules
from archbuilder.pytorch.instances import is_chain
from archbuilder.pytorch.members import Member
from archbuilder.pytorch.plans import Body, Reference, Step
from archbuilder.pytorch.views import View
from archbuilder.pytorch.wiring import Wiring, identifier, registration


@dataclass
class Row:
    """Where a step stands in an instance, or in one turn of a loop there: its node, if there is one, and the view that has
    the words for it."""

    member: Member
    view: View
    node: Node | None

    @property
    def is_there(self) -> bool:
        """Whether something is computed there."""
        return self.node is not None and self.node.body is not None

    def made(self) -> Any:
        """What computes it; `ABSENT` where nothing does."""
        return self.member.made(self.node.name, self.view) if self.node is not None and self.is_there else ABSENT


def stands(rows: Sequence[Row]) -> bool:
    """Whether a step is anywhere, if only as what stands in for a module that was taken out."""
    return any(row.is_there or (row.node is not None and row.node.replaced) for row in rows)


def plan_step(
    name: str, rows: Sequence[Row], inputs: tuple[Reference, ...], constructor: Constructor, *, no_module: bool = False
) -> Step:
    """A step of a class. `no_module` says that where it does nothing anywhere, it is no module either.

    Raises:
        CannotUnify: if it differs between the instances in more than values.
    """
    nodes = [row.node for row in rows if row.node is not None]
    present = [row.is_there for row in rows]
    made = [row.made() for row in rows]
    conditions = [tree for row in rows if row.node is not None for tree in row.view.condition(row.node)]
    if any(isinstance(each, Expression) for each in made):
        flag = constructor.flag(present, conditions, identifier(name))
        hint = "" if name.isdigit() else identifier(name)
        several = {isinstance(node.shape, Streams) for node in nodes} == {True, False}
        return Step(name, None, unify_expressions(made, constructor, hint), inputs, flag, at_times_several=several)
    modules = [IDENTITY if each is ABSENT else each for each in made]
    if no_module and all(each == IDENTITY for each in modules):
        return Step(name, None, Expression("{0}"), inputs)
    if len(inputs) > 1 and not all(present):
        raise CannotUnify  # an identity would hand on all inputs
    module = unify_modules(modules, constructor, identifier(name), conditions)
    ops = [node.body for node in nodes if isinstance(node.body, Op)]
    return Step(
        name, module, None, inputs, is_call=any(isinstance(node.body, Graph) for node in nodes),
        is_tensor=any(op.holds_tensor for op in ops), spreads=any(op.spreads for op in ops),
    )  # fmt: skip


def plan_in_turn(members: list[Member], constructor: Constructor) -> Body:
    """What a class does where loops are written out: a step for each name.

    Raises:
        CannotUnify: if the instances differ in more than values.
    """
    first = members[0].graph
    wiring = Wiring(members, constructor)
    steps = []
    for name in wiring.order:
        rows = [Row(member, member.view, member.node(name)) for member in members]
        if stands(rows):
            constructor.choices = [tree for row in rows if row.node for tree in row.view.choices(row.node)]
            step = plan_step(name, rows, wiring.inputs(name), constructor, no_module=wiring.is_alone(name))
            if step.does_nothing:
                wiring.instead[name] = step.inputs[0]
            else:
                steps.append(step)
    idle = {first.nodes[number].name for number in first.training_only}
    steps = [step for step in steps if step.name not in idle] + [
        replace(step, training_only=True) for step in steps if step.name in idle
    ]
    returned = tuple((tap.name, wiring.value([tap.value])) for tap in first.returned)
    outputs = tuple((output.name, wiring.value([output.value]), output.always) for output in first.outputs)
    output = wiring.value([member.graph.output for member in members])
    order = registration(members, [step.name for step in steps if step.made is not None])
    sequential = len(members) == 1 and _is_numbered_chain(first) and not (returned or outputs)
    return Body(tuple(steps), output, order, returned, outputs, sequential)


def _is_numbered_chain(graph: Graph) -> bool:
    """Whether a network is itself a Sequential: numbered children, each fed by the one before."""
    names = [node.name for node in graph.nodes if node.body is not None or node.replaced]
    if names != [str(number) for number in range(len(names))]:
        return False
    return is_chain(Graph(graph.definition, graph.input, graph.nodes, graph.output, listed=True))
