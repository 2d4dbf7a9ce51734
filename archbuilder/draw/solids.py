"""Maps as solids: what height, depth and thickness stand for, and where the corners of each are."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, NamedTuple

from archbuilder.draw.model.figure import EdgeKind
from archbuilder.draw.model.maps import Volume, channels_of, size_of
from archbuilder.draw.scene import Line, Part, Point, Polygon, Rectangle, Shape
from archbuilder.graph.shapes import Shape as ValueShape

_RIGHT: Final = 0.36
"""How far to the right a map's depth leads, in heights of a map that is as wide as high."""
_UP: Final = 0.26
ARCH: Final = 3.6
"""How far above a step a shortcut leads that goes around it."""
_STRIPE: Final = 0.34
"""How much of its thickness shows that a step ends with an activation."""


class Scale(NamedTuple):
    """Points for a map's size, of which the largest is so high, and for its channels."""

    height: float
    largest: int
    thickness: float

    def length(self, size: int) -> float:
        """Roots keep small maps readable beside large ones."""
        return self.height * math.sqrt(size / self.largest)

    def thick(self, channels: int) -> float:
        return self.thickness * math.cbrt(channels)


class Solid(NamedTuple):
    """A value. `x` is where the middle of its left side is, as seen; its middle lies on the line at height 0."""

    volume: Volume
    shape: ValueShape
    x: float
    thick: float
    high: float
    deep: float
    around: EdgeKind = "main"

    @property
    def across(self) -> float:
        return self.deep * _RIGHT

    @property
    def up(self) -> float:
        return self.deep * _UP

    @property
    def left(self) -> float:
        return self.x - self.across / 2

    @property
    def right(self) -> float:
        return self.x + self.thick + self.across / 2

    @property
    def half(self) -> float:
        """How far it reaches above and below the line."""
        return (self.high + self.up) / 2

    @property
    def over(self) -> float:
        """How far a shortcut leads above it."""
        return 0.0 if self.around == "main" else ARCH + 1.3

    @property
    def front(self) -> tuple[float, float]:
        """From where to where its front is."""
        return self.left, self.left + self.thick

    def outline(self) -> tuple[Point, ...]:
        """The corners of all that is seen of it, from the lower left one on."""
        (left, right), low, high = self.front, self.half, self.half - self.high
        ends = (right + self.across, low - self.up), (right + self.across, high - self.up)
        return (left, low), (right, low), *ends, (left + self.across, high - self.up), (left, high)

    def part(self) -> Part:
        """It as shapes, and what it stands for."""
        said = f"{self.volume.kind}: {self.shape}" if self.volume.kind else str(self.shape)
        return Part(tuple(self.shapes()), said, (("map", str(self.shape)),))

    def shapes(self) -> Iterator[Shape]:
        """Its top, its right side and its front, with a stripe at its end if an activation is there."""
        role = self.volume.role
        line = f"{role} line"
        a, b, c, d, e, f = self.outline()
        inner = (b[0], f[1])
        yield Polygon((f, inner, d, e), f"{role} top", line, 0.5)
        yield Polygon((b, c, d, inner), f"{role} side", line, 0.5)
        yield Polygon((a, b, inner, f), role, line, 0.5)
        if self.volume.active:
            x = b[0] - self.thick * _STRIPE
            yield Polygon(((x, a[1]), b, inner, (x, f[1])), "activation", line, 0.5)
        if self.around != "main":
            yield from arch(e[0] + self.thick * 0.08, e[0] + self.thick * 0.92, e[1], self.around)


def arch(start: float, end: float, foot: float, kind: EdgeKind) -> Iterator[Shape]:
    """A shortcut around a step; one that changes its value has a mark."""
    top = foot - ARCH
    yield Line(((start, foot), (start, top), (end, top), (end, foot)), "line", 0.7, radius=ARCH)
    if kind != "identity":
        role, side = "convolution" if kind == "projection" else "pool", min(2.6, (end - start) * 0.6)
        middle = (start + end) / 2
        yield Rectangle(middle - side / 2, top - 1.3, side, 2.6, role, f"{role} line", 0.5)


