"""Picture -> DOT.

Plain boxes run in rows that turn like a snake. Groups, and many boxes with branches, stand in columns, left to right, each
read from top to bottom.
What comes from a spec is escaped in `labels`, or becomes a node's name in `_Writer.name`.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import graphviz

from archbuilder.draw import labels
from archbuilder.draw.pages import LONGEST_ROW, in_columns, in_runs, place_in_rows, row_length
from archbuilder.draw.picture import Box, Edge, Group, Item, Picture, frames_of, parts_of
from archbuilder.draw.style import CARDS, EDGES, FONT, FRAMES, LABEL_INK, OTHER_FRAME, PAINTS

_STRAIGHT: Final = "1000"
"""The weight of an edge that shall run straight, where shortcuts pull its ends aside."""


def to_dot(picture: Picture) -> str:
    """The picture as DOT text."""
    writer = _Writer(picture)
    boxes = [item for item in picture.items if isinstance(item, Box)]
    is_chain = len(in_runs(picture)) == len(boxes)
    if len(boxes) == len(picture.items) and (is_chain or len(boxes) <= LONGEST_ROW):
        writer.rows(boxes, is_chain=is_chain)
    else:
        writer.columns()
    return str(writer.graph.source)


@dataclass
class _Writer:
    picture: Picture
    names: dict[str, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    texts: dict[str, list[Edge]] = field(default_factory=dict)
    """The edges of which the label is a node, by the innermost group that both their ends are in."""

    def __post_init__(self) -> None:
        self.frames = frames_of(self.picture.items)
        self.around = {edge.source for edge in self.picture.edges if edge.kind != "main"}
        page = {"label": labels.title(self.picture), "labelloc": "t", "labeljust": "l", "fontname": FONT}
        page |= {"bgcolor": "white", "pad": "0.3", "charset": "UTF-8"}
        self.graph = graphviz.Digraph(self.name(self.picture.name), graph_attr=page)
        self.graph.attr("node", shape="plain", fontname=FONT, color=LABEL_INK)
        self.graph.attr("edge", fontname=FONT, color=LABEL_INK, arrowsize="0.7")

    def name(self, key: str) -> str:
        """A node's name, which is its title in the SVG: nothing in it means anything to DOT, no name comes twice."""
        if key not in self.names:
            plain = re.sub(r"[^\w.–]+", " ", key).strip()[:100] or "step"
            name, number = plain, 1
            while name in self.taken:
                number += 1
                name = f"{plain} {number}"
            self.names[key] = name
            self.taken.add(name)
        return self.names[key]

    # ---- rows ---------------------------------------------------------------------------------------------------

    def rows(self, boxes: list[Box], *, is_chain: bool) -> None:
        """The boxes in rows of equal length, each row in the opposite direction of the one before."""
        self.graph.attr(rankdir="LR", nodesep="0.3", ranksep="0.35")
        # Where edges pass boxes by, Graphviz finds the way better than a grid.
        length = row_length(len(boxes)) if is_chain else len(boxes)
        places = {box.id: place_in_rows(number, length) for number, box in enumerate(boxes)}
        beneath: dict[str, str] = {}
        for box in boxes:
            self._box(self.graph, box)
        for edge in self.picture.edges:
            self._row_edge(edge, places, beneath)
        for column in range(length):
            names: list[str] = []
            for box in (box for box in boxes if places[box.id][1] == column):
                names += [self.name(box.id), *([beneath[box.id]] if box.id in beneath else [])]
            self._in_line(names)

    def _row_edge(self, edge: Edge, places: dict[str, tuple[int, int]], beneath: dict[str, str]) -> None:
        (row, column), (next_row, next_column) = places[edge.source], places[edge.target]
        ports = {"tailport": "card", "headport": "card"}
        if (next_row, next_column) == (row + 1, column) and edge.source not in beneath:
            # A label of its own would push the edge aside, so the edge runs through a node that is its label.
            text = beneath[edge.source] = self.name(f"{edge.source} to {edge.target}")
            self.graph.node(text, labels.edge_text(edge.label))
            self.graph.edge(self.name(edge.source), text, tailport="s", headport="n", arrowhead="none")
            self.graph.edge(text, self.name(edge.target), tailport="s", headport="card:n")
        elif row == next_row and abs(column - next_column) == 1:
            self._edge(edge, ports | {"weight": _STRAIGHT}, backwards=column > next_column)
        else:
            self._edge(edge, ports)

    def _in_line(self, names: list[str]) -> None:
        """Keeps nodes on one rank, in this order."""
        if len(names) < 2:
            return
        with self.graph.subgraph(graph_attr={"rank": "same"}) as same:
            for one, next_one in pairwise(names):
                same.edge(one, next_one, style="invis")

    # ---- columns ------------------------------------------------------------------------------------------------

    def columns(self) -> None:
        """The items in columns; what leads from one column to the next turns around the corners between them."""
        # With few rounds of untangling, branches stay in the order of their steps.
        self.graph.attr(rankdir="TB", nodesep="0.4", ranksep="0.14", mclimit="0.01")
        columns = in_columns(self.picture)
        column_of = {
            part.id: number for number, column in enumerate(columns) for item in column for part in parts_of((item,))
        }
        for edge in (edge for edge in self.picture.edges if edge.label):
            self.texts.setdefault(self._frame_around(edge), []).append(edge)
        for item in self.picture.items:
            self._item(self.graph, item)
        self._texts(self.graph, "")
        top = [self.name(self.picture.items[0].id)]
        for edge in self.picture.edges:
            if column_of[edge.source] == column_of[edge.target]:
                self._column_edge(edge)
            else:
                top += self._turn(edge, column_of[edge.target])
        self._in_line(top)

    def _turn(self, edge: Edge, number: int) -> tuple[str, str]:
        """Leads the edge to a column down, to the right, up, to the right, down; its two corners at the top.

        Graphviz itself would draw a curve across everything.
        """
        under, beside, over, start = corners = [self.name(f"turn {number} {corner}") for corner in "abcd"]
        for corner in corners:
            self.graph.node(corner, "", shape="point", width="0.01", height="0.01")
        line = {"arrowhead": "none", "headclip": "false"}
        corner_line = line | {"tailclip": "false"}
        self.graph.edge(self.name(edge.source), under, weight=_STRAIGHT, minlen="2", **line)
        with self.graph.subgraph(graph_attr={"rank": "same"}) as same:
            same.edge(under, beside, **corner_line)
        self.graph.edge(over, beside, weight=_STRAIGHT, **corner_line)
        self.graph.edge(over, start, **corner_line)
        if edge.label:
            self.graph.edge(start, self._text_name(edge), weight=_STRAIGHT, headport="n", **corner_line)
        last = {"tailport": "s"} if edge.label else {"minlen": "2"}
        tail = self._text_name(edge) if edge.label else start
        self.graph.edge(tail, self.name(edge.target), weight=_STRAIGHT, tailclip="false", **last)
        return over, start

    def _column_edge(self, edge: Edge) -> None:
        """An edge from top to bottom; if it has a label, through a node that is the label.

        With a label of its own Graphviz might bend the edge, or let a frame's line cross the label.
        """
        look = EDGES[edge.kind] | ({"weight": _STRAIGHT} if edge.kind == "main" else {})
        if edge.kind != "main" and edge.source in self.frames[edge.source]:
            look |= {"tailport": "title"}  # a header with room for a shortcut is wider than its title
        if not edge.label:
            self.graph.edge(self.name(edge.source), self.name(edge.target), minlen="2", **look)
            return
        text, line = self._text_name(edge), {"headport": "n", "headclip": "false", "arrowhead": "none"}
        self.graph.edge(self.name(edge.source), text, **look, **line)
        self.graph.edge(text, self.name(edge.target), tailport="s", tailclip="false", **look)

    def _texts(self, graph: graphviz.Digraph, group: str) -> None:
        for edge in self.texts.get(group, ()):
            graph.node(self._text_name(edge), labels.text_on_edge(edge.label))

    def _text_name(self, edge: Edge) -> str:
        return self.name(f"{edge.source} to {edge.target} {edge.label}")

    def _frame_around(self, edge: Edge) -> str:
        """The innermost group that both ends of an edge are in; "" if there is none."""
        inside = self.frames[edge.target]
        return next((group for group in reversed(self.frames[edge.source]) if group in inside), "")

    def _item(self, graph: graphviz.Digraph, item: Item) -> None:
        if isinstance(item, Box):
            self._box(graph, item)
            return
        room = labels.SHORTCUT_ROOM if item.id in self.around else 0
        name, header = self.name(item.id), labels.header(item, FRAMES.get(item.role, OTHER_FRAME), room=room)
        title = {} if item.has_entry else {"label": header, "labeljust": "l"}
        with ExitStack() as frames:
            if item.count > 1:
                # A second frame around the first says that there are more of them.
                outer = graph.subgraph(name=f"cluster {name} repeated", graph_attr=_frame(item, "4"))
                graph = frames.enter_context(outer)
            graph = frames.enter_context(graph.subgraph(name=f"cluster {name}", graph_attr=_frame(item, "10") | title))
            if item.has_entry:
                # A frame's own label stands where the edge comes in, so a node in the middle of the edge is the label.
                graph.node(name, header)
            for member in item.members:
                self._item(graph, member)
            self._texts(graph, item.id)

    # ---- boxes and edges ----------------------------------------------------------------------------------------

    def _box(self, graph: graphviz.Digraph, box: Box) -> None:
        name = self.name(box.id)
        if box.sign:
            paint = PAINTS["combine"]
            look = {"shape": "circle", "style": "filled", "fillcolor": paint.fill, "color": paint.ink}
            graph.node(name, labels.sign(box.sign), width="0.3", height="0.3", fixedsize="true", **look)
        else:
            graph.node(name, labels.card(box) if box.load or box.role in CARDS else labels.layers(box))

    def _edge(self, edge: Edge, attributes: dict[str, str], *, backwards: bool = False) -> None:
        ends = [self.name(edge.source), self.name(edge.target)]
        if backwards:
            ends.reverse()
            attributes = attributes | {"dir": "back"}
        if edge.label:
            attributes = attributes | {"label": labels.edge_text(edge.label)}
        self.graph.edge(*ends, **EDGES[edge.kind], **attributes)


def _frame(group: Group, margin: str) -> dict[str, str]:
    paint = FRAMES.get(group.role, OTHER_FRAME)
    look = {"style": "rounded,filled", "fillcolor": paint.fill, "color": paint.ink, "penwidth": "0.8"}
    return look | {"margin": margin, "label": "", "fontname": FONT}
