"""Graph -> picture: what a page draws of a network, in nested figures whose boxes may be open or closed.

Each figure is arranged once, before its boxes have sizes. What is open decides the sizes; `place` adds them up, and so does the
page itself (`web/source/place.js`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from archbuilder.analysis.summary import Summary
from archbuilder.draw.boxes import typical
from archbuilder.draw.drawing import SMALL, Drawing, wrapped
from archbuilder.draw.fonts import clipped, width
from archbuilder.draw.layout.arrange import Arrangement, Frame, Plan, Size, Spacing, arrange, planned
from archbuilder.draw.model.figure import Box, Figure
from archbuilder.draw.model.network import network_figure, rows_of, short
from archbuilder.draw.thumbnails import thumbnail
from archbuilder.graph.shapes import Shape, Streams

SPACING: Final = Spacing(gap=15, lane=9, track=5, margin=7)
FRAME: Final = 6.0
"""How far what is in an open box is from its frame."""
HEAD: Final = 13.0
"""How high the head of an open box is."""
STACK: Final = 2.4
"""How far the cards of a stack, which stand for repeats, stick out."""
ROW: Final = 12.0
"""How high the row of a layer is, and the line with a figure in a closed box."""
LINE: Final = 8.4
"""How high a line of text is."""
NAME: Final = 7.6
SIGN: Final = 7.0
_PAD: Final = 5.0
FIGURE: Final = 31.0
"""How wide a figure is at most: "1,024 /B"."""
_ROOM: Final = 96.0


class Written(NamedTuple):
    """A text as it is shown, and how wide it is."""

    text: str
    width: float


def written(text: str, size: float, room: float, *, bold: bool = False) -> Written:
    """As much of a text as there is room for."""
    shown = clipped(text, size, room, bold=bold)
    return Written(shown, round(width(shown, size, bold=bold), 2))


@dataclass(frozen=True)
class Card:
    """What is written on a box, and how large it is while it is closed. `rows` are the layers of a box of layers, each with the
    shape that it gives; `small` is the thumbnail of what is in it."""

    size: Size
    name: Written | None = None
    lines: tuple[Written, ...] = ()
    rows: tuple[tuple[Written, Written], ...] = ()
    head: Written | None = None
    figure: Written | None = None
    small: Drawing | None = None


def card_of(box: Box, figure: Figure) -> Card:
    """The card of a box in its figure; its size is one that a page can be told in few digits."""
    card = _card(box, figure)
    return replace(card, size=Size(*(round(each, 2) for each in card.size)))


def _card(box: Box, figure: Figure) -> Card:
    if box.end:
        name = written(box.name, SMALL, 60) if box.name else None
        return Card(Size(name.width + 4, 4, 4) if name else Size(0, 0, 0), name)
    if box.sign:
        return Card(Size(2 * SIGN, SIGN, SIGN))
    if box.inside is None:
        return _layers(box, figure)
    return _block(box)


def _layers(box: Box, figure: Figure) -> Card:
    """Layers that follow each other, each in a row with its shape, where that is another one than before."""
    rows: list[tuple[Written, Written]] = []
    nodes = [figure.graph.nodes[number] for number in box.nodes] if figure.graph is not None else []
    before: Shape | None = None
    for number, band in enumerate(box.bands):
        shape = nodes[number].shape if number < len(nodes) else box.gives
        told = short(shape) if shape is not None and str(shape) != str(before) else ""
        text = box.name or band.text  # what enters the network has a name
        rows.append((written(text, SMALL, _ROOM + 20, bold=number == 0), written(told, SMALL, 70)))
        before = shape
    wide = max((text.width for text, _ in rows), default=0.0)
    beside = max(FIGURE, *(shape.width for _, shape in rows))
    half = ROW * len(rows) / 2
    return Card(Size(wide + beside + 2 * _PAD + 6, half, half), rows=tuple(rows))


def _block(box: Box) -> Card:
    """A block, by its name and what it is made of."""
    times = f" ×{box.count}" if box.count > 1 and box.role == "block" else ""
    told = [band.text + (times if not number else "") for number, band in enumerate(box.bands)]
    name = written(box.name or box.id, NAME, _ROOM, bold=True)
    lines = tuple(
        Written(line, round(width(line, SMALL), 2)) for text in told for line in wrapped(text, SMALL, _ROOM)[:4]
    )[:5]
    figure = written(short(box.gives), SMALL, 70) if box.gives is not None else None
    kind = [box.bands[0].text if times else told[0]] if told else []
    repeated = [f"first, each of {box.count}"] if times else []
    head = written(" · ".join((box.name or box.id, *kind, *repeated)), SMALL, 190, bold=True)
    small = thumbnail(typical(box.inside), 56, 40) if box.inside is not None and box.role != "block" else None
    beside = small.width if small is not None else 0.0
    wide = max(name.width + 9, *(line.width for line in lines), figure.width if figure else 0.0, FIGURE, beside)
    half = (LINE * (len(lines) + 1) + ROW + 4 + (small.height + 7 if small is not None else 0.0)) / 2
    stack = STACK if box.count > 1 else 0.0
    return Card(Size(wide + 2 * _PAD + stack, half + stack, half), name, lines, (), head, figure, small)


@dataclass(eq=False)
class Drawn:
    """A figure, planned, and the cards of its boxes by their ids."""

    figure: Figure
    plan: Plan
    cards: Mapping[str, Card]


@dataclass(eq=False)
class Picture:
    """All figures of a network. `root` is the network's own; `of` finds that of what is in a box."""

    root: Drawn
    drawn: list[Drawn]
    known: dict[int, int] = field(repr=False)  # by id, of figures that are kept

    def of(self, figure: Figure) -> Drawn:
        """A figure as it is drawn."""
        return self.drawn[self.known[id(figure)]]

    def number(self, figure: Figure) -> int:
        """The place of a figure among all."""
        return self.known[id(figure)]


