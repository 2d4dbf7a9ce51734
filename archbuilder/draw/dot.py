"""Picture -> DOT.

Few boxes run in rows that turn like a snake, so that a long chain still fits a page; groups stand in columns, read from
left to right, each from top to bottom. Everything that comes from a spec passes `shown` or `_name` before it is written.
"""

from __future__ import annotations

import html
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import graphviz

from archbuilder.diagnostics import printable, shorten
from archbuilder.draw.picture import Band, Box, Edge, Group, Item, Load, Picture, abbreviate, boxes_of
from archbuilder.draw.style import (
    EDGES,
    FONT,
    FRAMES,
    LABEL_INK,
    MACS,
    OTHER_FRAME,
    PAINTS,
    PARAMETERS,
    TITLE_INK,
    Paint,
)

_LONGEST: Final = 40
"""Characters of a name or label that are shown; the middle of a longer one is left out."""

_ROW: Final = 8
"""Boxes in a row, at most."""

_SHAPE_OF_PAGE: Final = 1.5
"""Width over height at which the columns aim."""


def to_dot(picture: Picture) -> str:
    """The picture as DOT text."""
    writer = _Writer(picture)
    if any(isinstance(item, Group) for item in picture.items):
        writer.columns()
    else:
        writer.rows([item for item in picture.items if isinstance(item, Box)])
    return writer.graph.source


def shown(text: str, longest: int = _LONGEST) -> str:
    """A spec's text as it may stand in an HTML-like label: short, visible and escaped."""
    visible = re.sub("[\ufffe\uffff]", "\ufffd", printable(text))
    # Graphviz reads `\N` and the like in HTML-like labels too, before it reads entities.
    return html.escape(shorten(visible, longest)).replace("\\", "&#92;")


def _html(label: str) -> str:
    return f"<{label}>"


def _font(text: str, size: float, color: str = "", *, bold: bool = False) -> str:
    inner = f"<B>{text}</B>" if bold else text
    tint = f' COLOR="{color}"' if color else ""
    return f'<FONT POINT-SIZE="{size:g}"{tint}>{inner}</FONT>'


