"""Columns and lanes: where the boxes of a figure stand before anything has a size.

The main path runs straight in lane 0. Whatever else there is stands in lanes of its own above (projections) or below it
(branches), the shorter ways nearer to the main path, so that they nest.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from archbuilder.draw.model.figure import Edge, Figure


@dataclass
class Grid:
    """The column and the lane of each box."""

    figure: Figure
    columns: dict[str, int]
    lanes: dict[str, int]
    main: tuple[str, ...]

    def __post_init__(self) -> None:
        self.in_lane: dict[float, list[int]] = {}
        self.in_column: dict[int, list[int]] = {}
        for column, lane in sorted({(self.columns[key], self.lanes[key]) for key in self.columns}):
            self.in_lane.setdefault(lane, []).append(column)
            self.in_column.setdefault(column, []).append(lane)

    def is_free(self, lane: float, after: float, before: float) -> bool:
        """Whether no box stands in a lane between two columns; in a corridor, which is between two lanes, none ever does."""
        return not _between(self.in_lane.get(lane, ()), after, before)

    def column_is_free(self, column: int, start: float, lane: int) -> bool:
        """Whether no box stands in a column from some height, that included, to a lane."""
        places = self.in_column.get(column, ())
        return not (_between(places, start - 0.1, lane) if start < lane else _between(places, lane, start + 0.1))


def _between(places: Sequence[int], after: float, before: float) -> bool:
    """Whether one of some places, which are in order, lies between two others."""
    first = bisect_right(places, after)
    return first < len(places) and places[first] < before


def grid_of(figure: Figure, rows: Mapping[str, int] | None = None) -> Grid:
    """Places the boxes of a figure, in given rows if there are such."""
    main = figure.main_path()
    columns = _columns(figure)
    if rows is not None:
        return Grid(figure, columns, _apart(columns, rows), main)
    return Grid(figure, columns, _Lanes(figure, columns, main).all(), main)


def _columns(figure: Figure) -> dict[str, int]:
    """For each box the length of the longest way to it; what comes from nowhere stands right before its reader, and what leaves
    in the last column."""
    columns: dict[str, int] = {}
    into: dict[str, list[Edge]] = {box.id: [] for box in figure.boxes}
    for edge in figure.edges:
        into[edge.target].append(edge)
    for box in figure.boxes:
        columns[box.id] = max((columns[edge.source] + 1 for edge in into[box.id]), default=0)
    last = max(columns.values(), default=0)
    for box in reversed(figure.boxes):
        readers = [columns[edge.target] for edge in figure.edges if edge.source == box.id]
        if not into[box.id] and not box.end and readers:
            columns[box.id] = max(min(readers) - 1, 0)
        elif box.end and into[box.id] and not box.name:  # a further output stands by what gives it
            columns[box.id] = last
    return columns


def _apart(columns: Mapping[str, int], rows: Mapping[str, int]) -> dict[str, int]:
    """The rows as lanes, with room between them for what would stand in the same cell."""
    depth: dict[tuple[int, int], int] = {}
    within: dict[str, int] = {}
    for key, column in columns.items():
        cell = (column, rows[key])
        within[key] = depth[cell] = depth.get(cell, -1) + 1
    rooms = {row: 1 + max(within[key] for key in rows if rows[key] == row) for row in set(rows.values())}
    starts, start = {}, 0
    for row in sorted(rooms):
        starts[row] = start
        start += rooms[row]
    return {key: starts[row] + within[key] for key, row in rows.items()}


@dataclass
class _Chain:
    """Boxes that follow each other beside the main path, and from where to where their lane is taken."""

    boxes: list[str]
    start: float
    stop: float
    side: int = 1
    joins: str = ""


@dataclass
class _Lanes:
    figure: Figure
    columns: dict[str, int]
    main: tuple[str, ...]
    lanes: dict[str, int] = field(default_factory=dict)
    taken: dict[int, list[tuple[float, float]]] = field(default_factory=dict)

    def all(self) -> dict[str, int]:
        self.lanes = dict.fromkeys(self.main, 0)
        chains = sorted(self._chains(), key=lambda chain: chain.stop - chain.start)
        sides: dict[str, int] = {}
        for chain in chains:
            beside = sides.get(chain.joins, 0)
            if not chain.side:  # branches of one join stand below and above it in turn
                chain.side = -1 if beside % 2 else 1
                sides[chain.joins] = beside + 1
            lane = chain.side
            while not self._is_free(lane, chain):
                lane += chain.side
            self.taken.setdefault(lane, []).append((chain.start, chain.stop))
            self.lanes.update(dict.fromkeys(chain.boxes, lane))
        return self.lanes

    def _is_free(self, lane: int, chain: _Chain) -> bool:
        return all(stop <= chain.start or chain.stop <= start for start, stop in self.taken.get(lane, ()))

    def _chains(self) -> list[_Chain]:
        out: dict[str, list[Edge]] = {box.id: [] for box in self.figure.boxes}
        into: dict[str, list[Edge]] = {box.id: [] for box in self.figure.boxes}
        for edge in self.figure.edges:
            out[edge.source].append(edge)
            into[edge.target].append(edge)
        seen, chains = set(self.main), list[_Chain]()
        for box in self.figure.boxes:
            if box.id in seen:
                continue
            boxes = [box.id]
            seen.add(box.id)
            while (after := next((e.target for e in out[boxes[-1]] if e.target not in seen), None)) is not None:
                boxes.append(after)
                seen.add(after)
            chains.append(self._chain(boxes, into[boxes[0]], out[boxes[-1]]))
        return chains

    def _chain(self, boxes: list[str], into: list[Edge], out: list[Edge]) -> _Chain:
        first, last = self.columns[boxes[0]], self.columns[boxes[-1]]
        start = min((self.columns[edge.source] + 0.5 for edge in into), default=first - 0.5)
        stop = max((self.columns[edge.target] for edge in out), default=last + 0.5)
        shortcut = any(edge.kind in ("projection", "plain") for edge in out)
        joins = out[0].target if out else ""
        return _Chain(boxes, start, max(stop, last + 0.5), -1 if shortcut else 0, joins)
