"""A whole network as a figure: a card for each stage, in rows of one resolution where there are streams or a decoder; and the
definitions of its blocks, each as often as it is wired in another way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

from archbuilder.analysis.cost import Costs
from archbuilder.analysis.summary import Row, Summary, describe, name_of
from archbuilder.draw.layout.wrap import last_part
from archbuilder.draw.model.figure import TAP, Band, Box, Edge, Figure, Role, every_box
from archbuilder.draw.model.rules import by_rule
from archbuilder.draw.model.streams import is_parted, split_streams
from archbuilder.draw.model.wiring import Known, Wiring, figure_of, size_of, told_of
from archbuilder.draw.model.words import repeats_of, span
from archbuilder.graph.graph import INPUT, Graph, Node, Section, Value
from archbuilder.graph.shapes import Map, Shape, Streams, Tokens

_SECTION_ROLES: Final[dict[str, Role]] = {"stem": "stem", "stages": "stage", "neck": "neck", "head": "head"}


def short(shape: Shape) -> str:
    """A shape in few letters: "64×56²"."""
    if isinstance(shape, Streams):
        return f"{short(shape[0])} + {len(shape) - 1}" if len(shape) > 1 else short(shape[0])
    if isinstance(shape, Map | Tokens):
        size = f"{shape.height}²" if shape.height == shape.width else f"{shape.height}×{shape.width}"
        return f"{shape.channels}×{size}"
    return str(shape)


def network_figure(summary: Summary, *, depth: int = 0, joins_streams: bool = True, in_full: bool = False) -> Figure:
    """The network as cards of its stages, of which those that hold blocks are opened `depth` levels deep. Steps that stand
    inline and make one value of several streams are one card, unless they are opened, or that is not wanted. `in_full`, each
    step that is there can be found in it, a card over several streams is one, and taps are ends."""
    rows = {row.path: row for row in summary.stages}
    wiring = Wiring(summary.graph, Costs(), in_full=in_full)
    return _Cards(wiring, rows, depth, joins_streams and depth == 0 and not in_full).figure()


def one_box(summary: Summary) -> Figure:
    """The network as one box."""
    graph = summary.graph
    inside = network_figure(summary)
    middle = Box(
        "network",
        "stage",
        graph.name or "network",
        (Band(f"{summary.layers} layers", "stage"),),
        inside=inside,
        gives=graph.output_shape,
    )
    ends = Box("input", "input", end=True, gives=graph.input), Box("output", "input", end=True)
    edges = (
        Edge("input", "network", label=short(graph.input)),
        Edge("network", "output", label=short(graph.output_shape)),
    )
    return Figure((ends[0], middle, ends[1]), edges)


def rows_of(figure: Figure) -> dict[str, int] | None:
    """The row of each box, the finest resolution first, where there are streams or maps become larger again; else None."""
    heights: dict[str, int] = {}
    sources: dict[str, list[str]] = {box.id: [] for box in figure.boxes}
    for edge in figure.edges:
        sources[edge.target].append(edge.source)
    grows = any(edge.kind == "exchange" for edge in figure.edges)
    for box in figure.boxes:
        size = size_of(box.gives) if box.gives is not None and not isinstance(box.gives, Streams) else None
        before = [heights[each] for each in sources[box.id]]
        heights[box.id] = size[0] if size is not None else min(before, default=1)
        grows |= size is not None and bool(before) and size[0] > max(before) > 1 and not box.end
        grows |= size is not None and len(set(before)) > 1
    if not grows:
        return None
    first = figure.boxes[0].id
    if [*heights.values()].count(heights[first]) == 1:  # an input alone in its row stands beside what reads it
        heights[first] = min((heights[edge.target] for edge in figure.edges if edge.source == first), default=0)
    order = sorted(set(heights.values()), reverse=True)
    return {key: order.index(height) for key, height in heights.items()}


@dataclass
class _Cards:
    """The cards of a network while they are made."""

    wiring: Wiring
    rows: Mapping[str, Row]
    depth: int
    joins_streams: bool
    streams: dict[str, Node] = field(default_factory=dict)
    taps: dict[str, str] = field(default_factory=dict)
    """The names of the ends where values can be taken out."""

    def figure(self) -> Figure:
        wiring, graph = self.wiring, self.wiring.graph
        name = wiring.free("input")
        wiring.boxes.append(Box(name, "input", "input", (Band(short(graph.input), "input"),), gives=graph.input))
        wiring.sources[Value(INPUT)] = (name, None)
        for section in graph.sections or (Section("stages", 0, len(graph.nodes)),):
            self._section(section)
        wiring.leave("", graph.output)
        for output in graph.outputs:
            wiring.leave(output.name, output.value, in_training=not output.always)
        named = graph.returned or (graph.taps if graph.names_taps else ())
        for tap in named:
            self.taps[wiring.leave(tap.name, tap.value)] = tap.name
        whole = wiring.figure()
        shapes = {box.id: box.gives for box in whole.boxes}
        labelled = [
            edge._replace(label="" if shapes[edge.source] is None else _label(shapes[edge.source], edge.item))
            for edge in whole.edges
        ]
        figure = Figure(whole.boxes, tuple(labelled), graph)
        return figure if wiring.in_full else self._with_taps(split_streams(figure, self.streams))

    def _with_taps(self, figure: Figure) -> Figure:
        """The figure with the names of taps in the boxes that they leave; those of an input or a sum are outputs."""
        leaving: dict[str, list[str]] = {}
        by_id = {box.id: box for box in figure.boxes}
        for edge in figure.edges:
            source = by_id[edge.source]
            if edge.target in self.taps and not source.sign and not source.end:
                leaving.setdefault(edge.source, []).append(edge.target)
        gone = {key for keys in leaving.values() for key in keys}
        boxes = [box for box in figure.boxes if box.id not in gone]
        for number, box in enumerate(boxes):
            if box.id in self.taps:
                boxes[number] = replace(box, name=TAP + box.name)
            elif box.id in leaving:
                boxes[number] = replace(box, taps=tuple(self.taps[key] for key in leaving[box.id]))
        return Figure(tuple(boxes), tuple(edge for edge in figure.edges if edge.target not in gone))

    # ---- sections -----------------------------------------------------------------------------------------------

    def _section(self, section: Section) -> None:
        """Adds a section: as one card, where it is a chain and no row of stages, else as one for each of its steps."""
        role = _SECTION_ROLES.get(section.name, "other")
        if section.name != "stages" and self._is_chain(section):
            self._joint(section.name, section, role)
            return
        for piece in self.wiring.graph.pieces(section):
            if piece.name and self._is_chain(piece):
                self._joint(piece.name, piece, role)
                continue
            for number in range(piece.start, piece.stop):
                self._step(number, role)

    def _present(self, section: Section) -> list[int]:
        nodes = self.wiring.graph.nodes
        return [number for number in range(section.start, section.stop) if nodes[number].body is not None]

    def _is_chain(self, section: Section) -> bool:
        """Whether one value goes into some steps, and one comes out."""
        graph, inside = self.wiring.graph, range(section.start, section.stop)
        numbers = self._present(section)
        if not numbers or any(number in graph.training_only for number in numbers):
            return False
        outside = {
            graph.source_of(value) for number in numbers for value in graph.nodes[number].inputs
        } - {Value(number) for number in inside}  # fmt: skip
        given = [graph.output, *(output.value for output in graph.outputs)]
        read = [
            v for n, node in enumerate(graph.nodes) if n not in inside and node.body is not None for v in node.inputs
        ]
        leaving = {graph.source_of(value).node for value in (*read, *given)} & set(inside)
        entering = {value.node if self.joins_streams else value for value in outside if value.node not in inside}
        return len(entering) <= 1 and leaving <= {numbers[-1]}

    def _joint(self, name: str, section: Section, role: Role) -> None:
        """Adds some steps as one card."""
        wiring, graph, numbers = self.wiring, self.wiring.graph, self._present(section)
        taken = (graph.source_of(value) for number in numbers for value in graph.nodes[number].inputs)
        outside = dict.fromkeys(value for value in taken if value.node not in numbers)
        several = len(outside) > 1
        inner = Wiring(
            graph,
            wiring.costs,
            self.depth,
            any_use=several,
            known={} if several else wiring.known,
            in_full=wiring.in_full,
        )
        inner.enter(outside)
        for number in numbers:
            inner.add(number)
        inner.leave("", Value(numbers[-1]))
        row = self.rows.get(name)
        told = row.label.split(", ") if row is not None and row.label else [describe(graph.nodes[n]) for n in numbers]
        layers = sum(wiring.costs.layers.of_node(graph.nodes[number]) for number in numbers)
        inside = by_rule(inner.figure(), any_use=True) if several else inner.figure()
        box = replace(self._card(name, role, told, inside), gives=graph.nodes[numbers[-1]].shape, layers=layers)
        box = replace(box, nodes=tuple(numbers))
        if several:  # beneath, it is told how it is wired
            box = replace(box, definition=name)
        wiring.boxes.append(box)
        wiring.join(box.id, outside)
        for number in numbers:
            wiring.sources[Value(number)] = (box.id, None)

    def _step(self, number: int, role: Role) -> None:
        """Adds one step: a block as a card, a layer as such."""
        wiring, node = self.wiring, self.wiring.graph.nodes[number]
        if not isinstance(node.body, Graph):
            wiring.add(number)
            return
        body = node.body
        kind = (name_of(body) if node.count == 1 else describe(node)).removesuffix(" ×1")
        inside = figure_of(body, wiring.costs, depth=max(self.depth - 1, 0), known=wiring.known, in_full=wiring.in_full)
        lines = [kind, *told_of(node, body), *_growth(body)]
        box = replace(
            self._card(span(node), role, lines, inside), count=repeats_of(node), gives=node.shape,
            definition=body.definition, layers=wiring.costs.layers.of_node(node),
            in_training=number in wiring.graph.training_only,
        )  # fmt: skip
        wiring.put(number, box)
        if isinstance(node.shape, Streams):
            self.streams[box.id] = node

    def _card(self, name: str, role: Role, lines: Sequence[str], inside: Figure) -> Box:
        bands = tuple(Band(line, role) for line in lines)
        return Box(self.wiring.free(name), role, last_part(name), bands, inside=inside, is_open=self.depth > 0)


def _growth(body: Graph) -> Iterator[str]:
    """How many channels each block of a row adds to those that it gets, if each adds as many."""
    values = [body.input, *(node.shape for node in body.nodes)]
    widths = [each.channels for each in values if isinstance(each, Map | Tokens)]
    added = {after - before for before, after in pairwise(widths)}
    if body.listed and len(widths) == len(values) > 2 and len(added) == 1 and min(added) > 0:
        yield f"+{added.pop()} each"


def _label(shape: Shape | None, item: int | None) -> str:
    if isinstance(shape, Streams) and item is not None:
        shape = shape[item]
    return "" if shape is None else short(shape)


# ---- definitions ----------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Definition:
    """A block as it is wired in some of its uses. `figure` shows it, `stages` are where it is used, `number` tells it from other
    wirings of the block."""

    name: str
    number: int
    figure: Figure
    stages: list[str]
    places: set[str] = field(default_factory=set)
    """Whether its uses stand first or later in a row of blocks, or alone."""

    @property
    def key(self) -> str:
        """What it is called among all wirings of all blocks."""
        return f"{self.name}#{self.number}"

    @property
    def strides_differ(self) -> bool:
        """Whether a stride depends on the use."""
        return any("/s" in band.text for box in every_box(self.figure.boxes) for band in box.bands)

    def where(self) -> str:
        """Where it is used: "first in layer1, layer2"."""
        stages = self.stages
        if not stages:
            return ""
        word = f"{next(iter(self.places))} " if len(self.places) == 1 and "" not in self.places else ""
        return f"{word}in " + (", ".join(stages) if len(stages) <= 4 else f"{stages[0]}, {stages[1]} … {stages[-1]}")

    def title(self) -> str:
        """Its name, and where it is used."""
        return ", ".join(filter(None, (self.name, self.where())))


def definitions_of(graph: Graph, costs: Costs) -> list[Definition]:
    """The definitions that a network uses, in the order of their first use; each once for each way in which it is wired."""
    found: dict[tuple[str, object], Definition] = {}
    known: dict[Graph, tuple[Figure, Figure]] = {}
    made: Known = {}

    def count(name: str) -> int:
        return sum(definition == name for definition, _ in found)

    def visit(body: Graph, stage: str, place: str, seen: set[tuple[Graph, str]]) -> None:
        if (body, place) in seen:
            return
        seen.add((body, place))
        if body.definition:
            if body not in known:
                known[body] = figure_of(body, costs, known=made), figure_of(body, costs, any_use=True, known=made)
            plain, general = known[body]
            new = Definition(body.definition, count(body.definition), plain, [])
            definition = found.setdefault((body.definition, general.wiring()), new)
            if stage not in definition.stages:
                definition.stages.append(stage)
            definition.places.add(place)
            if definition.figure.wiring() != plain.wiring():
                definition.figure = _general(definition.figure, plain, general)
        kinds = {node.body.definition if isinstance(node.body, Graph) else "" for node in body.nodes}
        row = body.listed and len(body.nodes) > 1 and not body.definition and len(kinds) == 1
        for number, node in enumerate(body.nodes):
            if isinstance(node.body, Graph):
                visit(node.body, stage, ("later" if number else "first") if row else "", seen)

    for node in graph.nodes:
        if isinstance(node.body, Graph):
            visit(node.body, span(node), "", set())
    return list(found.values())


def definitions_beneath(figure: Figure, graph: Graph) -> list[Definition]:
    """The definitions that a network's figure leaves to be told: not of blocks that it shows stream by stream, but also of cards
    of several steps over streams."""
    shown = {span(node) for node in graph.nodes if is_parted(node)}
    names = {node.body.definition for node in graph.nodes if isinstance(node.body, Graph) and span(node) in shown}
    every = definitions_of(graph, Costs())
    found = [each for each in every if each.name not in names or not {*each.stages} <= shown]
    cards = [box for box in figure.boxes if box.definition and all(box.definition != each.name for each in every)]
    return [*found, *(Definition(box.name, 0, box.inside, []) for box in cards if box.inside is not None)]


def _general(one: Figure, two: Figure, general: Figure) -> Figure:
    """The figure of two uses of a block: what they have in common, and where they differ, the words that hold for any."""
    boxes: list[Box] = []
    if not [box.id for box in one.boxes] == [box.id for box in two.boxes] == [box.id for box in general.boxes]:
        return one
    for first, second, third in zip(one.boxes, two.boxes, general.boxes, strict=True):
        bands = zip(first.bands, second.bands, third.bands, strict=True)
        inside = first.inside
        if first.is_open and first.inside and second.inside and third.inside:
            inside = _general(first.inside, second.inside, third.inside)
        boxes.append(replace(first, bands=tuple(a if a == b else other for a, b, other in bands), inside=inside))
    return Figure(tuple(boxes), one.edges)