@dataclass
class _Writer:
    picture: Picture
    names: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.graph = graphviz.Digraph(self._name(self.picture.name), graph_attr=self._page())
        self.graph.attr("node", shape="plain", fontname=FONT, fontsize="12", color=LABEL_INK)
        self.graph.attr("edge", fontname=FONT, fontsize="10", fontcolor=LABEL_INK, color=LABEL_INK, arrowsize="0.7")

    def _page(self) -> dict[str, str]:
        title = _font(shown(self.picture.name, 80), 18, TITLE_INK, bold=True)
        facts = _font("&#160;&#160;&#160;".join(shown(fact, 80) for fact in self.picture.facts), 12, LABEL_INK)
        cells = f'<TR><TD ALIGN="LEFT">{title}</TD></TR><TR><TD ALIGN="LEFT">{facts}</TD></TR>'
        table = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3">{cells}</TABLE>'
        return {
            "label": _html(table), "labelloc": "t", "labeljust": "l", "fontname": FONT, "bgcolor": "white",
            "pad": "0.3", "charset": "UTF-8",
        }  # fmt: skip

    def _name(self, id: str) -> str:
        """A node's name, which is its title in the SVG: only letters that mean nothing to DOT, and no name twice."""
        known = self.names.get(id)
        if known is None:
            plain = re.sub(r"[^\w.–]+", " ", id).strip()[:100] or "step"
            taken = set(self.names.values())
            known, number = plain, 1
            while known in taken:
                number += 1
                known = f"{plain} {number}"
            self.names[id] = known
        return known

    # ---- rows ---------------------------------------------------------------------------------------------------

    def rows(self, boxes: list[Box]) -> None:
        """The boxes in rows of equal length, each row in the opposite direction of the one before."""
        self.graph.attr(rankdir="LR", nodesep="0.5", ranksep="0.35")
        columns = max(1, math.ceil(len(boxes) / self._row_count(len(boxes))))
        rows = [boxes[start : start + columns] for start in range(0, len(boxes), columns)]
        places = {box.id: (number, _along(number, place, columns)) for number, row in enumerate(rows)
                  for place, box in enumerate(row)}  # fmt: skip
        for box in boxes:
            self._box(self.graph, box)
        for edge in self.picture.edges:
            self._row_edge(edge, places)
        for column in range(columns):
            same = [box.id for box in boxes if places[box.id][1] == column]
            self._same_rank([self._name(id) for id in same])

    def _row_count(self, count: int) -> int:
        if count <= _ROW:
            return 1
        return math.ceil(count / min(_ROW, math.ceil(math.sqrt(2.2 * count))))

    def _row_edge(self, edge: Edge, places: dict[str, tuple[int, int]]) -> None:
        (row, column), (next_row, next_column) = places[edge.source], places[edge.target]
        if row != next_row:
            flat = column == next_column and next_row == row + 1
            self._edge(edge, **({} if flat else {"constraint": "false"}))
        elif abs(column - next_column) == 1:
            self._edge(edge, backwards=column > next_column, weight="100")
        else:
            self._edge(edge, constraint="false")

    def _same_rank(self, names: list[str]) -> None:
        if len(names) < 2:
            return
        with self.graph.subgraph(graph_attr={"rank": "same"}) as same:
            for upper, lower in pairwise(names):
                same.edge(upper, lower, style="invis")

    # ---- columns ------------------------------------------------------------------------------------------------

    def columns(self) -> None:
        """The items in columns, so that the page comes near its shape."""
        self.graph.attr(rankdir="TB", nodesep="0.3", ranksep="0.32", compound="true")
        column_of: dict[str, int] = {}
        columns = _in_columns(self.picture)
        self.graph.node("top", shape="point", style="invis", width="0.01", height="0.01", ordering="out")
        for number, column in enumerate(columns):
            for item in column:
                self._item(self.graph, item)
                column_of.update((box.id, number) for box in boxes_of((item,)))
            first = next(boxes_of(tuple(column)))
            self.graph.edge("top", self._name(first.id), style="invis")
        for edge in self.picture.edges:
            across = column_of[edge.source] != column_of[edge.target]
            weight = "10" if edge.kind == "main" else "1"
            self._edge(edge, **({"constraint": "false"} if across else {"weight": weight}))

    def _item(self, graph: graphviz.Digraph, item: Item) -> None:
        if isinstance(item, Box):
            self._box(graph, item)
            return
        paint = FRAMES.get(item.role, OTHER_FRAME)
        name = self._name(item.id)
        with graph.subgraph(name=f"cluster {name}", graph_attr=_frame(item, paint)) as frame:
            for member in item.members:
                self._item(frame, member)

    # ---- boxes and edges ----------------------------------------------------------------------------------------

    def _box(self, graph: graphviz.Digraph, box: Box) -> None:
        name = self._name(box.id)
        if box.sign:
            paint = PAINTS["combine"]
            label = _html(_font(shown(box.sign), 14, paint.ink, bold=True))
            size = {"width": "0.3", "height": "0.3", "fixedsize": "true"}
            graph.node(name, label, shape="circle", style="filled", fillcolor=paint.fill, color=paint.ink, **size)
        elif not box.bands:
            graph.node(name, "", shape="circle", style="filled", fillcolor=LABEL_INK, width="0.06", fixedsize="true")
        elif _is_layers(box):
            graph.node(name, _html(_layers(box)))
        else:
            graph.node(name, _html(_card(box)))

    def _edge(self, edge: Edge, *, backwards: bool = False, **attributes: str) -> None:
        ends = self._name(edge.source), self._name(edge.target)
        if backwards:
            ends, attributes["dir"] = (ends[1], ends[0]), "back"
        if edge.label:
            attributes["label"] = _html(_font(shown(edge.label), 10, LABEL_INK))
        ports = [f"{end}:card" if self._has_card(id) else end
                 for end, id in zip(ends, (edge.target, edge.source) if backwards else (edge.source, edge.target), strict=True)]  # fmt: skip
        self.graph.edge(*ports, **EDGES[edge.kind], **attributes)

    def _has_card(self, id: str) -> bool:
        return any(box.id == id and box.bands and not _is_layers(box) for box in self.picture.boxes())


def _along(row: int, place: int, columns: int) -> int:
    return place if row % 2 == 0 else columns - 1 - place


def _is_layers(box: Box) -> bool:
    return box.load is None and box.role not in ("input", "stem", "stage", "head", "neck")


def _frame(group: Group, paint: Paint) -> dict[str, str]:
    times = f" ×{group.count}" if group.count > 1 else ""
    kind = shown(group.kind) + times
    label = _font(shown(group.name), 12, paint.ink, bold=True)
    label += _font(f"&#160;&#160;{kind}", 11, paint.ink) if kind else ""
    return {
        "label": _html(label), "labeljust": "l", "style": "rounded,filled", "fillcolor": paint.fill,
        "color": paint.ink, "penwidth": "1.6" if group.count > 1 else "0.8", "margin": "10", "fontname": FONT,
    }  # fmt: skip


def _layers(box: Box) -> str:
    """A run of layers as a stack of pills."""
    rows = "".join(f"<TR>{_pill(band, first=number == 0)}</TR>" for number, band in enumerate(box.bands))
    if box.count > 1:
        rows += f"<TR><TD>{_font(f'×{box.count}', 11, LABEL_INK, bold=True)}</TD></TR>"
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="1" CELLPADDING="3">{rows}</TABLE>'


