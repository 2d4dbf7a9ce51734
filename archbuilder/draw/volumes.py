"""Volumes: a network as the maps that go through it. Each is a solid, as high as the map and as thick as its channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from archbuilder.analysis.summary import Summary
from archbuilder.draw.boxes import edge_part
from archbuilder.draw.captions import Line as CaptionLine
from archbuilder.draw.captions import labels_of, name_lines, words_of
from archbuilder.draw.drawing import EDGES, Drawing, as_figure, moved
from archbuilder.draw.fonts import width as width_of
from archbuilder.draw.layout.arrange import Arrangement, Drawn, Frame, Plan, Size, Spacing, arrange, planned
from archbuilder.draw.layout.wrap import Rows, in_rows
from archbuilder.draw.legend import legend
from archbuilder.draw.model.figure import Box, Figure
from archbuilder.draw.model.maps import Folding, Volume
from archbuilder.draw.model.network import network_figure, rows_of
from archbuilder.draw.options import WIDTHS, Width
from archbuilder.draw.scene import Circle, Line, Part, Point, Scene, Shape, Text
from archbuilder.draw.setting import Card, Setting, setting_of
from archbuilder.draw.sheet import MARGIN, described, heading, on_page
from archbuilder.draw.solids import Scale, row_of

_SIGN: Final = 5.5
_HEAD: Final = 5.5
"""How long the last piece of a slanting line is."""


class _Style(NamedTuple):
    """What depends on the width of a drawing: the size of its texts, how
    wide words may be under a card that is not so, how high the largest map is, how thick a channel is, how
    many of equal maps are drawn, and how far things stand apart."""

    text: float
    words: float
    height: float
    thickness: float
    most: int
    spacing: Spacing

    def smaller(self, factor: float) -> _Style:
        """The same with smaller maps, but not smaller texts."""
        gap = self.spacing.gap * (0.4 + min(factor, 1) * 0.6)
        return self._replace(
            height=self.height * factor,
            thickness=self.thickness * factor**0.5,
            spacing=self.spacing._replace(gap=gap),
        )


_STYLES: Final[Mapping[Width, _Style]] = {
    "column": _Style(6.4, 44, 56, 0.9, 3, Spacing(gap=10, lane=9, track=4, margin=5)),
    "page": _Style(6.4, 52, 84, 1.15, 4, Spacing(gap=13, lane=12, track=4.5, margin=6)),
    "slide": _Style(9.0, 74, 150, 2.1, 6, Spacing(gap=22, lane=18, track=6, margin=8)),
}
_IN_ONE: Final = (1.25, 1.1, 1.0, 0.85, 0.7)
"""How small maps are made so that all fit beside each other."""
_IN_ROWS: Final = (0.7, 0.6, 0.5)
"""… where they stand in rows, which would be too high otherwise."""


def volumes(summary: Summary, *, width: Width) -> Scene:
    """A network as the maps that go through it.

    Args:
        summary: the network.
        width: how wide the drawing is; it becomes as high as it must.
    """
    room, style = WIDTHS[width] - 2 * MARGIN, _STYLES[width]
    cards = network_figure(summary, joins_streams=False)
    folding = Folding(cards, in_rows=rows_of(cards) is not None)
    name, facts = summary.name or "network", described(summary)
    drawings = [as_figure(drawing, "network") for drawing in _network(folding, style, room)]
    pieces = [heading(name, facts, room), *drawings, legend(folding, room, style.text, style.most)]
    return on_page(pieces, name, facts, WIDTHS[width])


def _network(folding: Folding, style: _Style, room: float) -> list[Drawing]:
    """The cards beside each other, their maps as large as there is room for, else in several pieces."""
    figure = folding.figure
    rows = rows_of(figure)
    largest = max((side for makes in folding.made_of.values() for each in makes for side in each.size), default=1)
    plan = planned(figure, rows)
    plans = {id(figure): plan}
    factors = _IN_ONE if rows is None else _IN_ROWS
    for factor in factors:
        drawer = _Drawer(style.smaller(factor), room, folding.made_of, largest, plans)
        least = drawer.setting(plan)
        if least.width + (len(least.widths) - 1) * drawer.style.spacing.gap > room:
            continue
        found = drawer.placed(plan, drawer.style.spacing)
        if found.width <= room:
            return [drawer.drawn(figure, drawer.spread(figure, found))]
    drawer = _Drawer(style.smaller(factors[0] if rows is not None else 1.0), room, folding.made_of, largest, plans)
    pieces = in_rows(figure, rows, room, drawer.arranged, even=rows is None)
    if rows is None:
        pieces = [(piece, drawer.spread(piece, found)) for piece, found in pieces]
    return [drawer.drawn(*piece) for piece in pieces]


# ---- drawing --------------------------------------------------------------------------------------------------------


@dataclass
class _Drawer:
    """Draws pieces of a figure whose cards are made of volumes."""

    style: _Style
    room: float
    made_of: Mapping[str, Sequence[Volume]]
    largest: int
    plans: dict[int, Plan]
    """Those of figures, which they hold; no other figure can have the number of one."""
    cards: dict[str, Card] = field(default_factory=dict)
    settings: dict[int, Setting] = field(default_factory=dict)
    """Those of the figures that are drawn."""

    def arranged(self, figure: Figure, rows: Rows) -> Arrangement:
        """Places a figure."""
        if id(figure) not in self.plans:
            self.plans[id(figure)] = planned(figure, rows)
        return self.placed(self.plans[id(figure)], self.style.spacing)

    def placed(self, plan: Plan, spacing: Spacing) -> Arrangement:
        """Places a figure. All boxes of a column are equally wide, so that lines between columns pass no text."""
        setting = self.settings[id(plan.grid.figure)] = self.setting(plan)
        sizes = {box.id: self._size(box, setting, plan.grid.columns[box.id]) for box in plan.grid.figure.boxes}
        return arrange(plan.grid.figure, sizes, spacing, plan=plan)

    def spread(self, figure: Figure, found: Arrangement) -> Arrangement:
        """An arrangement with more room between the cards, if some is left."""
        spacing, gaps = self.style.spacing, len(found.column_x) - 1
        more = min((self.room - found.width) / max(gaps, 1), spacing.gap)
        if more < 0.1:
            return found
        wider = self.placed(self.plans[id(figure)], spacing._replace(gap=spacing.gap + more - 0.01))
        return wider if wider.width <= self.room else found

    def setting(self, plan: Plan) -> Setting:
        """How captions stand in a plan."""
        boxes = {box.id: box for box in plan.grid.figure.boxes}
        cards = {key: card for key, box in boxes.items() if (card := self._card(box)) is not None}
        least = {key: cards[key].width if key in cards else self._least(box) for key, box in boxes.items()}
        style = self.style

        def words(key: str, room: float, is_narrow: bool) -> tuple[CaptionLine, ...]:
            own, common = cards[key].width, style.words
            wide = max(common, own), max(common, own, min(room, 1.6 * common)), max(own, 1.7 * common)
            if is_narrow:
                wide = 0.7 * common, 0.7 * common, common
            return words_of(boxes[key], self.made_of[key], style.text, wide, self.room)

        return setting_of(plan, cards, least, words, style.spacing)

    def drawn(self, figure: Figure, found: Arrangement) -> Drawing:
        """A figure as it was placed."""
        shapes: list[Shape] = []
        ends: dict[str, tuple[float, float]] = {}
        for box in figure.boxes:
            part, ends[box.id] = self._box(box, found.frames[box.id], self.settings[id(figure)])
            shapes += [part] if part.shapes else []
        cut = {box.id: box.stands_for for box in figure.boxes if box.stands_for is not None}
        shapes += [edge_part((self._line(each, found.frames, ends),), each.edge, cut) for each in found.lines]
        return Drawing(tuple(shapes), found.width, found.height, found.axis)

    def _card(self, box: Box) -> Card | None:
        makes, style = self.made_of.get(box.id), self.style
        if not makes:
            return None
        if box.id not in self.cards:
            row, runs = row_of(makes, Scale(style.height, self.largest, style.thickness), style.most)
            self.cards[box.id] = Card(row, labels_of(runs, style.text))
        return self.cards[box.id]

    def _least(self, box: Box) -> float:
        """How wide a box is that is no card."""
        return 2 * _SIGN if box.sign else self._end_width(box) if box.name else 4

    def _end(self, box: Box) -> list[str]:
        """The name of an end, in lines."""
        return name_lines(box.name, self.style.text, 1.5 * self.style.words)

    def _end_width(self, box: Box) -> float:
        return 3 + max(width_of(line, self.style.text) for line in self._end(box))

    def _size(self, box: Box, setting: Setting, column: int) -> Size:
        card, wide = self._card(box), setting.widths[column]
        if card is not None:
            half, texts, above = card.row.half, setting.captions[box.id].height + 2, box.id in setting.above
            return Size(wide, half + card.row.over + texts * above, half + texts * (not above))
        half = _SIGN if box.sign else 0.6 * self.style.text * len(self._end(box)) if box.name else 0.0
        return Size(wide, half, half)

    def _box(self, box: Box, frame: Frame, setting: Setting) -> tuple[Part, tuple[float, float]]:
        """A box, and where lines end and begin at it."""
        card = self._card(box)
        shapes: tuple[Shape, ...] = ()
        ends = frame.x, frame.right
        if card is not None:
            solids = tuple(solid.part() for solid in card.row.solids)
            above, start, last = box.id in setting.above, frame.middle + card.row.shift, card.row.solids[-1]
            top = frame.y if above else frame.axis + card.row.half + 2
            texts = setting.captions[box.id].texts(frame.middle, top, above=above)
            shapes = (*moved(solids, start, frame.axis), *texts)
            ends = start + card.row.left, start + last.x + last.thick
        elif box.sign:
            shapes = (
                Circle(frame.middle, frame.axis, _SIGN, "combine", "combine line"),
                Text(frame.middle, frame.axis + 2.8, box.sign, 8, "combine text", bold=True, anchor="middle"),
            )
            ends = frame.middle - _SIGN, frame.middle + _SIGN
        elif box.name:
            ink, size, lines = "training" if box.in_training else "quiet", self.style.text, self._end(box)
            top = frame.axis + size * (0.34 - 0.6 * (len(lines) - 1))
            shapes = tuple(Text(frame.x + 2, top + size * 1.2 * at, line, size, ink) for at, line in enumerate(lines))
            ends = frame.x, frame.x + self._end_width(box)
        return Part(
            shapes, _spoken(box, self.made_of.get(box.id, ())), () if box.stands_for else (("box", box.id),)
        ), ends

    def _line(self, drawn: Drawn, frames: Mapping[str, Frame], ends: Mapping[str, tuple[float, float]]) -> Line:
        """A line, from the middle of the side of a map to where the next one is seen."""
        edge, points = drawn.edge, list(drawn.points)
        points.insert(0, (ends[edge.source][1], points[0][1]))
        card, frame = self.cards.get(edge.target), frames[edge.target]
        if drawn.enters_left:
            if points[-2][1] != points[-1][1]:  # streams fan out: the head stands level
                points[-1] = (points[-1][0] - _HEAD, points[-1][1])
            points.append((ends[edge.target][0], points[-1][1]))
        elif card is not None:
            reach = card.row.reach(points[-1][0] - frame.middle - card.row.shift)
            points.append((points[-1][0], frame.axis + reach[points[-2][1] > points[-1][1]]))
        wide, _ = EDGES["exchange" if edge.kind == "exchange" else "main"]
        return Line(tuple(_clean(points)), "line", wide, arrow=True, radius=2.5)


def _spoken(box: Box, makes: Sequence[Volume]) -> str:
    """A box in words."""
    words = ", ".join(f"{each.words} {each.shapes[-1]}".strip() for each in makes)
    return f"{box.name or box.id}: {words}" if words else box.name or box.sign


def _clean(points: Sequence[Point]) -> list[Point]:
    """Points without those between two others on one level or upright line."""
    found: list[Point] = []
    for point in points:
        if len(found) > 1 and any(found[-2][axis] == found[-1][axis] == point[axis] for axis in (0, 1)):
            found.pop()
        found.append(point)
    return found


__all__ = ["volumes"]
