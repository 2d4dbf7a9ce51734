"""The facts of a network: totals, and a row for each stage, block and layer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

from archbuilder.analysis.cost import Costs
from archbuilder.graph.bounds import MAXIMUM_WRITTEN, refuse_to_build, refuse_too_many, steps_in
from archbuilder.graph.graph import INPUT, Graph, Node, Section, Value
from archbuilder.graph.op import Op
from archbuilder.graph.shapes import Held, Shape, Streams, in_parts

if TYPE_CHECKING:
    from archbuilder.analysis.measures import Measures, Where
    from archbuilder.analysis.receptive import Field

Depth = Literal["stage", "block", "layer"]
"""How far a summary or a drawing goes into a network."""

DEPTHS: tuple[Depth, ...] = ("stage", "block", "layer")


class Measured:
    """What is measured of a network: nothing, before it is asked for."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    @cached_property
    def measures(self) -> Measures:
        """Its memory and its receptive fields."""
        from archbuilder.analysis.measures import Measures  # here: `check` needs none of it

        return Measures(self.graph)


class Spot(NamedTuple):
    """Where in a network a row is, so that it can be measured."""

    network: Measured
    where: Where


@dataclass(frozen=True)
class Row:
    """One line of a summary. Counts are those of all `count` repeats together, for one image, so that the rows of one
    depth add up to the total.

    `level` is 0 for a stage, 1 for a block, 2 and more for what is inside; `path` the module's name ("layer1.0"),
    `inner_width` the narrowest width inside a block, where it has convolutions.
    """

    path: str
    level: int
    label: str
    count: int
    input_shape: Shape
    output_shape: Shape
    parameters: int
    buffers: int
    macs: int | None
    activations: int | None
    inner_width: int | None = None
    _spot: Spot | None = field(default=None, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2] if self.level else self.path

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The steps that it stands for: those of a section, or one."""
        if self._spot is None:
            return ()
        graph, start, stop = self._spot.where[-1]
        return graph.nodes[start:stop]

    @property
    def receptive_field(self) -> Field:
        """Of how many of the input's pixels, along each axis, one of its output comes: a number, height and width where they
        differ, or "all"; None where that is not known."""
        return self._spot.network.measures.field_at(self._spot.where) if self._spot else None

    @property
    def training_memory(self) -> int | None:
        """The bytes that training keeps here for the gradient of one image, as 32-bit numbers; None where that is not known.
        What several rows need is counted in the first."""
        return self._spot.network.measures.kept_at(self._spot.where) if self._spot else None


@dataclass(frozen=True, repr=False)
class Facts:
    """What a `Summary` says, before it is shown."""

    name: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    layers: int
    parameters: int
    buffers: int
    macs: int | None
    activations: int | None
    stages: tuple[Row, ...]
    graph: Graph
    _measured: Measured = field(repr=False, compare=False)

    @property
    def inference_memory(self) -> int | None:
        """The bytes of all values that are there at once at most, for one image as 32-bit numbers; the parameters are not among
        them."""
        return self._measured.measures.inference_memory

    @property
    def training_memory(self) -> int | None:
        """The bytes that training keeps for the gradient, for one image as 32-bit numbers; parameters are not among them."""
        return self._measured.measures.training_memory

    @property
    def receptive_field(self) -> Field:
        """Of how many of the input's pixels, along each axis, one of those comes that go into the head: a number, height and
        width where they differ, or "all"."""
        return self._measured.measures.receptive_field

    def rows(self, depth: Depth = "stage") -> tuple[Row, ...]:
        """A row for each stage; with `depth` "block" also for each block, with "layer" for each layer.

        Raises:
            TooManyStepsError: if there are too many.
            ValueError: for another depth.
        """
        if depth not in DEPTHS:
            raise ValueError(f"unknown depth {depth!r}: expected one of {', '.join(DEPTHS)}")
        if depth == "stage":
            return self.stages
        count = steps_in(self.graph) if depth == "layer" else sum(map(_steps_inside, self.graph.nodes))
        refuse_too_many(count, "shown")
        return tuple(Rows(Costs(), self._measured).all(self.graph, depth))

    @cached_property
    def uncounted(self) -> tuple[str, ...]:
        """The ops that do not say their MACs, so that those of the network are not known."""
        if self.macs is not None:
            return ()
        return tuple(dict.fromkeys(op.name for _, node, op in self.graph.ops() if op.macs(node.shape) is None))

    @property
    def unmeasured(self) -> tuple[str, ...]:
        """The ops that do not say what they have in memory, so that it is not known of the network."""
        return self._measured.measures.unsaid

    @property
    def deepest(self) -> Depth:
        """How far rows and drawings of it can go in: to the layers, unless these are too many."""
        return "layer" if steps_in(self.graph) <= MAXIMUM_WRITTEN else "block"

    @cached_property
    def state(self) -> dict[str, tuple[int, ...]]:
        """Every key of the `state_dict` and its shape, in order.

        Raises:
            TooManyStepsError: if there are too many.
        """
        refuse_to_build(self.graph)
        return {key: tensor.shape for key, tensor in self.graph.state()}


def unsaid(ops: Iterable[str]) -> str:
    """Why something of a network is not known: these ops do not say it."""
    names = [f"`{name}`" for name in ops]
    return f"{', '.join(names)} {'does not say its own' if len(names) == 1 else 'do not say theirs'}"


def _steps_inside(node: Node) -> int:
    """How many rows a node gets at depth "block"."""
    return 1 + (len(node.body.nodes) if isinstance(node.body, Graph) else 0)


class Rows:
    """Makes the rows of a network."""

    def __init__(self, costs: Costs, measured: Measured) -> None:
        self.costs = costs
        self.measured = measured
        self.known_widths: dict[Graph, int | None] = {}

    def all(self, graph: Graph, depth: Depth) -> Iterator[Row]:
        limit = DEPTHS.index(depth) if depth != "layer" else 100
        for section in graph.sections:
            if section.name != "stages":
                yield from self.of_section(graph, section, limit)
                continue
            for piece in graph.pieces(section):
                if piece.name:
                    yield from self.of_section(graph, piece, limit)
                else:
                    yield from self.of_node(graph, piece.start, "", 0, limit, 1, ())

    def of_section(self, graph: Graph, section: Section, limit: int) -> Iterator[Row]:
        """The row of a section, and of its steps."""
        numbers = range(section.start, section.stop)
        if not numbers:
            return
        nodes = graph.nodes[section.start : section.stop]
        training_only = frozenset(number - section.start for number in graph.training_only if number in numbers)
        outside = (value for node in nodes for value in node.inputs if value.node not in numbers)
        cost = self.costs.of_nodes(nodes, training_only)
        spot = Spot(self.measured, ((graph, section.start, section.stop),))
        yield Row(section.name, 0, joint_label(nodes), 1, _given(graph, outside), nodes[-1].shape, *cost, _spot=spot)
        if limit > 0:
            for number in numbers:
                yield from self.of_node(graph, number, "", 1, limit, 1, ())

    def of_node(
        self, graph: Graph, number: int, prefix: str, level: int, limit: int, times: int, around: Where
    ) -> Iterator[Row]:
        """The row of a node and, down to `limit`, of what is inside; all of it is there `times` times. `around` are the nodes
        that it is inside of."""
        node = graph.nodes[number]
        if node.body is None:
            return
        times *= node.count
        only_in_training = number in graph.training_only
        cost = self.costs.of_one(node).times(times, training_only=only_in_training)
        before = _given(graph, node.inputs) if node.inputs else node.shape
        names = node.shown_names()
        name = names[0] if len(names) == 1 else f"{names[0]}–{names[-1]}"
        where = (*around, (graph, number, number + 1))
        spot, inner_width = Spot(self.measured, where), self.inner_width(node)
        yield Row(prefix + name, level, describe(node), times, before, node.shape, *cost, inner_width, spot)
        if isinstance(node.body, Graph) and level < limit:
            for inner in range(len(node.body.nodes)):
                for row in self.of_node(node.body, inner, f"{prefix}{name}.", level + 1, limit, times, where):
                    yield replace(row, macs=0, activations=0) if only_in_training else row

    def inner_width(self, node: Node) -> int | None:
        graph = node.body
        if not isinstance(graph, Graph):
            return None
        if graph.listed and graph.nodes and isinstance(graph.nodes[0].body, Graph):
            return self.inner_width(graph.nodes[0])
        inner = graph.bindings.get("inner")
        return inner if isinstance(inner, int) else self.narrowest(graph)

    def narrowest(self, graph: Graph) -> int | None:
        """The smallest width of the weighted layers on the main path, if there are some."""
        if graph not in self.known_widths:
            self.known_widths[graph] = min(self.widths(graph), default=None)
        return self.known_widths[graph]

    def widths(self, graph: Graph) -> Iterator[int]:
        """The widths of the weighted layers on the main path, of those inside a block the smallest."""
        for node in (graph.nodes[value.node] for value in graph.main_path() if value.node != INPUT):
            if isinstance(node.body, Graph):
                inner = self.narrowest(node.body)
                yield from () if inner is None else (inner,)
            elif node.body is not None and node.body.role in ("convolution", "linear"):
                yield from (part.channels for part in in_parts(node.shape) if not isinstance(part, Streams))


def rows_inside(around: Where) -> tuple[Row, ...]:
    """A row for each step in a step, as it is in one of its repeats: `around` leads there, from the network inwards."""
    rows, (graph, number, _) = Rows(Costs(), Measured(around[0][0])), around[-1]
    body = graph.nodes[number].body
    inner = range(len(body.nodes)) if isinstance(body, Graph) else ()
    found = [row for at in inner if isinstance(body, Graph) for row in rows.of_node(body, at, "", 0, 0, 1, around)]
    if any(at in outer.training_only for outer, at, _ in around):
        found = [replace(row, macs=0, activations=0) for row in found]
    return tuple(found)


def _given(graph: Graph, values: Iterable[Value]) -> Shape:
    """The shapes of the values that go in, each once; what the network holds itself is none of them."""
    distinct = dict.fromkeys(graph.source_of(value) for value in values)
    shapes = [graph.shape_of(value) for value in distinct]
    shapes = [shape for shape in shapes if not isinstance(shape, Held)] or shapes
    if not shapes:
        return graph.input
    return shapes[0] if len(shapes) == 1 else Streams(part for shape in shapes for part in in_parts(shape))


_LABELS = 4


def joint_label(nodes: tuple[Node, ...]) -> str:
    """What stands in a section, in a few words; equal steps once."""
    labels = [describe(node) for node in nodes if node.body is not None and _is_telling(node)]
    distinct = list(dict.fromkeys(labels))
    counted = [f"{label} (×{labels.count(label)})" if labels.count(label) > 1 else label for label in distinct]
    return ", ".join(counted[:_LABELS]) + (" ..." if len(counted) > _LABELS else "")


def _is_telling(node: Node) -> bool:
    """Whether a node says something about a section; norms and activations go without saying."""
    return isinstance(node.body, Graph) or (node.body is not None and node.body.telling)


def describe(node: Node) -> str:
    """What a node is, in a few words: "bottleneck ×3", "conv 7×7/2"."""
    body = node.body
    if body is None:
        return "identity"
    if isinstance(body, Op):
        return body.label()
    times = f" ×{node.count}" if node.count > 1 else ""
    return f"{name_of(body)}{times}"


def name_of(graph: Graph) -> str:
    """What a graph is called: its block's name, or that of the blocks that it repeats."""
    if graph.definition:
        return graph.definition
    telling = [node for node in graph.nodes if node.body is not None]
    kinds = {name_of(node.body) if isinstance(node.body, Graph) else node.body.label() for node in telling if node.body}
    if len(kinds) == 1:
        count = sum(node.count for node in telling)
        return f"{next(iter(kinds))} ×{count}" if count > 1 or graph.listed else next(iter(kinds))
    return ", ".join(describe(node) for node in telling if _is_telling(node)) or "steps"
