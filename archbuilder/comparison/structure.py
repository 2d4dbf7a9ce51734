"""What tells whether two steps, or two graphs, are the same: numbers, equal for what is equal, found once for each graph.

There are two of them. By what is *exact*, all that a step computes and stores is equal, and what its modules are called. By what
is its *own*, what follows from the values that come in and what a block is called does not count: a block is the same behind
64 channels as behind 128.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import Any, Final, Literal, TypeAlias

from archbuilder.graph.graph import INPUT, Graph, Node, Value, children
from archbuilder.graph.op import Op
from archbuilder.graph.shapes import Shape

How: TypeAlias = Literal["exact", "own"]

WIDTH: Final = "width"


def told(node: Node, op: Op) -> dict[str, Any]:
    """What an op was told, by the names of its parameters, and not what follows from its input."""
    values = vars(op)
    found: dict[str, Any] = {}
    for name in (parameter.name for parameter in op.parameters):
        written = said(node, name)
        value = values[name] if name in values else None if is_expression(written) else written
        found[name] = op.unset.get(name) if value is None else value
    if WIDTH in op.channels_given:
        found[WIDTH] = getattr(node.shape, "channels", None)
    return found


def follows(name: str, value: Any, op: Op, given: Shape) -> bool:
    """Whether a parameter that nobody sets is what it is because of the others, or of what comes in."""
    return name in op.fallbacks and (name != WIDTH or value == getattr(given, "channels", None))


def given_to(graph: Graph, node: Node) -> Shape:
    """The shape of the first value that a step takes."""
    return graph.shape_of(node.inputs[0]) if node.inputs else graph.input


def said(node: Node, name: str) -> Any:
    """What a step says of a parameter as it is written; None if it says nothing."""
    return node.origin.arguments.get(name) if node.origin is not None else None


def is_expression(written: Any) -> bool:
    """Whether what a step says is to be computed."""
    return isinstance(written, str) and "$" in written


def is_there(node: Node) -> bool:
    """Whether a step does something, or keeps the place of what does."""
    return node.body is not None or node.replaced


def is_reordered(graph: Graph) -> bool:
    """Whether `register` puts a graph's children, and with them the keys, into another order than that of first use."""
    return bool(graph.register) and [*children(graph)] != [*children(replace(graph, register=()))]


class Structure:
    """The numbers of graphs and steps."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._graphs: dict[tuple[How, Graph], int] = {}

    def exact(self, graph: Graph, start: int = 0, stop: int | None = None) -> int:
        """The number of some steps of a graph with all that they compute and store."""
        return self._of_steps("exact", graph, start, len(graph.nodes) if stop is None else stop)

    def own(self, graph: Graph, start: int = 0, stop: int | None = None) -> int:
        """The number of some steps of a graph without what follows from what comes in."""
        return self._of_steps("own", graph, start, len(graph.nodes) if stop is None else stop)

    def are_same(self, one: Op | Graph | None, other: Op | Graph | None) -> bool:
        """Whether two steps do exactly the same."""
        if isinstance(one, Graph) and isinstance(other, Graph):
            return self.of_graph("exact", one) == self.of_graph("exact", other)
        return one == other

    def kind(self, graph: Graph, start: int, stop: int) -> Hashable:
        """What steps are, roughly: of one step its op or its block, of repeats that of what is repeated."""
        if stop - start > 1:
            return "steps"
        body = graph.nodes[start].body
        while isinstance(body, Graph) and not body.definition:
            inner = [node for node in body.nodes if is_there(node)]
            if not inner or len({self.kind_of(node.body) for node in inner}) > 1:
                return "steps"
            body = inner[0].body
        return self.kind_of(body)

    @staticmethod
    def kind_of(body: Op | Graph | None) -> Hashable:
        """The op or the block of a step."""
        return body.definition if isinstance(body, Graph) else body and type(body).name

    def _of_steps(self, how: How, graph: Graph, start: int, stop: int) -> int:
        parts = tuple(self._of_node(how, graph, node) for node in graph.nodes[start:stop] if is_there(node))
        return self._number((how, parts))

    def _of_node(self, how: How, graph: Graph, node: Node) -> Hashable:
        if isinstance(node.body, Graph):
            return self.of_graph(how, node.body), node.count
        if node.body is None:
            return None
        if how == "exact":
            return self._number(node.body)
        return self._number((type(node.body), *self._own_values(graph, node, node.body)))

    def _own_values(self, graph: Graph, node: Node, op: Op) -> Iterator[Hashable]:
        for name, value in told(node, op).items():
            derived = said(node, name) is None and follows(name, value, op, given_to(graph, node))
            yield None if derived else (name, _hashable(value))

    def of_graph(self, how: How, graph: Graph) -> int:
        """The number of a whole graph: of what its steps do, what they are called, and which takes what."""
        if (how, graph) not in self._graphs:
            places = {INPUT: INPUT}
            steps: list[Hashable] = []
            for number, node in enumerate(graph.nodes):
                if not is_there(node):
                    places[number] = places.get(node.inputs[0].node, INPUT)
                else:
                    places[number] = len(steps)
                    inputs = tuple(_place(graph.source_of(value), places) for value in node.inputs)
                    steps.append((node.name, node.names, inputs, self._of_node(how, graph, node)))
            end = _place(graph.source_of(graph.output), places)
            called = graph.definition if how == "exact" else ""
            order = tuple(children(graph)) if is_reordered(graph) else ()
            self._graphs[how, graph] = self._number((how, called, graph.listed, tuple(steps), end, order))
        return self._graphs[how, graph]

    def _number(self, what: Hashable) -> int:
        return self._numbers.setdefault(what, len(self._numbers))


def _place(value: Value, places: dict[int, int]) -> tuple[int, int | None]:
    return places.get(value.node, INPUT), value.item


def _hashable(value: Any) -> Hashable:
    return repr(value) if isinstance(value, list | dict | tuple) else value
