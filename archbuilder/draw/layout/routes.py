"""The ways of edges on a grid, before anything has a size: right out of a box, along a lane or a corridor between lanes, and from
the left, from above or from below into the next.

Verticals run between columns only, horizontals in lanes that are free there and in corridors, so that no edge can pass through
a box. Of all such ways each edge takes one that crosses the fewest others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

from archbuilder.draw.layout.grid import Grid
from archbuilder.draw.model.figure import Edge

_COMPARED: Final = 60_000
"""How many pairs of a way and a piece of another one are looked at in a figure, about, to see whether they cross."""

_BESIDE: Final = 200
"""With so many pieces in its corridor it is compared whether a way must cross them."""

Corner = tuple[float, float]
"""A column, or the gap behind it if it ends in a half; a lane, or the corridor below it."""


class Track(NamedTuple):
    """A line's piece in a corridor: its columns, and whether it comes from above and goes on upwards."""

    edge: Edge
    start: float
    stop: float
    from_above: bool
    to_above: bool

    def must_cross(self, other: Track) -> bool:
        """Whether it crosses another piece in its corridor, whichever of them lies above."""
        first, second = (self, other) if self.start < other.start else (other, self)
        overlap = first.start < second.start < first.stop < second.stop
        return overlap and first.to_above == second.from_above and not self.edge.is_like(other.edge)


class Way(NamedTuple):
    """The corners of an edge on the grid, from a box to a box. Where it `enters` at the left, its last piece is horizontal."""

    edge: Edge
    corners: tuple[Corner, ...]

    @property
    def enters_left(self) -> bool:
        return self.corners[-1][0] != self.corners[-2][0]

    @property
    def fans_out(self) -> bool:
        """Whether its last piece is slanting."""
        return all(one != two for one, two in zip(self.corners[-1], self.corners[-2], strict=True))

    def pieces(self) -> Iterator[tuple[Corner, Corner]]:
        return pairwise(self.corners)

    def tracks(self) -> Iterator[tuple[float, Track]]:
        """Its pieces in corridors, each with the corridor."""
        for number, ((x1, y1), (x2, y2)) in enumerate(self.pieces()):
            if y1 == y2 and y1 % 1:
                before, behind = self.corners[number - 1], self.corners[number + 2]
                yield y1, Track(self.edge, x1, x2, before[1] < y1, behind[1] < y1)


