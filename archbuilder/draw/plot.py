"""A plot of networks: their parameters against their multiply-accumulates, with a name at each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count
from math import ceil, cos, floor, log10, pi, sin
from typing import Final, NamedTuple

from archbuilder.analysis.numbers import abbreviate, rounded, with_unit
from archbuilder.analysis.summary import Summary
from archbuilder.diagnostics import printable
from archbuilder.draw.drawing import PLAIN, SMALL, Drawing
from archbuilder.draw.fonts import clipped, width
from archbuilder.draw.options import WIDTHS, DrawingError, Width
from archbuilder.draw.scene import Circle, Line, Part, Point, Rectangle, Scene, Shape, Text
from archbuilder.draw.sheet import MARGIN, heading, on_page

_WIDE: Final = 8
"""From which ratio of the largest to the smallest number on an axis is logarithmic."""
_LONGEST: Final = 130.0
"""Points that a name takes at most."""
_MARK: Final = 2.6
_NEAR: Final = 3.6
"""How far a name is from its mark where nothing is in the way."""
_TRIED: Final = 3
"""How many more heights are tried where a line goes over a name."""
_MANY: Final = 150
"""More networks than these are not drawn."""


class _Area(NamedTuple):
    """A rectangle that something takes up."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: _Area) -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def wider(self, by: float) -> _Area:
        """The area with room at its left and right."""
        return self._replace(left=self.left - by, right=self.right + by)

    def is_on(self, way: tuple[Point, Point]) -> bool:
        """Whether a straight line goes through it."""
        (x, y), (end_x, end_y) = way
        enter, leave = 0.0, 1.0
        for start, along, low, high in ((x, end_x - x, self.left, self.right), (y, end_y - y, self.top, self.bottom)):
            if along == 0:
                if not low < start < high:
                    return False
                continue
            first, last = sorted(((low - start) / along, (high - start) / along))
            enter, leave = max(enter, first), min(leave, last)
        return enter < leave


@dataclass(frozen=True)
class _Axis:
    """An axis from `low` to `high`: where on it, from 0 to 1, a number is, and which numbers are written on it."""

    low: float
    high: float
    is_log: bool

    @classmethod
    def of(cls, numbers: Sequence[int]) -> _Axis:
        """An axis for some numbers, with room at both ends."""
        low, high = min(numbers), max(numbers)
        if low > 0 and high >= _WIDE * low:
            room = 0.08 * log10(high / low)
            return cls(log10(low) - room, log10(high) + room, is_log=True)
        room = 0.1 * (high - low) or 0.5 * high or 1.0
        return cls(max(0.0, low - room), high + room, is_log=False)

    def at(self, number: float) -> float:
        value = log10(number) if self.is_log else number
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> Iterator[float]:
        """Round numbers, about three to nine."""
        if not self.is_log:
            step = _round_step((self.high - self.low) / 5)
            yield from (number * step for number in range(ceil(self.low / step), floor(self.high / step) + 1))
            return
        digits = (1, 2, 5) if self.high - self.low < 2.5 else (1,)
        for power in range(floor(self.low), ceil(self.high) + 1):
            yield from (digit * 10.0**power for digit in digits if self.low <= log10(digit * 10.0**power) <= self.high)


def _round_step(about: float) -> float:
    power = 10.0 ** floor(log10(about))
    return max(1.0, next(digit * power for digit in (1, 2, 5, 10) if digit * power >= about))


class _Mark(NamedTuple):
    """A network on the plot."""

    network: Summary
    name: str
    x: float
    y: float

    @property
    def area(self) -> _Area:
        return _Area(self.x - _MARK - 0.6, self.y - _MARK - 0.6, self.x + _MARK + 0.6, self.y + _MARK + 0.6)


def plot(networks: Sequence[Summary], width: Width = "page") -> Scene:
    """Networks by their parameters and multiply-accumulates, of which either axis is logarithmic where it has to be.

    Raises:
        DrawingError: if there is nothing to be drawn, or too much.
    """
    known = [each for each in networks if each.macs is not None]
    if not known:
        raise DrawingError("there is nothing to plot: the MACs of none of these networks are known")
    if len(known) > _MANY:
        raise DrawingError(f"{len(known)} networks are too many to be told apart: at most {_MANY} are plotted")
    room = WIDTHS[width] - 2 * MARGIN
    drawing = _best(known, room)
    unknown = [printable(each.name) for each in networks if each.macs is None]
    facts = "parameters against multiply-accumulates for one image"
    if unknown:
        facts += f"; not drawn, since their MACs are not known: {', '.join(unknown)}"
    title = f"{len(known)} network{'s' * (len(known) > 1)}"
    return on_page([heading(title, facts, room), drawing], title, facts, WIDTHS[width])


def _best(networks: Sequence[Summary], room: float) -> Drawing:
    """The plot at the height at which the fewest lines go over names; higher, where a name found no place at all."""
    found: list[tuple[int, Drawing]] = []
    for number in count():
        tried = _drawn(networks, room, room * 0.62 * 1.25**number)
        found += [tried] if tried is not None else []
        if found and (found[-1][0] == 0 or number >= _TRIED):
            return min(found, key=lambda each: each[0])[1]
    raise AssertionError("there is room for every name in a plot that is high enough")