def picture_of(summary: Summary) -> Picture:
    """The picture of a network."""
    drawn: list[Drawn] = []
    known: dict[int, int] = {}

    def visit(figure: Figure) -> None:
        if id(figure) in known:
            return
        known[id(figure)] = len(drawn)
        drawn.append(_drawn(figure, is_root=not drawn))
        for box in figure.boxes:
            if box.inside is not None:
                visit(box.inside)

    network = network_figure(summary, in_full=True)
    visit(replace(network, edges=tuple(edge._replace(label="") for edge in network.edges)))  # boxes tell their shapes
    return Picture(drawn[0], drawn, known)


def _drawn(figure: Figure, *, is_root: bool) -> Drawn:
    over_streams = any(isinstance(box.gives, Streams) and not box.end for box in figure.boxes)
    rows = rows_of(figure) if is_root or over_streams else None
    return Drawn(figure, planned(figure, rows), {box.id: card_of(box, figure) for box in figure.boxes})


# ---- places ---------------------------------------------------------------------------------------------------------


class Placed(NamedTuple):
    """Where everything is that can be seen: frames by path (the numbers of boxes, from the network in: "3.0.2"), the lines of
    each figure by the path of the box that it is in, and how large the whole is."""

    frames: dict[str, Frame]
    lines: dict[str, list[tuple[tuple[float, float], ...]]]
    width: float
    height: float


def place(picture: Picture, opened: Collection[str]) -> Placed:
    """Places a picture in which some boxes, named by their paths, are open."""
    found = _arranged(picture, picture.root, "", frozenset(opened))
    placed = Placed({}, {}, found.arrangement.width, found.arrangement.height)
    _set(placed, found, "", 0.0, 0.0)
    return placed


class _Inner(NamedTuple):
    """A figure that is placed, and what is in its open boxes, by their numbers."""

    drawn: Drawn
    arrangement: Arrangement
    inner: dict[int, _Inner]


def _arranged(picture: Picture, drawn: Drawn, path: str, opened: Collection[str]) -> _Inner:
    inner: dict[int, _Inner] = {}
    sizes: dict[str, Size] = {}
    for number, box in enumerate(drawn.figure.boxes):
        key, card = f"{path}{number}", drawn.cards[box.id]
        sizes[box.id] = card.size
        if box.inside is not None and key in opened:
            inner[number] = _arranged(picture, picture.of(box.inside), f"{key}.", opened)
            sizes[box.id] = _opened(card, inner[number].arrangement, box)
    return _Inner(drawn, arrange(drawn.figure, sizes, SPACING, plan=drawn.plan), inner)


def _opened(card: Card, within: Arrangement, box: Box) -> Size:
    """How large an open box is."""
    stack = STACK if box.count > 1 else 0.0
    head = (card.head.width if card.head is not None else 0.0) + FIGURE + 12
    wide = max(within.width, head) + 2 * FRAME + stack
    return Size(wide, within.axis + HEAD + FRAME + stack, within.height - within.axis + FRAME)


def _set(placed: Placed, found: _Inner, path: str, x: float, y: float) -> None:
    arrangement = found.arrangement
    placed.lines[path] = [tuple((x + u, y + v) for u, v in line.points) for line in arrangement.lines]
    for number, box in enumerate(found.drawn.figure.boxes):
        frame = arrangement.frames[box.id]
        moved = Frame(x + frame.x, y + frame.y, frame.width, frame.height, y + frame.axis)
        placed.frames[f"{path}{number}"] = moved
        if number in found.inner:
            within, stack = found.inner[number], STACK if box.count > 1 else 0.0
            left = moved.x + (moved.width - stack - within.arrangement.width) / 2
            _set(placed, within, f"{path}{number}.", left, moved.axis - within.arrangement.axis)


def paths(picture: Picture) -> Iterator[str]:
    """The paths of all boxes that can be opened, outer ones first."""
    yield from _paths(picture.root.figure, "")


def _paths(figure: Figure, path: str) -> Iterator[str]:
    for number, box in enumerate(figure.boxes):
        if box.inside is not None:
            yield f"{path}{number}"
            yield from _paths(box.inside, f"{path}{number}.")
