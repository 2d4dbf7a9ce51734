"""How shapes are drawn, in the same way by each output: rounded corners, arrow heads, dashes, hatching."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from archbuilder.draw.scene import Dash, Ink, Line, Point, Rectangle

ROUND: Final = 0.5523
"""How far the handles of a curve reach towards a corner, so that a rounded right angle is a quarter of a circle."""

HATCH_STEP: Final = 3.0
"""Points from one line of a hatching to the next."""
HATCH_WIDTH: Final = 0.9


@dataclass(frozen=True)
class Curve:
    """A turn from where a path has come to, with two handles, to its end."""

    first: Point
    second: Point
    end: Point


Piece: TypeAlias = Point | Curve
"""A path goes straight to a point, or along a curve."""


@dataclass(frozen=True)
class Stroke:
    """A line as it is drawn: where it starts, how it goes on, and the corners of the triangle at its end."""

    start: Point
    pieces: tuple[Piece, ...]
    head: tuple[Point, Point, Point] | None = None


def stroke_of(line: Line) -> Stroke | None:
    """How a line is drawn; not at all, if it leads nowhere. It ends inside its arrow head, whose tip is where it leads to."""
    points = [point for number, point in enumerate(line.points) if number == 0 or point != line.points[number - 1]]
    if len(points) < 2:
        return None
    head = None
    if line.arrow:
        head, points[-1] = _head(points[-2], points[-1], line.width)
    return Stroke(points[0], tuple(_rounded(points, line.radius)), head)


def _head(before: Point, tip: Point, width: float) -> tuple[tuple[Point, Point, Point], Point]:
    """The triangle at the end of a line, and where in it the line ends."""
    length, half = 3.6 + 2 * width, 1.6 + 1.2 * width
    away = math.dist(before, tip)
    x, y = (tip[0] - before[0]) / away, (tip[1] - before[1]) / away
    base = (tip[0] - x * length, tip[1] - y * length)
    sides = (base[0] - y * half, base[1] + x * half), (base[0] + y * half, base[1] - x * half)
    back = min(length / 2, away / 2)
    return (tip, *sides), (tip[0] - x * back, tip[1] - y * back)


def _rounded(points: list[Point], radius: float) -> Iterator[Piece]:
    for number in range(1, len(points) - 1):
        before, corner, after = points[number - 1 : number + 2]
        cut = min(radius, math.dist(before, corner) / 2, math.dist(corner, after) / 2)
        if cut > 0:
            start, end = towards(corner, before, cut), towards(corner, after, cut)
            yield start
            yield Curve(towards(start, corner, cut * ROUND), towards(end, corner, cut * ROUND), end)
        else:
            yield corner
    yield points[-1]


def towards(start: Point, end: Point, far: float) -> Point:
    """The point so far from one point in the direction of another."""
    share = far / (math.dist(start, end) or 1)
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def dashes(dash: Dash, width: float) -> tuple[float, float] | None:
    """How long the dashes of a line are, and the gaps between them; None, if it has none."""
    if dash == "solid":
        return None
    return (2.8 + 1.5 * width, 1.6 + width) if dash == "dashed" else (width, 1.2 + width)


def radius_of(rectangle: Rectangle) -> float:
    """How far its corners are rounded: as far as asked for, and as there is room."""
    return min(rectangle.radius, rectangle.width / 2, rectangle.height / 2)


def hatch_ink(rectangle: Rectangle) -> Ink:
    """In which ink a rectangle is hatched: that of its line, else that of the ground, which shows on a dark fill."""
    return rectangle.line or ("ground" if rectangle.fill else "line")


def hatching(rectangle: Rectangle) -> Iterator[tuple[Point, Point]]:
    """The lines over a rectangle, from its left side upwards. Those of all rectangles of a scene are in step."""
    left, top = rectangle.x, rectangle.y
    right, bottom = left + rectangle.width, top + rectangle.height
    apart = HATCH_STEP * math.sqrt(2)  # of x + y from line to line
    for number in range(math.floor((left + top) / apart), math.ceil((right + bottom) / apart)):
        total = (number + 0.5) * apart
        start, end = max(left, total - bottom), min(right, total - top)
        if start < end:
            yield (start, total - start), (end, total - end)
