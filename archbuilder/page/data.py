"""Picture and facts -> the data of a page, as JSON has it. Whatever occurs often stands in a table, once.

`web/source/network.js` reads this.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, get_args

from archbuilder.analysis.summary import Summary
from archbuilder.analysis.table import field_text
from archbuilder.diagnostics import printable
from archbuilder.draw.drawing import Drawing
from archbuilder.draw.layout.arrange import Plan
from archbuilder.draw.model.figure import Box, EdgeKind, Figure, Role
from archbuilder.draw.scene import Circle, Line, Rectangle
from archbuilder.draw.sheet import described
from archbuilder.graph.graph import Graph
from archbuilder.language.models import Architecture
from archbuilder.lowering.network import Lowered
from archbuilder.page import picture
from archbuilder.page.facts import NodeFacts, Step, Table, Uses, graph_of, is_part, steps_in
from archbuilder.page.picture import SPACING, Card, Drawn, Picture, Written
from archbuilder.page.texts import name_of, shown

Data = dict[str, Any]

ROLES: Final[tuple[Role, ...]] = get_args(Role)
KINDS: Final[tuple[EdgeKind, ...]] = get_args(EdgeKind)


def data_of(architecture: Architecture, lowered: Lowered, summary: Summary, drawn: Picture) -> Data:
    """What a page knows of a network that was lowered and summed up, and of which a picture was made."""
    facts, uses = NodeFacts(), Uses(architecture, lowered)
    tables = _Tables(drawn, facts)
    figures = [tables.figure(each) for each in drawn.drawn]
    for step in steps_in(drawn.root.figure):
        uses.add(step)
    return {
        "name": printable(summary.name) or "network",
        "facts": printable(described(summary)),
        "totals": {
            "parameters": summary.parameters, "macs": summary.macs, "activations": summary.activations,
            "memory": summary.training_memory, "inference": summary.inference_memory, "layers": summary.layers,
            "field": field_text(summary.receptive_field), "bytes": facts.traffic.of_graph(lowered.graph),
        },
        "spacing": list(SPACING),
        "sizes": {
            "frame": picture.FRAME, "head": picture.HEAD, "stack": picture.STACK, "row": picture.ROW, "line": picture.LINE,
            "figure": picture.FIGURE,
        },
        "roles": ROLES, "kinds": KINDS, "strings": tables.strings.items, "plans": tables.plans.items, "figures": figures,
        "thumbnails": tables.thumbnails.items, "shapes": facts.shapes.items, "tensors": facts.tensors.items,
        "records": facts.records.items, **_told(architecture, uses, tables.strings),
    }  # fmt: skip


def _told(architecture: Architecture, uses: Uses, strings: Strings) -> Data:
    """What is told of each step, and the texts of which it speaks."""
    whys = [_why(entry, strings) for entry in uses.whys.items]
    sources = Table()
    own = architecture.place.source if architecture.place is not None else None
    if own is not None:
        sources.add(own)
    places = [(sources.add(source), *rest) for source, *rest in uses.places.items]
    lines: dict[int, list[int]] = {}
    for at, line, *_ in places:
        lines.setdefault(at, []).append(line)
    texts = [
        {"name": name_of(source), "text": shown(source, lines.get(at, ()), whole=source is own)}
        for at, source in enumerate(sources.items)
    ]
    return {
        "fields": [strings.add(each) for each in uses.fields], "kept": uses.kept, "at": uses.places_of, "why": uses.whys_of,
        "places": places, "sources": texts, "whys": whys, "lists": uses.lists.items,
    }  # fmt: skip


def _why(entry: tuple[Any, ...], strings: Strings) -> list[Any]:
    name, value, block, path, candidates, remarks, variables = entry
    told = [(strings.add(text), at, strings.add(whose), won) for text, at, whose, won in candidates]
    remarked = [(strings.add(text), at) for text, at in remarks]
    return [*(strings.add(each) for each in (name, value, block, path)), told, remarked, variables]


class Strings(Table):
    """Texts, as they are shown: what could not be seen is written out."""

    def add(self, item: Any, key: Hashable = None) -> int:
        return super().add(printable(str(item)))


@dataclass
class _Tables:
    """Figures as data, with what they have in common."""

    picture: Picture
    facts: NodeFacts
    strings: Strings = field(default_factory=Strings)
    plans: Table = field(default_factory=Table)
    thumbnails: Table = field(default_factory=Table)

    def figure(self, drawn: Drawn) -> Data:
        figure = drawn.figure
        numbers = {box.id: number for number, box in enumerate(figure.boxes)}
        plan = _plan(drawn.plan, numbers)
        edges = [
            [numbers[edge.source], numbers[edge.target], KINDS.index(edge.kind), -1 if edge.item is None else edge.item]
            for edge in figure.edges
        ]
        boxes = [self._box(box, drawn.cards[box.id], figure) for box in figure.boxes]
        return {"plan": self.plans.add(plan, repr(plan)), "boxes": boxes, "edges": edges}

    def _box(self, box: Box, card: Card, figure: Figure) -> Data:
        """A box: what it is, what is written on it, how large it is, and the records of what it stands for."""
        graph = graph_of(figure)
        found: Data = {"size": list(card.size), "role": ROLES.index(box.role)}
        if box.end:
            return found | {"end": 1} | self._texts({"name": card.name})
        if box.inside is None:
            found["of"] = [self._node(graph, number) for number in box.nodes]
            found |= {"sign": box.sign} if box.sign else {}
            rows = zip(box.bands, card.rows, strict=True) if card.rows else ()
            found["rows"] = [
                [ROLES.index(band.role), *self._text(text), *self._text(shape)] for band, (text, shape) in rows
            ]
        else:
            part = is_part(box, figure)
            step = Step(graph, box.nodes, (), box.id, is_part=part)
            name = self.strings.add(box.id) if part else self._node(graph, box.nodes[0])[1]
            found |= {"of": [[self.facts.of(step), name, 1 if part else graph.nodes[box.nodes[0]].count]]}
            found |= {"inside": self.picture.number(box.inside), "lines": [self._text(line) for line in card.lines]}
            found |= {"count": box.count} if box.count > 1 else {}
            found |= {"part": 1} if part else {}
            found |= {"block": self.strings.add(box.definition)} if box.definition else {}
            found |= self._texts({"name": card.name, "head": card.head, "figure": card.figure})
            found |= {"thumbnail": self._thumbnail(card.small)} if card.small is not None else {}
        return found | ({"training": 1} if box.in_training else {})

    def _node(self, graph: Graph, number: int) -> list[int]:
        """A node's record, its name, and how often it is repeated."""
        node = graph.nodes[number]
        record = self.facts.of(Step(graph, (number,), (), node.name))
        return [record, self.strings.add(node.shown_names()[0]), node.count]

    def _text(self, text: Written) -> list[Any]:
        return [self.strings.add(text.text), text.width]

    def _texts(self, texts: Mapping[str, Written | None]) -> Data:
        return {key: self._text(text) for key, text in texts.items() if text is not None}

    def _thumbnail(self, small: Drawing) -> int:
        shapes: list[list[Any]] = []
        for shape in small.shapes:
            if isinstance(shape, Line):
                points = [round(each, 1) for point in shape.points for each in point]
                shapes.append(["line", shape.dash, round(shape.width, 2), *points])
            elif isinstance(shape, Circle):
                shapes.append(["circle", *(round(each, 1) for each in (shape.x, shape.y, shape.radius))])
            elif isinstance(shape, Rectangle):
                place = (shape.x, shape.y, shape.width, shape.height)
                shapes.append([str(shape.fill), *(round(each, 1) for each in place)])
        made = [round(small.width, 1), round(small.height, 1), shapes]
        return self.thumbnails.add(made, repr(made))


