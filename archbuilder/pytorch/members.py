"""One instance of a block while the class of all its instances is planned."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from archbuilder.graph.answers import Construct, Expression
from archbuilder.graph.graph import Graph, Node
from archbuilder.graph.in_place import works_in_place
from archbuilder.graph.op import Op
from archbuilder.graph.shapes import Streams
from archbuilder.pytorch.constructor import CannotUnify
from archbuilder.pytorch.expressions import IDENTITY, Chain, Module, Run
from archbuilder.pytorch.formulas import BLOCK_CHANNELS, IN_CHANNELS, Tree
from archbuilder.pytorch.instances import Instance, calls, rate_of
from archbuilder.pytorch.views import Given, View

Sources: TypeAlias = dict[str, str | None]
"""By argument of a class: what the spec calls it."""
CallOf: TypeAlias = Callable[[Instance], tuple[Construct, Sources] | None]
"""The call that makes an instance, and what its arguments are in the spec; None for what needs no class."""


class Member:
    """One instance while its class is planned."""

    def __init__(self, instance: Instance, view: View, call_of: CallOf) -> None:
        self.instance = instance
        self.graph = instance.graph
        self.view = view
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
        """The node of this instance that is called so."""
        number = self.numbers.get(name)
        return None if number is None else self.graph.nodes[number]

    def made(self, name: str, view: View) -> Module | Expression:
        """What computes a node of this instance, in the words of a view of it: its own, or that of a turn of a loop."""
        node = self.graph.nodes[self.numbers[name]]
        body = node.body
        if isinstance(body, Graph):
            return self.module_of(node, self.called[id(node)][0], view)
        if not isinstance(body, Op):
            return IDENTITY
        if body.drops_path and self.instance.rates:
            body = body.at_rate(rate_of(self.instance, node))
        made = view.made(node, body.emit())
        if body.in_place and isinstance(made, Construct):
            in_place = works_in_place(self.graph, node)
            return Construct(made.callee, made.arguments, (*made.keywords, ("inplace", in_place)), made.sources)
        return made

    def module_of(self, node: Node, instance: Instance, view: View) -> Module:
        """The call of the class of a graph that a node calls, or a Sequential of what is in it.

        Raises:
            CannotUnify: if something in it is no module.
        """
        inner = view.inner(node, instance.graph)
        call = self.call_of(instance)
        if call is None:
            return Member(instance, inner, self.call_of).chain()
        made, sources = call
        keywords = tuple((key, _given(inner, sources.get(key), value)) for key, value in made.keywords)
        return Construct(made.callee, made.arguments, keywords)

    def chain(self) -> Chain:
        """The instance as a Sequential.

        Raises:
            CannotUnify: if something in it is no module.
        """
        places: list[Run] = []
        names: list[str] = []
        for node in self.graph.nodes:
            conditions = tuple(self.view.condition(node))
            if node.body is None and not node.replaced:
                places.append(Run(IDENTITY, conditions=conditions, is_left_out=True))
                continue
            names += node.all_names()
            if isinstance(node.body, Graph):
                made = [self.module_of(node, inner, self.view) for inner in self.called[id(node)]]
            else:
                computed = self.made(node.name, self.view)
                if isinstance(computed, Expression):
                    raise CannotUnify
                made = [computed]
            count = self._count(node) if len(made) == 1 else 1
            places += [Run(each, count, conditions=conditions) for each in made]
        plain = names == [str(number) for number in range(len(names))]
        streams = isinstance(self.graph.input, Streams) and isinstance(self.graph.output_shape, Streams)
        return Chain(tuple(places), () if plain else tuple(names), streams)

    def _count(self, node: Node) -> int | Given:
        """How many repeats a node of a Sequential stands for."""
        depth = node.origin.depth if node.origin is not None and node.origin.own else None
        if depth is None or len(self.graph.nodes) > 2:
            return node.count
        return Given(node.count, lambda: [tree] if (tree := self.view.tree(node, depth)) is not None else [])


def _given(view: View, source: str | None, value: object) -> object:
    """An argument of an inner class, and what it follows from."""

    def trees() -> list[Tree]:
        if source is None:
            return []
        found = {IN_CHANNELS: view.channels, BLOCK_CHANNELS: view.block_channels}
        tree = found[source] if source in found else view.names(source)
        return [tree] if tree is not None else []

    return Given(value, trees)
