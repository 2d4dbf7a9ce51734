"""Figure -> drawing: boxes as shapes with their texts, and the lines between them, placed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from json import dumps
from typing import Final

from archbuilder.draw.drawing import EDGES, LARGE, PLAIN, SMALL, Drawing, Lines, centred, left, moved, wrapped, written
from archbuilder.draw.fonts import clipped, width
from archbuilder.draw.layout.arrange import Arrangement, Drawn, Frame, Size, Spacing, arrange
from archbuilder.draw.layout.wrap import in_rows
from archbuilder.draw.model.figure import Band, Box, Edge, Figure, every_box
from archbuilder.draw.scene import Circle, Dash, Line, Part, Rectangle, Shape, Text
from archbuilder.draw.thumbnails import thumbnail

_SPACING: Final = Spacing(gap=13, lane=7, track=4.5, margin=6)
_SIGN: Final = 6.0
_FRAME: Final = 4.0
"""How far what is in an open box is from its frame."""
_STACK: Final = 2.2
"""How far the cards of a stack, which stand for repeats, stick out."""

# ---- a figure -------------------------------------------------------------------------------------------------------


@dataclass
class Drafter:
    """Draws figures, each thumbnail and each open box once. `room` is how wide a drawing may be: what is wider goes on in
    further rows."""

    room: float
    small: dict[int, Drawing] = field(default_factory=dict)
    inner: dict[int, Drawing] = field(default_factory=dict)
    kept: list[Figure] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)
    """The blocks that should be open, for which there is no room: their definitions tell what is in them."""
    has_thumbnails: bool = True
    shut: bool = False
    """Whether no box is open, since there is no room for any."""

    def draw_wrapped(self, figure: Figure, rows: Mapping[str, int] | None = None) -> list[Drawing]:
        """A figure in as many rows as it needs so that none is wider than there is room, as far as that can be."""
        pieces = in_rows(figure, rows, self.room, self._arranged)
        is_over = any(found.width > self.room for _, found in pieces)
        if is_over and not self.shut and any(box.is_open for box in figure.boxes):
            self.shut = True
            closed = self.draw_wrapped(figure, rows)
            self.shut = False
            return closed
        return [self._drawn(*piece) for piece in pieces]

    def inside(self, box: Box) -> Drawing:
        """What stands in an open box."""
        figure = box.inside or Figure((), ())
        if id(figure) not in self.inner:
            self.kept.append(figure)
            within = Drafter(max(self.room - 2 * _FRAME - 30, 60), self.small, self.inner, self.kept, self.closed)
            self.inner[id(figure)] = _under_each_other(within.draw_wrapped(figure))
        return self.inner[id(figure)]

    def opens(self, box: Box) -> bool:
        """Whether a box is drawn with what stands in it."""
        if box.inside is None or not box.is_open:
            return False
        taken = 2 * _FRAME + _STACK + 2 * _SPACING.gap + 18  # by the frame, and by lines and their labels beside it
        fits = not self.shut and self.inside(box).width + taken <= self.room
        if not fits:
            self.closed |= {each.definition for each in every_box([box]) if each.definition}
        return fits

    def thumbnail(self, box: Box) -> Drawing | None:
        """The thumbnail of a card of the network."""
        if box.inside is None or box.role == "block" or not self.has_thumbnails:
            return None
        figure = typical(box.inside)
        if id(figure) not in self.small:
            self.kept.append(figure)
            self.small[id(figure)] = thumbnail(figure, 43, 34)
        return self.small[id(figure)]

    def _arranged(self, figure: Figure, rows: Mapping[str, int] | None) -> Arrangement:
        sizes = {box.id: _size(box, self) for box in figure.boxes}
        return arrange(figure, sizes, _SPACING, rows=rows, label_width=_label_width)

    def _drawn(self, figure: Figure, found: Arrangement) -> Drawing:
        parts = [_paint(box, found.frames[box.id], self) for box in figure.boxes]
        ends = {box.id: box.stands_for for box in figure.boxes if box.stands_for is not None}
        lines = [_edge(drawn, ends) for drawn in found.lines]
        shapes = (*lines, *(part for part in parts if part is not None))
        return Drawing(shapes, found.width, found.height, found.axis)


def _label_width(label: str) -> float:
    """How wide the label of an edge is, whose channels stand above it and whose size below."""
    return max(width(part, SMALL) for part in label.partition("×")) + 2


def _edge(drawn: Drawn, ends: Mapping[str, tuple[str, int | None]]) -> Part:
    """A line with its label. Its head is where it enters a box that is there. `ends` are those where a figure was cut."""
    edge = drawn.edge
    wide, dash = EDGES[edge.kind]
    line = Line(drawn.points, "line", wide, dash, arrow=True, radius=2.5)
    shapes: list[Shape] = [line]
    if edge.label and drawn.enters_left:
        (x, y), (above, _, below) = drawn.label_at, edge.label.partition("×")
        shapes.append(Text(x - 2, y - 2.5, above, SMALL, "quiet", anchor="middle"))
        shapes += [Text(x - 2, y + SMALL + 1.5, below, SMALL, "quiet", anchor="middle")] if below else []
    return edge_part(tuple(shapes), edge, ends)


def edge_part(shapes: tuple[Shape, ...], edge: Edge, ends: Mapping[str, tuple[str, int | None]]) -> Part:
    """The shapes of an edge, and what it is. `ends` are those where a figure was cut."""
    source, item = ends.get(edge.source, (edge.source, edge.item))
    if edge.target in ends:  # its other end is in another piece, which tells of the edge
        return Part(shapes, f"{source} goes on")
    facts: tuple[tuple[str, str], ...] = (
        ("from", source),
        ("item", "" if item is None else str(item)),
        ("to", edge.target),
        ("position", str(edge.position)),
    )
    if edge.each:
        facts = (*facts, ("each", dumps(edge.each, ensure_ascii=False)))
    which = "" if item is None else f" (value {item})"
    return Part(shapes, f"{source}{which} to {edge.target}" + (f": {edge.label}" if edge.label else ""), facts)


def _under_each_other(rows: list[Drawing]) -> Drawing:
    """Rows of a figure as one drawing, on the line of the first; it ends with the last one."""
    if len(rows) == 1:
        return rows[0]
    shapes: list[Shape] = []
    y = 0.0
    for row in rows:
        shapes += moved(row.shapes, 0, y)
        last = y
        y += row.height + 8
    ends = (rows[-1].width, last + rows[-1].axis)
    return Drawing(tuple(shapes), max(row.width for row in rows) + 6, y - 8, rows[0].axis, ends)


# ---- boxes ----------------------------------------------------------------------------------------------------------


def _size(box: Box, drafter: Drafter) -> Size:
    if box.end:
        return Size(width(_end_text(box), SMALL) + 3, 4, 4) if box.name else Size(0, 0, 0)
    if box.sign:
        return Size(2 * _SIGN, _SIGN, _SIGN)
    if drafter.opens(box):
        inner, head = drafter.inside(box), _header(box, drafter.room)
        stack = _stack(_opened(box))
        over = head.height + 5 + stack
        return Size(max(inner.width, head.width) + 2 * _FRAME + stack, inner.axis + over, inner.height - inner.axis + 5)
    if box.name:
        lines, stack = _block_lines(box), _stack(box)
        small = drafter.thumbnail(box)
        if small is not None:
            wide, high = max(lines.width, small.width) + 8, lines.height + small.height + 10
            return Size(wide + stack, high / 2 + stack, high / 2)
        return Size(lines.width + 10 + stack, lines.height / 2 + 3.5 + stack, lines.height / 2 + 3.5)
    heights = [_band_height(band) for band in _bands(box)]
    wide, stack = max(Lines(_band_lines(band)).width for band in _bands(box)) + 8, _stack(box)
    return Size(wide + stack, sum(heights) / 2 + stack, sum(heights) / 2)


def _bands(box: Box) -> tuple[Band, ...]:
    """The lines of a box of layers, also for what can be taken out there."""
    return (*box.bands, *(Band(line, box.role) for line in box.tap_lines))


def _end_text(box: Box) -> str:
    return clipped(box.name, SMALL, 46 if box.stands_for is not None else 80)


def _paint(box: Box, frame: Frame, drafter: Drafter) -> Part | None:
    if box.end:
        if not box.name:
            return None
        ink = "training" if box.in_training else "quiet"
        text = Text(frame.x + 2, frame.axis + SMALL * 0.34, _end_text(box), SMALL, ink)
        return Part((text,), box.name, () if box.stands_for else (("box", box.id),))
    if box.sign:
        shapes: tuple[Shape, ...] = (
            Circle(frame.middle, frame.axis, _SIGN, "combine", "combine line"),
            Text(frame.middle, frame.axis + 3, box.sign, LARGE, "combine text", bold=True, anchor="middle"),
        )
    elif drafter.opens(box):
        shapes = _open(box, frame, drafter.inside(box), _header(box, drafter.room))
    elif box.name:
        shapes = _closed(box, frame, drafter.thumbnail(box))
    else:
        shapes = _layers(box, frame)
    return Part(shapes, _named(box), (("box", box.id),))


def _named(box: Box) -> str:
    """A box in words, for readers who do not see it."""
    words = ", ".join(f"{band.text} {band.detail}".strip() for band in box.bands)
    times = f" ×{box.count}" if box.count > 1 and box.role == "block" else ""
    return f"{box.id}: {words or box.sign}{times}"


def _layers(box: Box, frame: Frame) -> tuple[Shape, ...]:
    """Layers that follow each other, one under the other."""
    shapes: list[Shape] = []
    stack = _stack(box)
    wide, y = frame.width - stack, frame.y + stack
    if stack:
        first = box.bands[0].role
        for shift in (stack, stack / 2):
            at = frame.x + shift, y + 0.5 - shift, wide, frame.height - stack - 1
            shapes.append(Rectangle(*at, first, f"{first} line", 0.7, 2.2))
    for band in _bands(box):
        height = _band_height(band)
        line = "training" if box.in_training else f"{band.role} line"
        shapes.append(Rectangle(frame.x, y + 0.5, wide, height - 1, band.role, line, 0.7, 2.2, dash=_dash(box)))
        shapes += centred(Lines(_band_lines(band)), frame.x + wide / 2, y + height / 2, f"{band.role} text")
        y += height
    return tuple(shapes)


def _closed(box: Box, frame: Frame, small: Drawing | None) -> tuple[Shape, ...]:
    """A block by its name; repeats as a stack of cards."""
    shapes: list[Shape] = []
    inner, lines = _card(box, frame, shapes), _block_lines(box)
    if small is None:
        return (*shapes, *centred(lines, inner.middle, inner.y + inner.height / 2, f"{box.role} text"))
    shapes += written(lines, inner.middle, inner.y + 3, f"{box.role} text", "middle")
    shapes += moved(small.shapes, inner.middle - small.width / 2, inner.y + lines.height + 6)
    return tuple(shapes)


def typical(figure: Figure) -> Figure:
    """What a figure is made of, if that is the same block again and again; else itself."""
    boxes = [box for box in figure.boxes if not box.end]
    kinds = {(box.definition, box.name != "") for box in boxes}
    last = boxes[-1] if boxes else None
    if last is not None and len(kinds) == 1 and last.inside is not None:
        return last.inside
    return figure


def _card(box: Box, frame: Frame, shapes: list[Shape]) -> Frame:
    """Draws the card of a box, with further ones behind it where it is repeated; where the front one is."""
    stack = _stack(box)
    line = "training" if box.in_training else f"{box.role} line"
    front = Frame(frame.x, frame.y + stack, frame.width - stack, frame.height - stack, frame.axis)
    shapes += [
        Rectangle(front.x + shift, front.y - shift, front.width, front.height, box.role, line, 0.7, 2.5)
        for shift in ((stack, stack / 2) if stack else ())
    ]
    shapes.append(Rectangle(*front[:4], box.role, line, 0.9, 2.5, dash=_dash(box)))
    return front


def _open(box: Box, frame: Frame, inner: Drawing, head: Lines) -> tuple[Shape, ...]:
    """A block with its wiring in it, under its name. Where that has several rows, the last one ends where the first does."""
    shapes: list[Shape] = []
    front = _card(_opened(box), frame, shapes)
    shapes += left(head, front.x + _FRAME, front.y + 2, "block text")
    x = front.x + (front.width - inner.width) / 2
    shapes += moved(inner.shapes, x, frame.axis - inner.axis)
    end, leaves = inner.ends or (inner.width, inner.axis)
    shapes.append(Line(((front.x, frame.axis), (x, frame.axis))))  # the main path goes through the frame
    y, turn = frame.axis - inner.axis + leaves, x + inner.width + 4
    way = ((x + end, y), (turn, y), (turn, frame.axis), (front.right, frame.axis))
    shapes.append(Line(way if leaves != inner.axis else (way[0], way[-1]), radius=2.5))
    return tuple(shapes)


def _opened(box: Box) -> Box:
    """An open box as its frame is drawn: the repeats in a stage are seen in it, and are stacks of their own."""
    return replace(box, role="block", count=box.count if box.role == "block" else 1)


def _stack(box: Box) -> float:
    """How far the cards behind that of a box stick out."""
    return _STACK if box.is_each or (box.count > 1 and box.name) else 0.0


def _dash(box: Box) -> Dash:
    return "dashed" if box.in_training else "solid"


def _header(box: Box, room: float) -> Lines:
    times = f" ×{box.count}" if box.count > 1 and box.role == "block" else ""
    kind = ", ".join((*(band.text for band in box.bands), *box.tap_lines))
    text, wide = f"{box.name} · {kind}{times}" if kind else box.name, min(160, room - 50)
    if width(text, SMALL, bold=True) > wide:  # what is in it is seen
        text = box.name + times
    return Lines(((clipped(text, SMALL, wide, bold=True), SMALL, True),))


def _block_lines(box: Box) -> Lines:
    times, room = f" ×{box.count}" if box.count > 1 else "", 84 if box.role == "block" else 52
    told = (band.text + (times if box.role == "block" and not number else "") for number, band in enumerate(box.bands))
    kinds = [line for text in told for line in wrapped(text, SMALL, room)]
    name = ((clipped(box.name, PLAIN, max(room, 80), bold=True), PLAIN, True),) if box.name else ()
    taps = [clipped(line, SMALL, 90) for line in box.tap_lines]
    return Lines((*name, *((line, SMALL, False) for line in (*kinds[:5], *taps))))


def _band_lines(band: Band) -> tuple[tuple[str, float, bool], ...]:
    text = clipped(band.text, SMALL, 110)
    if not band.detail:
        return ((text, SMALL, False),)
    return ((text, PLAIN, True), (clipped(band.detail, SMALL, 90), SMALL, False))


def _band_height(band: Band) -> float:
    return Lines(_band_lines(band)).height + 3