def _plan(plan: Plan, numbers: Mapping[str, int]) -> Data:
    """Where boxes stand and lines run: the column and the lane of each box; how many tracks each corridor has, and how many slots
    each gap; of each line its corners, with the track or the slot on which they lie, whether it enters from the left, and
    else at which of the ports beside each other. None fans out, since streams are not drawn apart.
    """
    grid = plan.grid
    order = sorted(numbers, key=numbers.__getitem__)
    corridors = {corridor: 1 + max(rows.values()) for corridor, rows in plan.tracks.items()}
    gaps = {gap: 1 + max(slots.values()) for gap, slots in plan.slots.items()}
    ways: list[list[Any]] = []
    for way in plan.ways:
        value = (way.edge.source, way.edge.item)
        corners: list[list[Any]] = []
        for x, y in way.corners:
            track = plan.tracks[y][value] if y % 1 else -1
            corners.append([x, y, track, plan.slots.get(int(x // 1), {}).get(way.edge, -1) if x % 1 else -1])
        ways.append([corners, *([] if way.enters_left else plan.ports[way.edge])])
    return {
        "columns": [grid.columns[key] for key in order], "lanes": [grid.lanes[key] for key in order],
        "corridors": sorted(corridors.items()), "gaps": sorted(gaps.items()), "ways": ways,
    }  # fmt: skip
