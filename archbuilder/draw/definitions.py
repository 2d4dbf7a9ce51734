"""The definitions beneath a network: each block's wiring, under its name. What is simple may be told in words instead."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from archbuilder.draw.boxes import Drafter, edge_part
from archbuilder.draw.drawing import LARGE, SMALL, Drawing, as_figure, moved, wrapped
from archbuilder.draw.fonts import clipped, width
from archbuilder.draw.model.figure import Edge, Figure
from archbuilder.draw.model.maps import is_chain
from archbuilder.draw.model.network import Definition, rows_of
from archbuilder.draw.scene import Part, Shape, Text
from archbuilder.graph.shapes import Streams

_WIRINGS: Final = 2
"""In how many of its wirings a block is shown on a sheet; `definition` shows them all."""
_TOLD: Final = 24
"""Channels are told in words if they are fewer letters."""
_APART: Final = 22.0
"""How far definitions beside each other are apart."""
_COLUMN: Final = 140.0
"""Words stand beside what is drawn in a column that is at least so wide."""
_CHANGING: Final = frozenset(("projection", "plain"))
_STRIDE: Final = re.compile(r"(?<=\d)/(s|\d+)")


def definitions_drawing(definitions: Sequence[Definition], drafter: Drafter, *, dense: bool) -> Drawing:
    """Each definition under its name, as many beside each other as there is room for. Where they are to be `dense`, rows of
    layers are told in words, and so are blocks that differ from another wiring in their shortcut alone."""
    shown = most_used(definitions)
    told = [each for each in shown if dense and _is_plain(each.figure)]
    also = _twins(shown) if dense else {}
    pieces: list[Drawing] = []
    for definition in shown:
        if definition not in told and definition not in also.values():
            twin = also.get(definition)
            further = max(_further(each, definitions, shown) for each in (definition, twin) if each is not None)
            pieces.append(definition_drawing(definition, drafter, further, twin, dense=dense))
    rows = _in_rows(pieces, drafter.room, any_row=dense)
    if told:
        words = [(each, _further(each, definitions, shown)) for each in told]
        least = min(rows, key=_wide, default=[])
        beside = _in_words(words, max(drafter.room - _wide(least) - _APART, 1))
        if least and drafter.room - _wide(least) - _APART >= _COLUMN and beside.height < 1.3 * _high(least):
            least.append(beside)
        else:
            rows.append([_in_words(words, drafter.room)])
    shapes: list[Shape] = []
    y = 0.0
    for row in rows:
        x = 0.0
        for piece in row:
            shapes += moved(piece.shapes, x, y)
            x += piece.width + _APART
        y += _high(row) + 9
    return Drawing(tuple(shapes), drafter.room, y - 9)


def _in_rows(pieces: Sequence[Drawing], room: float, *, any_row: bool) -> list[list[Drawing]]:
    """Drawings beside each other, as many as there is room for, in their order; or each in the first row with room."""
    rows: list[list[Drawing]] = []
    for piece in pieces:
        for row in rows if any_row else rows[-1:]:
            if _wide([*row, piece]) <= room:
                row.append(piece)
                break
        else:
            rows.append([piece])
    return rows


def _wide(row: Sequence[Drawing]) -> float:
    return sum(piece.width for piece in row) + _APART * (len(row) - 1)


def _high(row: Sequence[Drawing]) -> float:
    return max(piece.height for piece in row)


def _further(definition: Definition, every: Sequence[Definition], shown: Sequence[Definition]) -> int:
    """How many wirings of a block are not shown, if this is the last one that is."""
    last = [each for each in shown if each.name == definition.name][-1]
    return sum(each.name == definition.name for each in every) - _WIRINGS if definition is last else 0


def most_used(definitions: Sequence[Definition]) -> list[Definition]:
    """Those wirings of each block that are used in most stages, in the order of their first use."""
    shown: list[Definition] = []
    for definition in definitions:
        alike = [other for other in definitions if other.name == definition.name]
        if definition in sorted(alike, key=lambda each: -len(each.stages))[:_WIRINGS]:
            shown.append(definition)
    return shown


def definition_drawing(
    definition: Definition, drafter: Drafter, further: int = 0, twin: Definition | None = None, *, dense: bool = False
) -> Drawing:
    """A definition: its name, where it is used, beside it if it is `dense`, and its wiring; how many `further` ones there are
    that are not shown, and which is its `twin` but for the shortcut."""
    figure = definition.figure
    over_streams = any(isinstance(box.gives, Streams) and not box.end for box in figure.boxes)
    parts = drafter.draw_wrapped(figure, rows_of(figure) if over_streams else None)
    where = _where(definition, further)
    if twin is not None:
        where += f"; {twin.where()}: its input is the shortcut" + (", stride 1" if definition.strides_differ else "")
    wide = max(part.width for part in parts)
    name = clipped(definition.name, LARGE, drafter.room, bold=True)
    beside = width(name, LARGE, bold=True) + 6 if dense else 0.0
    lines = wrapped(where, SMALL, max(wide, 150) - beside)[:3] if where else []
    shapes: list[Shape] = [Text(0, LARGE, name, LARGE, bold=True)]
    y = LARGE + (0 if dense else 9)
    for line in lines:
        shapes.append(Text(beside, y, line, SMALL, "quiet"))
        wide = max(wide, beside + width(line, SMALL))
        y += SMALL * 1.25
    y = max(y - 2, LARGE + 4)
    for part in parts:
        shapes += moved(as_figure(part, definition.key).shapes, 0, y)
        y += part.height + 8
    shapes += [] if twin is None else [_told(twin, ())]
    return Drawing(tuple(shapes), max(wide, width(name, LARGE, bold=True)), y - 8)


def _where(definition: Definition, further: int) -> str:
    where = definition.where() + (" · stride s" if definition.strides_differ else "")
    return where + (f" · wired in {further} more way{'s' if further > 1 else ''} elsewhere" if further > 0 else "")


# ---- in words -------------------------------------------------------------------------------------------------------


def _is_plain(figure: Figure) -> bool:
    """Whether a figure is layers that follow each other, so that words tell all of it."""
    boxes = [box for box in figure.boxes if not box.end]
    return is_chain(figure) and not any(box.name or box.sign or box.is_each for box in boxes)


def _in_words(definitions: Sequence[tuple[Definition, int]], room: float) -> Drawing:
    """Definitions as the words for their layers, each with how many more wirings of it there are."""
    shapes: list[Shape] = []
    x, y = 0.0, SMALL
    for definition, further in definitions:
        name, beside = (
            clipped(definition.name, SMALL, room / 2, bold=True),
            width(f"{definition.name} ", SMALL, bold=True),
        )
        bands = (band for box in definition.figure.boxes for band in box.bands)
        steps = (f"{band.text} → {band.detail}" if 0 < len(band.detail) < _TOLD else band.text for band in bands)
        lines = wrapped(f"{_where(definition, further)}: {', '.join(steps)}", SMALL, room - beside)
        wide = beside + max(width(line, SMALL) for line in lines)
        if x and x + wide > room:
            x, y = 0.0, y + SMALL * 1.4
        texts = [Text(x + beside, y + SMALL * 1.3 * at, line, SMALL, "quiet") for at, line in enumerate(lines)]
        shapes.append(_told(definition, (Text(x, y, name, SMALL, bold=True), *texts)))
        x, y = x + wide + 16, texts[-1].y
    return Drawing(tuple(shapes), room, y + 2)


def _told(definition: Definition, texts: tuple[Shape, ...]) -> Part:
    """The texts that tell of a definition, with its edges for those who read the drawing back."""
    edges = tuple(edge_part((), edge, {}) for edge in definition.figure.edges)
    return Part((*texts, *edges), "", (("figure", definition.key),))


def _twins(definitions: Sequence[Definition]) -> dict[Definition, Definition]:
    """Those wirings of a block that have a shortcut with steps on it, each with the one that is the same but for that its input
    is the shortcut."""
    found: dict[Definition, Definition] = {}
    for one in definitions:
        plain = _without_steps_around(one.figure)
        for other in definitions:
            if plain is not None and other.name == one.name and _wiring(other.figure) == _wiring(plain):
                found[one] = other
    return found


def _without_steps_around(figure: Figure) -> Figure | None:
    """A figure without what is on its shortcuts."""
    passed = {edge.target for edge in figure.edges if edge.kind in _CHANGING} & {
        edge.source for edge in figure.edges if edge.kind in _CHANGING
    }
    before = {edge.target: edge for edge in figure.edges if edge.target in passed}
    edges: list[Edge] = []
    for edge in figure.edges:
        if edge.target in passed:
            continue
        start = edge
        while start.source in before:
            start = before[start.source]
        kind = edge.kind if start is edge else "identity"
        edges.append(edge._replace(source=start.source, item=start.item, kind=kind))
    return Figure(tuple(box for box in figure.boxes if box.id not in passed), tuple(edges)) if passed else None


def _wiring(figure: Figure) -> object:
    """How a figure is wired, whatever its strides are."""
    boxes = (
        replace(box, bands=tuple(replace(band, text=_STRIDE.sub("", band.text)) for band in box.bands))
        for box in figure.boxes
    )
    return Figure(tuple(boxes), figure.edges).wiring()