@dataclass
class Row:
    """The solids of a card, from the left to the right."""

    solids: list[Solid] = field(default_factory=list)

    @property
    def left(self) -> float:
        return min(solid.left for solid in self.solids)

    @property
    def right(self) -> float:
        return max(solid.right for solid in self.solids)

    @property
    def shift(self) -> float:
        """How far it is to be moved so that its middle is at 0."""
        return -(self.left + self.right) / 2

    @property
    def over(self) -> float:
        """How far shortcuts lead above the highest solid."""
        return max(0.0, *(solid.half + solid.over for solid in self.solids)) - self.half

    @property
    def half(self) -> float:
        return max(solid.half for solid in self.solids)

    def reach(self, x: float) -> tuple[float, float]:
        """How far up and down the solids are seen at a place."""
        found = [y for solid in self.solids for y in _at(solid.outline(), x)]
        return (min(found), max(found)) if found else (0.0, 0.0)

    def add(self, solid: Solid, gap: float = 0.0) -> Solid:
        """Puts a solid behind those that are there: on the last one or so far from it, or, if it would hide that, beside it."""
        x = solid.x
        if self.solids:
            last = self.solids[-1]
            x = last.x + last.thick + gap
            if solid.half > last.half + 0.01:
                x = last.right + solid.across / 2 + 1.5
        self.solids.append(solid._replace(x=x))
        return self.solids[-1]


def _at(outline: Sequence[Point], x: float) -> Iterator[float]:
    """Where an outline is met at a place."""
    for (x1, y1), (x2, y2) in zip(outline, (*outline[1:], outline[0]), strict=True):
        if min(x1, x2) <= x <= max(x1, x2) and x1 != x2:
            yield y1 + (y2 - y1) * (x - x1) / (x2 - x1)


class Run(NamedTuple):
    """Solids with one label: equal values in a row, or, where these grow from step to step, the first and the last of them."""

    solids: tuple[Solid, ...]
    channels: str
    size: tuple[int, int]


def row_of(volumes: Sequence[Volume], scale: Scale, most: int) -> tuple[Row, list[Run]]:
    """What a card is made of as solids, of equal ones at most so many, and their labels."""
    row, runs = Row(), list[Run]()
    for volume in volumes:
        steps = list(zip(volume.shapes, volume.around, strict=True))
        equal = [list(found) for _, found in groupby(steps, lambda step: channels_of(step[0]))]
        if len(equal) > most:
            chosen = [steps[number * (len(steps) - 1) // (most - 1)] for number in range(most)]
            solids = _added(row, volume, chosen, scale, some=True)
            runs.append(Run(solids, f"{channels_of(chosen[0][0])}–{channels_of(chosen[-1][0])}", volume.size))
            continue
        for found in equal:
            solids = _added(row, volume, found[:most], scale, some=len(found) > most)
            runs.append(Run(solids, str(channels_of(found[0][0])), volume.size))
    return row, runs


def _added(
    row: Row, volume: Volume, steps: Sequence[tuple[ValueShape, EdgeKind]], scale: Scale, *, some: bool
) -> tuple[Solid, ...]:
    """Puts values into a row. If they are only some of those that there are, the last one stands apart."""
    last = len(steps) - 1
    gap = scale.thick(channels_of(steps[last][0])) / 2 if some else 0.0
    return tuple(row.add(solid_of(volume, *step, scale), gap * (at == last)) for at, step in enumerate(steps))


def solid_of(volume: Volume, shape: ValueShape, around: EdgeKind, scale: Scale) -> Solid:
    """A value as a solid at the beginning."""
    height, width = size_of(shape)
    thick = scale.thick(channels_of(shape))
    return Solid(volume, shape, 0.0, thick, scale.length(height), scale.length(width), around)
