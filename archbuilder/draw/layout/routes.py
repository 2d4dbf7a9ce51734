"""The ways of edges on a grid, before anything has a size: right out of a box, along a lane or a corridor between lanes, and from
the left, from above or from below into the next.

Verticals run between columns only, horizontals in lanes that are free there and in corridors, so that no edge can pass through
a box. Of all such ways each edge takes one that crosses the fewest others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from typing import Final, NamedTuple, TypeAlias

from archbuilder.draw.layout.grid import Grid
from archbuilder.draw.model.figure import Edge

_COMPARED: Final = 30_000
"""How many pairs of a way and a piece of another one are looked at in a figure, about, to see whether they cross."""

_BESIDE: Final = 200
"""With so many pieces in its corridor it is compared whether a way must cross them, if not with fewer in all."""
_FEW: Final = 8
"""With so many it is in any figure."""

Value: TypeAlias = tuple[str, int | None]
"""Where a value comes from: a box, and which of its values it is."""

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
        if len(self.corners) < 4:  # a corridor is between two other pieces
            return
        for number, ((x1, y1), (x2, y2)) in enumerate(self.pieces()):
            if y1 == y2 and y1 % 1:
                before, behind = self.corners[number - 1], self.corners[number + 2]
                yield y1, Track(self.edge, x1, x2, before[1] < y1, behind[1] < y1)


@dataclass
class Router:
    """Finds the ways of all edges."""

    grid: Grid
    ways: list[Way] = field(default_factory=list)
    level: deque[tuple[Value, float, float, float]] = field(init=False)
    """The last horizontal pieces of ways: from where to where, and in which lane or corridor."""
    upright: deque[tuple[Value, float, float, float]] = field(init=False)
    """The last vertical ones: in which column or gap, and from where to where."""
    in_lanes: dict[tuple[float, int], Value | None] = field(default_factory=dict)
    """The value whose line runs through a lane, by half columns; None if there are several."""
    tracks: dict[float, list[Track]] = field(default_factory=dict)
    """The pieces in each corridor."""
    entered: dict[str, list[Edge]] = field(default_factory=dict)
    """The edges that enter each box from the left."""

    def __post_init__(self) -> None:
        self.compared = max(_COMPARED // (len(self.grid.figure.edges) + 1), _FEW)
        self.level, self.upright = deque(maxlen=self.compared), deque(maxlen=self.compared)

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
            way = self._best(candidates)
            self._take(way)
            found[edge] = way
        return [found[edge] for edge in edges]

    # ---- candidates ---------------------------------------------------------------------------------------------

    def _candidates(self, edge: Edge, *, alone: bool) -> list[Way]:
        grid = self.grid
        (a, i), (b, j) = ((grid.columns[key], grid.lanes[key]) for key in (edge.source, edge.target))
        straight = Way(edge, ((a, i), (b, j)))
        if i == j and grid.is_free(i, a, b) and self._is_possible(straight):
            return [straight]
        if edge.kind == "exchange" and grid.is_free(i, a, b):  # streams fan out in the last gap
            return [Way(edge, ((a, i), *(((b - 1, i),) if b > a + 1 else ()), (b, j)))]
        lanes = grid.lanes.values()
        outer = (min(lanes) - 0.5, max(lanes) + 0.5)
        corridors = sorted({*outer, i - 0.5, i + 0.5, j - 0.5, j + 0.5})
        found: list[Way] = []
        for y in (i, j, *corridors):
            if not grid.is_free(y, a, b) or y == i == j:
                continue
            start: tuple[Corner, ...] = ((a, i),) if y == i else ((a, i), (a + 0.5, i), (a + 0.5, y))
            if y == j:
                found.append(Way(edge, (*start, (b, j))))
                continue
            found.append(Way(edge, (*start, (b - 0.5, y), (b - 0.5, j), (b, j))))
            if not alone and grid.column_is_free(b, y, j):
                found.append(Way(edge, (*start, (b, y), (b, j))))
        return [way for way in found if self._is_possible(way)] or found

    def _take(self, way: Way) -> None:
        value = way.edge.source, way.edge.item
        self.ways.append(way)
        for (x1, y1), (x2, y2) in way.pieces():
            if y1 == y2:
                self.level.append((value, x1, x2, y1))
                if not y1 % 1:
                    for half in range(int(2 * x1), int(2 * x2)):
                        if self.in_lanes.setdefault((y1, half), value) != value:
                            self.in_lanes[y1, half] = None
            elif x1 == x2:
                self.upright.append((value, x1, min(y1, y2), max(y1, y2)))
        for corridor, track in way.tracks():
            self.tracks.setdefault(corridor, []).append(track)
        if way.enters_left:
            self.entered.setdefault(way.edge.target, []).append(way.edge)

    def _is_possible(self, way: Way) -> bool:
        """Whether it runs over no other value's line in a lane."""
        own = way.edge.source, way.edge.item
        for (x1, y1), (x2, y2) in way.pieces():
            if y1 == y2 and not y1 % 1:
                for half in range(int(2 * x1), int(2 * x2)):
                    if self.in_lanes.get((y1, half), own) != own:
                        return False
        return True

    # ---- which of them ------------------------------------------------------------------------------------------

    def _best(self, ways: Sequence[Way]) -> Way:
        """The way that costs the least, the first of such; those that are plain are tried first, which mostly ends it."""
        if len(ways) == 1:
            return ways[0]
        least, best = inf, 0
        for plain, number in sorted((self._plain_cost(way), number) for number, way in enumerate(ways)):
            if plain > least:
                break
            cost = plain + 100 * self._crossings(ways[number], (least - plain) / 100)
            least, best = min((least, best), (cost, number))
        return ways[best]

    def _plain_cost(self, way: Way) -> float:
        """What a way costs that crosses nothing: its height, its corners, the wrong side."""
        height = sum(abs(y2 - y1) for (_, y1), (_, y2) in way.pieces())
        corners = len(way.corners)
        middle = way.corners[corners // 2][1]
        wrong_side = 0.6 * (middle > 0) if way.edge.kind != "main" else 0.3 * (middle < 0)
        entered = self.entered.get(way.edge.target, ())
        beside = way.enters_left and any(not edge.is_like(way.edge) for edge in entered)
        return 4 * height + corners + wrong_side + 20 * beside

    def _crossings(self, way: Way, most: float) -> int:
        """How many others a way crosses; where that is more than `most`, not all are counted."""
        own, found = (way.edge.source, way.edge.item), 0
        for (x1, y1), (x2, y2) in way.pieces():
            if y1 == y2:
                for value, u, low, high in self.upright:
                    found += x1 < u < x2 and low < y1 < high and value != own
            elif x1 == x2:
                top, bottom = min(y1, y2), max(y1, y2)
                for value, u1, u2, v in self.level:
                    found += top < v < bottom and u1 < x1 < u2 and value != own
            if found > most:
                return found
        for corridor, track in way.tracks():
            found += sum(map(track.must_cross, self.tracks.get(corridor, ())[-min(_BESIDE, self.compared) :]))
        return found
