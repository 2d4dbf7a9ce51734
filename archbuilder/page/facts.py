"""What a page tells of each step: its figures, its place in the spec, and why its parameters are what they are."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from archbuilder.analysis.cost import Cost, Costs
from archbuilder.analysis.measures import Measures, Where
from archbuilder.analysis.summary import describe
from archbuilder.analysis.table import field_text
from archbuilder.analysis.traffic import Traffic
from archbuilder.diagnostics import Place, SpecError
from archbuilder.draw.model.figure import Box, Figure
from archbuilder.explain.why import Reasons
from archbuilder.explain.words import Candidate, Why, who, written
from archbuilder.graph.graph import Graph, Node
from archbuilder.graph.op import Op
from archbuilder.graph.shapes import Shape
from archbuilder.language.models import Architecture
from archbuilder.lowering.network import Lowered


@dataclass
class Table:
    """Things by their numbers, each once."""

    items: list[Any] = field(default_factory=list)
    known: dict[Hashable, int] = field(default_factory=dict)

    def add(self, item: Any, key: Hashable = None) -> int:
        """The number of a thing; `key` tells it from others, if it does not do so itself."""
        key = item if key is None else key
        if key not in self.known:
            self.known[key] = len(self.items)
            self.items.append(item)
        return self.known[key]


class Step(NamedTuple):
    """What one can look at: a node of a graph, or some that are drawn as one, a part of it. `where` it is in the network, `path`
    that of its module (of a part, what it is called)."""

    graph: Graph
    numbers: tuple[int, ...]
    where: Where
    path: str
    is_part: bool = False

    @property
    def node(self) -> Node | None:
        """The node, if it is one."""
        return None if self.is_part else self.graph.nodes[self.numbers[0]]


def graph_of(figure: Figure) -> Graph:
    """The graph that a figure shows."""
    if figure.graph is None:
        raise AssertionError("a figure of a page shows a graph")
    return figure.graph


def is_part(box: Box, figure: Figure) -> bool:
    """Whether what is in a box are steps of the very graph that the box stands in, which are drawn as one."""
    return box.inside is not None and box.inside.graph is figure.graph


def steps_in(figure: Figure, around: Where = (), prefix: str = "") -> Iterator[Step]:
    """What one can look at in a figure and in its boxes, in the order in which the page counts it."""
    graph = graph_of(figure)
    for box in figure.boxes:
        if box.inside is not None and is_part(box, figure):
            where = (*around, (graph, box.nodes[0], box.nodes[-1] + 1))
            yield Step(graph, box.nodes, where, box.id, is_part=True)
            yield from steps_in(box.inside, around, prefix)
            continue
        for number in box.nodes:
            name = graph.nodes[number].shown_names()[0]
            where = (*around, (graph, number, number + 1))
            yield Step(graph, (number,), where, f"{prefix}{name}")
            if box.inside is not None:
                yield from steps_in(box.inside, where, f"{prefix}{name}.")


# ---- what is told of a node, wherever its graph is called --------------------------------------------------------------


class NodeFacts:
    """What there is to know of nodes, each thing once.

    A record has: what it is, the op's or the block's name, the numbers of the shapes that go in and come out, parameters,
    buffers, MACs, activations, bytes read and written, and the number of what it stores.
    """

    def __init__(self) -> None:
        self.costs, self.traffic = Costs(), Traffic()
        self.records, self.shapes, self.tensors = Table(), Table(), Table()

    def of(self, step: Step) -> int:
        """The number of a step's record."""
        graph, node = step.graph, step.node
        last = graph.nodes[step.numbers[-1]]
        given = dict.fromkeys(
            str(graph.shape_of(value))
            for number in step.numbers
            for value in graph.nodes[number].inputs
            if value.node not in step.numbers
        )
        cost = self._cost(step)
        body = node.body if node is not None else None
        kind = body.definition if isinstance(body, Graph) else body.name if isinstance(body, Op) else ""
        stored = (
            tuple((tensor.name, "×".join(map(str, tensor.shape))) for tensor in body.state())
            if isinstance(body, Op)
            else ()
        )
        label = describe(node._replace(count=1)) if node is not None else ""
        moved = sum(
            self.traffic.of_one(graph, number) * graph.nodes[number].count
            for number in step.numbers
            if number not in graph.training_only
        )
        record = (
            label, kind, self.shapes.add(" + ".join(given)), self._shape(last.shape), *cost, moved, self.tensors.add(stored)
        )  # fmt: skip
        return self.records.add(record)

    def _cost(self, step: Step) -> Cost:
        graph = step.graph
        if step.node is None:
            nodes = tuple(graph.nodes[number] for number in step.numbers)
            return self.costs.of_nodes(nodes)
        only = step.numbers[0] in graph.training_only
        return self.costs.of_one(step.node).times(step.node.count, training_only=only)

    def _shape(self, shape: Shape) -> int:
        return self.shapes.add(str(shape))


# ---- what is told of each step ------------------------------------------------------------------------------------------


class Uses:
    """What differs between steps that are otherwise alike: the receptive field, what training keeps, the place in the spec, and
    why parameters are what they are. Each list has an entry for each step, in their order."""

    def __init__(self, architecture: Architecture, lowered: Lowered) -> None:
        self.reasons = Reasons(architecture, lowered)
        self.measures = Measures(lowered.graph)
        self.fields: list[Any] = []
        self.kept: list[int | None] = []
        self.places_of: list[int] = []
        self.whys_of: list[int] = []
        self.places, self.whys, self.lists = Table(), Table(), Table()

    def add(self, step: Step) -> None:
        """Adds what is told of a step."""
        self.fields.append(field_text(self.measures.field_at(step.where)))
        self.kept.append(self.measures.kept_at(step.where))
        node = step.node
        self.places_of.append(self._place(node.place) if node is not None else self._place(_place_of(step)))
        found: tuple[Why, ...] = ()
        if node is not None:
            with suppress(SpecError):
                found = self.reasons.of_step(step.path)
        self.whys_of.append(self.lists.add([self._why(why) for why in found], tuple(map(self._why, found))))

    def _place(self, place: Place | None) -> int:
        if place is None:
            return -1
        return self.places.add((place.source, place.line, place.column, place.end))

    def _why(self, why: Why) -> int:
        """The number of an explanation: name, value, whose it is, what was written, remarks, the same for its variables."""
        entry = (
            why.name, written(why.value), why.block, why.path if why.candidates and not _is_default(why) else "",
            tuple(map(self._candidate, why.candidates)),
            tuple((remark.text, self._place(remark.place)) for remark in why.remarks),
            tuple(map(self._why, why.variables)),
        )  # fmt: skip
        return self.whys.add(entry)

    def _candidate(self, candidate: Candidate) -> tuple[str, int, str, int]:
        return written(candidate.text), self._place(candidate.place), who(candidate), int(candidate.won)


def _is_default(why: Why) -> bool:
    return why.winner is not None and why.winner.kind == "default"


def _place_of(step: Step) -> Place | None:
    """Where the first of some steps stands."""
    return next((place for number in step.numbers if (place := step.graph.nodes[number].place) is not None), None)
