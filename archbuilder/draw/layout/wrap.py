"""A figure that is too wide, as several: each goes on where the one before ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile
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
    least, at_most = max(wide for _, wide in whole.column_x), room
    known: dict[tuple[str, ...], tuple[Figure, Arrangement]] = {}
    while True:
        pieces = wrapped_figures(figure, whole.columns, whole.column_x, at_most)
        for share in (0.6, 0.7, 0.8, 0.9) if even else ():
            alike = wrapped_figures(figure, whole.columns, whole.column_x, at_most * share)
            if len(alike) == len(pieces):
                pieces = alike
                break
        found = [known.get(_boxes(piece)) or (piece, arranged(piece, _rows_in(piece, rows))) for piece in pieces]
        known |= {_boxes(piece): (piece, arrangement) for piece, arrangement in found}
        over = max(arrangement.width for _, arrangement in found) - room
        if over <= 0 or at_most <= least:
            return found
        at_most = max(at_most - max(over, 4), least)  # the ends where it is cut take room too


def _boxes(piece: Figure) -> tuple[str, ...]:
    return tuple(box.id for box in piece.boxes)


def _rows_in(piece: Figure, rows: Rows) -> dict[str, int] | None:
    """The rows of the boxes of a piece; where it is cut, those of the boxes whose values go on there."""
    if rows is None:
        return None
    return {box.id: rows[box.stands_for[0] if box.stands_for is not None else box.id] for box in piece.boxes}


def wrapped_figures(
    figure: Figure, columns: Mapping[str, int], starts: Sequence[tuple[float, float]], room: float
) -> list[Figure]:
    """The figure in pieces that are no wider than `room`, as far as its columns are not.

    Args:
        figure: what to cut.
        columns: the column of each box.
        starts: where each column begins, and how wide it is.
        room: how wide a piece may be.
    """
    columns = {**columns, **_beside(figure, columns)}
    pieces: list[Figure] = []
    first, last = 0, len(starts) - 1
    filled = {columns[box.id] for box in figure.boxes if not box.end}
    while (
        last > 0 and last not in filled
    ):  # what only leaves stands behind the last box, and what only enters before the first
        last -= 1
    while first <= last:
        stop = least = next((at for at in range(first, last + 1) if at in filled), last)
        while stop < last and starts[stop + 1][0] + starts[stop + 1][1] - starts[first][0] <= room:
            stop += 1
        if stop < last:
            stop = min(range(max(least, stop - 2), stop + 1), key=lambda at: (_crossing(figure, columns, at), -at))
        pieces.append(_piece(figure, columns, first, stop if stop < last else len(starts) - 1))
        first = stop + 1
    return pieces


def _beside(figure: Figure, columns: Mapping[str, int]) -> dict[str, int]:
    """The columns of the boxes whose values leave the figure, for the ends where they do: no cut comes between them."""
    ends = {box.id for box in figure.boxes if box.end}
    return {edge.target: columns[edge.source] for edge in figure.edges if edge.target in ends}


def _crossing(figure: Figure, columns: Mapping[str, int], at: int) -> int:
    """How many values go from one side of a cut to the other."""
    return len({(e.source, e.item) for e in figure.edges if columns[e.source] <= at < columns[e.target]})


def _piece(figure: Figure, columns: Mapping[str, int], first: int, last: int) -> Figure:
    """The boxes of some columns, with ends for what comes from before and for what goes on. Where several values do, ends have
    the names of the boxes that they come from."""
    inside = {key for key, column in columns.items() if first <= column <= last}
    named = _crossing(figure, columns, first - 1) > 1, _crossing(figure, columns, last) > 1
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
