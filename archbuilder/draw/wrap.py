"""A figure that is too wide, as several: each goes on where the one before ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archbuilder.draw.figure import Box, Edge, Figure


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
    name = last_part(box.id) if item is None else f"{last_part(box.id)}.{item}"
    value = (box.id, item)
    return Box(f"{word} {box.id}.{item}", box.role, name if named else "", end=True, gives=box.gives, stands_for=value)


def last_part(path: str) -> str:
    """A path's last name, with the numbers behind it: "denseblock1" of "features.denseblock1", "stage3.0" as it is."""
    parts = path.split(".")
    names = [number for number, part in enumerate(parts) if not part.isdigit()]
    return ".".join(parts[names[-1] if names else 0 :])
