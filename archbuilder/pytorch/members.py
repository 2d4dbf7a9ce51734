"""One instance of a block while the class of all its instances is planned."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from archbuilder.graph.graph import Graph, Node
from archbuilder.graph.op import Construct, Expression, Op
from archbuilder.pytorch.expressions import IDENTITY, CannotUnify, Chain, Module, Run
from archbuilder.pytorch.instances import Instance, calls, rate_of, works_in_place

CallOf: TypeAlias = Callable[[Instance], Construct | None]
"""The call that makes an instance; None for what needs no class."""


class Member:
    """One instance while its class is planned."""

    def __init__(self, instance: Instance, call_of: CallOf) -> None:
        self.instance = instance
        self.graph = instance.graph
        self.call_of = call_of
        self.numbers: dict[str, int] = {}
        for number, node in enumerate(instance.graph.nodes):
            if node.name not in self.numbers or node.body is not None or node.replaced:
                self.numbers[node.name] = number  # a step that is left out may have another one's name
        self.names = [
            node.name for number, node in enumerate(instance.graph.nodes) if self.numbers[node.name] == number
        ]
        self.called = {id(node): instances for node, instances in calls(instance)}

    def node(self, name: str) -> Node | None:
        number = self.numbers.get(name)
        return None if number is None else self.graph.nodes[number]

    def made(self, name: str) -> Module | Expression:
        """What computes a node of this instance."""
        node = self.graph.nodes[self.numbers[name]]
        body = node.body
        if isinstance(body, Graph):
            return module_of(self.called[id(node)][0], self.call_of)
        if not isinstance(body, Op):
            return IDENTITY
        if body.drops_path and self.instance.rates:
            body = body.at_rate(rate_of(self.instance, node))
        made = body.emit()
        taps = frozenset(self.graph.source_of(tap.value) for tap in self.graph.taps)
        if body.in_place and isinstance(made, Construct):
            in_place = works_in_place(self.graph, node, taps)
            return Construct(made.callee, made.arguments, (*made.keywords, ("inplace", in_place)))
        return made


def module_of(instance: Instance, call_of: CallOf) -> Module:
    """The call of an instance's class, or a Sequential of what is in it.

    Raises:
        CannotUnify: if something in it is no module.
    """
    call = call_of(instance)
    if call is not None:
        return call
    member = Member(instance, call_of)
    runs: list[Run] = []
    names: list[str] = []
    gaps: list[int] = []
    for node in instance.graph.nodes:
        if node.body is None and not node.replaced:
            gaps.append(len(runs) + len(gaps))
            continue
        names += node.all_names()
        if isinstance(node.body, Graph):
            made = [module_of(inner, call_of) for inner in member.called[id(node)]]
            runs += [Run(each, node.count if len(made) == 1 else 1) for each in made]
        else:
            computed = member.made(node.name)
            if isinstance(computed, Expression):
                raise CannotUnify
            runs.append(Run(computed, node.count))
    plain = names == [str(number) for number in range(len(names))]
    return Chain(tuple(runs), () if plain else tuple(names), tuple(gaps))