def _drawn(networks: Sequence[Summary], room: float, height: float) -> tuple[int, Drawing] | None:
    """The plot at a height, and how many lines go over names in it; None where a name finds no place."""
    across, up = _Axis.of([each.parameters for each in networks]), _Axis.of([each.macs or 0 for each in networks])
    below = [(each, rounded(each)) for each in across.ticks()]
    beside = [(each, rounded(each)) for each in up.ticks()]
    left = max((width(text, SMALL) for _, text in beside), default=0.0) + 5
    frame = _Area(left, PLAIN + 6, room, height - SMALL - PLAIN - 9)
    wide, high = frame.right - frame.left, frame.bottom - frame.top
    marks = []
    for each in networks:
        x, y = frame.left + across.at(each.parameters) * wide, frame.bottom - up.at(each.macs or 0) * high
        marks.append(_Mark(each, clipped(each.name or "network", SMALL, _LONGEST), x, y))
    found = _places(marks, frame)
    if found is None:
        return None
    over, names = found
    shapes: list[Shape] = [Rectangle(frame.left, frame.top, wide, high, line="faint")]
    for number, text in below:
        x = frame.left + across.at(number) * wide
        shapes.append(Line(((x, frame.top), (x, frame.bottom)), "faint", 0.4))
        shapes.append(Text(x, frame.bottom + SMALL + 2, text, SMALL, "quiet", anchor="middle"))
    for number, text in beside:
        y = frame.bottom - up.at(number) * high
        shapes.append(Line(((frame.left, y), (frame.right, y)), "faint", 0.4))
        shapes.append(Text(frame.left - 4, y + SMALL * 0.35, text, SMALL, "quiet", anchor="end"))
    shapes.append(Text(0, PLAIN, f"MACs{_scale(up)}", PLAIN, bold=True))
    end = f"parameters{_scale(across)}"
    shapes.append(Text(frame.right, height - 2, end, PLAIN, bold=True, anchor="end"))
    shapes += [_part(mark, place) for mark, place in zip(marks, names, strict=True)]
    return over, Drawing(tuple(shapes), room, height)


def _scale(axis: _Axis) -> str:
    return " (logarithmic)" if axis.is_log else ""


def _part(mark: _Mark, place: _Area) -> Part:
    """A network's mark and name, with a line between them where they are far apart."""
    network, x, y, middle = mark.network, mark.x, mark.y, (place.top + place.bottom) / 2
    shapes: list[Shape] = []
    if (way := _way(mark, place)) is not None:
        shapes.append(Line(way, "line", 0.5))
    shapes.append(Circle(x, y, _MARK, "parameters", "ground", 0.6))
    shapes.append(Text(place.left, middle + SMALL * 0.35, mark.name, SMALL))
    told = f"{abbreviate(network.parameters)} parameters, {with_unit(network.macs or 0, 'MACs')}"
    facts = ("network", network.name), ("parameters", str(network.parameters)), ("macs", str(network.macs))
    return Part(tuple(shapes), f"{mark.name}: {told}", facts)


def _way(mark: _Mark, place: _Area) -> tuple[Point, Point] | None:
    """The line from a mark to its name; None where they are near each other."""
    nearest = min(max(mark.x, place.left), place.right), min(max(mark.y, place.top), place.bottom)
    is_far = abs(nearest[0] - mark.x) + abs(nearest[1] - mark.y) > 2 * _NEAR
    return ((mark.x, mark.y), nearest) if is_far else None


def _places(marks: Sequence[_Mark], frame: _Area) -> tuple[int, list[_Area]] | None:
    """Where each name stands, none over another one or a mark: each as near to its mark as there is room, those with the most
    neighbours first; and for how many that is so far away that a line goes over a name. None where one finds no place."""
    taken = [mark.area for mark in marks]
    ways: list[tuple[Point, Point]] = []
    found: dict[int, _Area] = {}
    over = 0

    def is_clear(mark: _Mark, place: _Area) -> bool:
        way = _way(mark, place)
        return not any(map(place.is_on, ways)) and not (way and any(each.is_on(way) for each in found.values()))

    crowd = [sum(abs(mark.x - each.x) < 60 and abs(mark.y - each.y) < 20 for each in marks) for mark in marks]
    for number in sorted(range(len(marks)), key=lambda at: (-crowd[at], marks[at].x, at)):
        mark = marks[number]
        free = (place for place in _tried(mark, frame) if not any(map(place.overlaps, taken)))
        first = next(free, None)
        if first is None:
            return None
        place = next((each for each in chain((first,), free) if is_clear(mark, each)), None)
        over += place is None
        found[number] = place or first
        taken.append(found[number].wider(2.0))
        ways += [way] if (way := _way(mark, found[number])) is not None else []
    return over, [found[number] for number in range(len(marks))]


def _tried(mark: _Mark, frame: _Area) -> Iterator[_Area]:
    """Places for a name, farther and farther from its mark: right and left of it first, then above and below."""
    wide, high = width(mark.name, SMALL), SMALL
    for far in (_NEAR, *(_NEAR + 4 * step for step in range(1, 40))):
        for turn in _TURNS if far > _NEAR else _TURNS[:4]:
            x, y = mark.x + far * cos(turn), mark.y + far * sin(turn)
            left = x - wide * (1 - cos(turn)) / 2
            place = _Area(left, y - high / 2 + high / 2 * sin(turn), left + wide, y + high / 2 + high / 2 * sin(turn))
            if (
                frame.left < place.left
                and place.right < frame.right
                and frame.top < place.top
                and place.bottom < frame.bottom
            ):
                yield place


_TURNS: Final = (0.0, pi, 1.5 * pi, 0.5 * pi, *((number + 0.5) * pi / 8 for number in range(16)))
"""The directions in which a name may lie, the best first."""