def _pill(band: Band, *, first: bool) -> str:
    paint = PAINTS[band.role]
    text = _font(shown(band.text), 11 if first else 10, paint.ink, bold=band.role in ("convolution", "linear"))
    if band.detail:
        text += "<BR/>" + _font(shown(band.detail), 10, paint.ink)
    look = f'BORDER="1" STYLE="ROUNDED" BGCOLOR="{paint.fill}" COLOR="{paint.ink}"'
    return f'<TD {look} WIDTH="84">&#160;{text}&#160;</TD>'


def _card(box: Box) -> str:
    """A box with a name, a few lines, and beneath it what it costs."""
    paint = PAINTS[box.role]
    lines = [_font(shown(band.text), 12 if number == 0 else 11, paint.ink, bold=number == 0)
             for number, band in enumerate(box.bands)]  # fmt: skip
    look = f'BORDER="1" STYLE="ROUNDED" BGCOLOR="{paint.fill}" COLOR="{paint.ink}"'
    card = f'<TD PORT="card" {look} CELLPADDING="8" WIDTH="112" HEIGHT="62">{"<BR/>".join(lines)}</TD>'
    if box.count > 1:
        card = f'<TD PORT="card" BORDER="1" STYLE="ROUNDED" COLOR="{paint.ink}" CELLPADDING="3"><TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0"><TR>{card.replace(" PORT=" + chr(34) + "card" + chr(34), "")}</TR></TABLE></TD>'
    rows = f"<TR>{card}</TR>"
    if box.load is not None:
        rows += f"<TR><TD>{_bars(box.load)}</TD></TR>"
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2">{rows}</TABLE>'


def _bars(load: Load) -> str:
    rows = "".join(
        f'<TR><TD ALIGN="LEFT">{_bar(share, color)}</TD><TD ALIGN="RIGHT">{_font(abbreviate(count), 10, LABEL_INK)}</TD></TR>'
        for count, share, color in (
            (load.parameters, load.parameter_share, PARAMETERS),
            (load.macs, load.mac_share, MACS),
        )
    )
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">{rows}</TABLE>'


def _bar(share: float, color: str) -> str:
    width = max(1, round(58 * share))
    cell = f'<TD FIXEDSIZE="TRUE" WIDTH="{width}" HEIGHT="7" BGCOLOR="{color}"></TD>'
    rest = f'<TD FIXEDSIZE="TRUE" WIDTH="{62 - width}" HEIGHT="7"></TD>'
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"><TR>{cell}{rest}</TR></TABLE>'


# ---- columns ----------------------------------------------------------------------------------------------------


def _in_columns(picture: Picture) -> list[list[Item]]:
    """The items, in order, in as many columns as bring the page near its shape."""
    sizes = _sizes(picture)
    items = list(picture.items)
    heights = [size[1] for size in sizes]
    limits = {sum(heights[start:stop]) for start in range(len(items)) for stop in range(start + 1, len(items) + 1)}
    best: list[list[int]] = []
    worst = math.inf
    for limit in sorted(limit for limit in limits if limit >= max(heights)):
        columns = _filled(heights, limit)
        width = sum(max(sizes[number][0] for number in column) for column in columns)
        height = max(sum(heights[number] for number in column) for column in columns)
        off = abs(math.log(width / height / _SHAPE_OF_PAGE))
        if off < worst:
            best, worst = columns, off
    return [[items[number] for number in column] for column in best]


def _filled(heights: list[float], limit: float) -> list[list[int]]:
    columns: list[list[int]] = [[]]
    used = 0.0
    for number, height in enumerate(heights):
        if columns[-1] and used + height > limit:
            columns.append([])
            used = 0.0
        columns[-1].append(number)
        used += height
    return columns


def _sizes(picture: Picture) -> list[tuple[float, float]]:
    """A guess at each item's width and height, in points, from the boxes that must stand beneath each other."""
    sources: dict[str, list[str]] = {}
    for edge in picture.edges:
        sources.setdefault(edge.target, []).append(edge.source)
    guesses: list[tuple[float, float]] = []
    for item in picture.items:
        bottom: dict[str, float] = {}
        ranks: Counter[int] = Counter()
        rank: dict[str, int] = {}
        for box in boxes_of((item,)):
            above = [source for source in sources.get(box.id, ()) if source in bottom]
            rank[box.id] = max((rank[source] + 1 for source in above), default=0)
            ranks[rank[box.id]] += 1
            bottom[box.id] = max((bottom[source] for source in above), default=0.0) + _height(box)
        frames = _frames(item)
        guesses.append((max(ranks.values()) * 115.0 + 24 * frames, max(bottom.values()) + 34 * frames))
    return guesses


def _frames(item: Item) -> int:
    return 0 if isinstance(item, Box) else 1 + max((_frames(member) for member in item.members), default=0)


def _height(box: Box) -> float:
    if not box.bands:
        return 50.0
    lines = sum(2 if band.detail else 1 for band in box.bands)
    return 30.0 + 17.0 * lines + (30.0 if box.load else 0.0)


def edges_between(picture: Picture) -> Iterator[Edge]:
    """Unused."""
    yield from picture.edges