@dataclass
class Router:
    """Finds the ways of all edges."""

    grid: Grid
    ways: list[Way] = field(default_factory=list)
    level: deque[tuple[Edge, float, float, float]] = field(init=False)
    """The last horizontal pieces of ways: from where to where, and in which lane or corridor."""
    upright: deque[tuple[Edge, float, float, float]] = field(init=False)
    """The last vertical ones: in which column or gap, and from where to where."""
    in_lanes: dict[float, list[tuple[Edge, float, float]]] = field(default_factory=dict)
    """The horizontal pieces in each lane: from where to where."""
    tracks: dict[float, list[Track]] = field(default_factory=dict)
    """The pieces in each corridor."""
    entered: dict[str, list[Edge]] = field(default_factory=dict)
    """The edges that enter each box from the left."""

    def __post_init__(self) -> None:
        last = max(_COMPARED // (len(self.grid.figure.edges) + 1), 40)
        self.level, self.upright = deque(maxlen=last), deque(maxlen=last)

    def all(self) -> list[Way]:
        """The ways, in the order of the figure's edges."""
        columns, lanes = self.grid.columns, self.grid.lanes
        found: dict[Edge, Way] = {}

        def order(edge: Edge) -> tuple[bool, int, int, int]:
            """Straight ones first, then those of one source together, which nest."""
            bends = lanes[edge.source] != lanes[edge.target]
            start = columns[edge.source]
            return bends, start, columns[edge.target] - start, abs(lanes[edge.source] - lanes[edge.target])

        edges = self.grid.figure.edges
        incoming: dict[str, int] = {}
        for edge in edges:
            incoming[edge.target] = incoming.get(edge.target, 0) + 1
        for edge in sorted(edges, key=order):
            candidates = self._candidates(edge, alone=incoming[edge.target] == 1)
            way = min(candidates, key=self._cost)
            self._take(way)
            found[edge] = way
        return [found[edge] for edge in edges]

    # ---- candidates ---------------------------------------------------------------------------------------------

    def _candidates(self, edge: Edge, *, alone: bool) -> list[Way]:
        grid = self.grid
        (a, i), (b, j) = ((grid.columns[key], grid.lanes[key]) for key in (edge.source, edge.target))
        if i == j and grid.is_free(i, a, b):
            return [Way(edge, ((a, i), (b, j)))]
        if edge.kind == "exchange" and grid.is_free(i, a, b):  # streams fan out in the last gap
            return [Way(edge, ((a, i), *(((b - 1, i),) if b > a + 1 else ()), (b, j)))]
        lanes = grid.lanes.values()
        outer = (min(lanes) - 0.5, max(lanes) + 0.5)
        corridors = sorted({*outer, i - 0.5, i + 0.5, j - 0.5, j + 0.5})
        found: list[Way] = []
        for y in (i, j, *corridors):
            if not grid.is_free(y, a, b):
                continue
            start: tuple[Corner, ...] = ((a, i),) if y == i else ((a, i), (a + 0.5, i), (a + 0.5, y))
            if y == j:
                found.append(Way(edge, (*start, (b, j))))
                continue
            found.append(Way(edge, (*start, (b - 0.5, y), (b - 0.5, j), (b, j))))
            if not alone and self._column_is_free(b, y, j):
                found.append(Way(edge, (*start, (b, y), (b, j))))
        return [way for way in found if self._is_possible(way)] or found

    def _column_is_free(self, column: int, y: float, lane: int) -> bool:
        """Whether no box stands in a column from some height to a lane."""
        low, high = sorted((y, lane))
        between = range(-int(-low // 1), int(high // 1) + 1)
        return not any((column, each) in self.grid.cells for each in between if each != lane)

    def _take(self, way: Way) -> None:
        self.ways.append(way)
        for (x1, y1), (x2, y2) in way.pieces():
            if y1 == y2:
                self.level.append((way.edge, x1, x2, y1))
                if not y1 % 1:
                    self.in_lanes.setdefault(y1, []).append((way.edge, x1, x2))
            elif x1 == x2:
                self.upright.append((way.edge, x1, min(y1, y2), max(y1, y2)))
        for corridor, track in way.tracks():
            self.tracks.setdefault(corridor, []).append(track)
        if way.enters_left:
            self.entered.setdefault(way.edge.target, []).append(way.edge)

    def _is_possible(self, way: Way) -> bool:
        """Whether it runs over no other value's line in a lane."""
        for (x1, y1), (x2, y2) in way.pieces():
            if y1 == y2 and not y1 % 1:
                for edge, u1, u2 in self.in_lanes.get(y1, ()):
                    if x1 < u2 and u1 < x2 and not edge.is_like(way.edge):
                        return False
        return True

    # ---- which of them ------------------------------------------------------------------------------------------

    def _cost(self, way: Way) -> float:
        crossings = 0
        for (x1, y1), (x2, y2) in way.pieces():
            if y1 == y2:
                crossings += sum(
                    x1 < u < x2 and low < y1 < high and not edge.is_like(way.edge)
                    for edge, u, low, high in self.upright
                )
            elif x1 == x2:
                low, high = min(y1, y2), max(y1, y2)
                crossings += sum(
                    u1 < x1 < u2 and low < v < high and not edge.is_like(way.edge) for edge, u1, u2, v in self.level
                )
        for corridor, track in way.tracks():
            crossings += sum(map(track.must_cross, self.tracks.get(corridor, ())[-_BESIDE:]))
        height = sum(abs(y2 - y1) for (_, y1), (_, y2) in way.pieces())
        corners = len(way.corners)
        middle = way.corners[len(way.corners) // 2][1]
        wrong_side = 0.6 * (middle > 0) if way.edge.kind != "main" else 0.3 * (middle < 0)
        entered = self.entered.get(way.edge.target, ())
        beside = way.enters_left and any(not edge.is_like(way.edge) for edge in entered)
        return 100 * crossings + 4 * height + corners + wrong_side + 20 * beside
