"""A figure that is too wide, as several: each goes on where the one before ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile
from math import inf
from typing import TypeAlias

from archbuilder.draw.layout.arrange import Arrangement
from archbuilder.draw.model.figure import Box, Edge, Figure

Rows: TypeAlias = Mapping[str, int] | None
"""The row of each box, where these mean something."""


def in_rows(
    figure: Figure, rows: Rows, room: float, arranged: Callable[[Figure, Rows], Arrangement], *, even: bool = False
) -> list[tuple[Figure, Arrangement]]:
    """A figure as `arranged` places it, in as many pieces as it needs so that none is wider than there is room, as far as that
    can be; where they are to be `even`, none is much wider than the others."""
    whole = arranged(figure, rows)
    if whole.width <= room:
        return [(figure, whole)]
    cutter = _Cutter(figure, whole.columns, whole.column_x)
    least, at_most = max(wide for _, wide in whole.column_x), room
    if even:
        count = cutter.count(room)
        at_most = room * next(share for share in (0.6, 0.7, 0.8, 0.9, 1.0) if cutter.count(room * share) == count)
    found: list[tuple[Figure, Arrangement]] = []
    first = 0
    while first <= cutter.last:
        limit, over, stop = at_most, inf, -1
        while over > 0 and (stop < 0 or limit > least):
            before, stop = stop, cutter.stop(first, limit)
            if stop != before:
                piece = cutter.piece(first, stop)
                arrangement = arranged(piece, _rows_in(piece, rows))
                over = arrangement.width - room
            at_most, limit = limit, max(limit - max(over, 4), least)  # the ends where it is cut take room too
        found.append((piece, arrangement))
        first = stop + 1
    return found


def _rows_in(piece: Figure, rows: Rows) -> dict[str, int] | None:
    """The rows of the boxes of a piece; where it is cut, those of the boxes whose values go on there."""
    if rows is None:
        return None
    return {box.id: rows[box.stands_for[0] if box.stands_for is not None else box.id] for box in piece.boxes}


@dataclass
class _Cutter:
    """Cuts a figure behind some of its columns, of which `starts` say where each begins, and how wide it is."""

    figure: Figure
    columns: Mapping[str, int]
    starts: Sequence[tuple[float, float]]

    def __post_init__(self) -> None:
        self.columns = {**self.columns, **_beside(self.figure, self.columns)}
        self.crossings = _crossings(self.figure, self.columns)
        self.filled = {self.columns[box.id] for box in self.figure.boxes if not box.end}
        self.last = max(self.filled, default=0)
        """Behind it is only what leaves, as before the first box is what enters."""

    def stop(self, first: int, room: float) -> int:
        """The last column of a piece that is no wider than `room`, as far as its columns are not."""
        stop = least = next((at for at in range(first, self.last + 1) if at in self.filled), self.last)
        while stop < self.last and sum(self.starts[stop + 1]) - self.starts[first][0] <= room:
            stop += 1
        if stop < self.last:
            stop = min(range(max(least, stop - 2), stop + 1), key=lambda at: (self.crossings[at], -at))
        return stop

    def count(self, room: float) -> int:
        """How many pieces there are that are no wider than `room`."""
        first = count = 0
        while first <= self.last:
            first, count = self.stop(first, room) + 1, count + 1
        return count

    def piece(self, first: int, stop: int) -> Figure:
        """The piece from one column to another one."""
        end = stop if stop < self.last else len(self.starts) - 1
        named = first > 0 and self.crossings[first - 1] > 1, self.crossings[end] > 1
        return _piece(self.figure, self.columns, (first, end), named)


def _beside(figure: Figure, columns: Mapping[str, int]) -> dict[str, int]:
    """The columns of the boxes whose values leave the figure, for the ends where they do: no cut comes between them."""
    ends = {box.id for box in figure.boxes if box.end}
    return {edge.target: columns[edge.source] for edge in figure.edges if edge.target in ends}


def _crossings(figure: Figure, columns: Mapping[str, int]) -> list[int]:
    """How many values go from one side of a cut behind each column to the other."""
    last: dict[tuple[str, int | None], int] = {}
    for edge in figure.edges:
        value = (edge.source, edge.item)
        last[value] = max(last.get(value, 0), columns[edge.target])
    found = [0] * (max(columns.values(), default=0) + 2)
    for (source, _), stop in last.items():
        if stop > columns[source]:
            found[columns[source]] += 1
            found[stop] -= 1
    return list(accumulate(found))


def _piece(figure: Figure, columns: Mapping[str, int], span: tuple[int, int], named: tuple[bool, bool]) -> Figure:
    """The boxes of some columns, with ends for what comes from before and for what goes on, which are `named` after the boxes
    that they come from, or not."""
    first, last = span
    inside = {key for key, column in columns.items() if first <= column <= last}
    entries: dict[tuple[str, int | None], Box] = {}
    exits: dict[tuple[str, int | None], Box] = {}
    edges: list[Edge] = []
    by_id = {box.id: box for box in figure.boxes}
    for edge in figure.edges:
        value = (edge.source, edge.item)
        before, behind = columns[edge.source] < first, columns[edge.target] > last
        if edge.target in inside and edge.source in inside:
            edges.append(edge)
        elif edge.target in inside and before:
            entry = entries.setdefault(value, _end(by_id[edge.source], edge.item, "from", named=named[0]))
            edges.append(edge._replace(source=entry.id, item=None, label=edge.label if named[0] else ""))
        elif edge.source in inside and behind and value not in exits:
            exits[value] = _end(by_id[edge.source], edge.item, "to", named=named[1])
            edges.append(Edge(edge.source, exits[value].id, edge.item, 0, edge.label, edge.kind))
    boxes = [box for box in figure.boxes if box.id in inside]
    return Figure((*entries.values(), *boxes, *exits.values()), tuple(edges))


def _end(box: Box, item: int | None, word: str, *, named: bool) -> Box:
    """An end that is called as the box whose value leaves or comes there."""
    name = (box.name or last_part(box.id)) + ("" if item is None else f".{item}")
    value = (box.id, item)
    return Box(f"{word} {box.id}.{item}", box.role, name if named else "", end=True, gives=box.gives, stands_for=value)


def last_part(path: str) -> str:
    """A path's last name, with the numbers behind it: "denseblock1" of "features.denseblock1", "stage3.0" as it is."""
    first, dash, last = path.partition("–")
    if dash:
        return joined_names(last_part(first), last_part(last))
    parts = path.split(".")
    names = [number for number, part in enumerate(parts) if not part.isdigit()]
    return ".".join(parts[names[-1] if names else 0 :])


def joined_names(one: str, two: str) -> str:
    """Two names as the ends of a row, the second without what it shares with the first: "inception4b–4d"."""
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, two, strict=False)))
    while alike and (two[alike - 1].isdigit() or alike == len(two)):
        alike -= 1
    return f"{one}–{two[alike:]}"
