"""Figure and sizes -> places: the boxes of a figure and the lines between them, in points."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Final, NamedTuple

from archbuilder.draw.layout.grid import Grid, grid_of
from archbuilder.draw.layout.routes import Router, Track, Way
from archbuilder.draw.model.figure import Edge, Figure
from archbuilder.draw.scene import Point

_MAXIMUM_TRIED: Final = 5
"""Of more lines beside each other than these, not every order is tried."""


class Size(NamedTuple):
    """How large a box is: its width, and its height above and below the line on which it stands."""

    width: float
    above: float
    below: float


class Spacing(NamedTuple):
    """How far things stand apart: boxes in a row, lanes, lines beside each other, and a line from a box."""

    gap: float
    lane: float
    track: float
    margin: float


class Frame(NamedTuple):
    """Where a box stands; `axis` is the height of the line on which it does."""

    x: float
    y: float
    width: float
    height: float
    axis: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


class Drawn(NamedTuple):
    """The line of an edge, and the point above which its label stands."""

    edge: Edge
    points: tuple[Point, ...]
    label_at: Point
    enters_left: bool


@dataclass(frozen=True)
class Arrangement:
    """Where everything is. `axis` is the height of the main path."""

    frames: dict[str, Frame]
    lines: tuple[Drawn, ...]
    width: float
    height: float
    axis: float
    columns: dict[str, int]
    column_x: list[tuple[float, float]]


class Plan(NamedTuple):
    """Where boxes stand and edges run before anything has a size.

    `tracks` are the tracks of the values in each corridor, counted from above, `slots` those of the edges in each gap, from the
    left. `ports` are the places beside each other of the edges that enter a box from above or below, with how many there are.
    """

    grid: Grid
    ways: list[Way]
    tracks: dict[float, dict[tuple[str, int | None], int]]
    slots: dict[int, dict[Edge, int]]
    ports: dict[Edge, tuple[int, int]]


def planned(figure: Figure, rows: Mapping[str, int] | None = None) -> Plan:
    """The plan of a figure, whatever sizes its boxes have."""
    grid = grid_of(figure, rows)
    ways = Router(grid).all()
    tracks = _tracks(ways)
    return Plan(grid, ways, tracks, _slots(ways, tracks), dict(_ports(grid, ways)))


def _tracks(ways: Sequence[Way]) -> dict[float, dict[tuple[str, int | None], int]]:
    found: dict[float, list[Track]] = {}
    for way in ways:
        for corridor, track in way.tracks():
            found.setdefault(corridor, []).append(track)
    orders = {corridor: _in_tracks(pieces, above=corridor < 0) for corridor, pieces in found.items()}
    return {
        corridor: {(edge.source, edge.item): row for edge, row in order.items()} for corridor, order in orders.items()
    }


def _slots(
    ways: Sequence[Way], tracks: Mapping[float, Mapping[tuple[str, int | None], int]]
) -> dict[int, dict[Edge, int]]:
    """Which lines cross in a gap depends on what lies above what, and not on how far: so it is found before sizes are known."""
    found: dict[int, list[_Slot]] = {}
    counts = {corridor: 2 + max(rows.values()) for corridor, rows in tracks.items()}
    for way in ways:
        value = (way.edge.source, way.edge.item)
        heights = [y if not y % 1 else y - 0.5 + (tracks[y][value] + 1) / counts[y] for _, y in way.corners]
        for (one, two), comes, goes in zip(way.pieces(), heights, heights[1:], strict=False):
            if one[0] == two[0] and one[0] % 1 and comes != goes:
                found.setdefault(int(one[0] // 1), []).append(_Slot(way.edge, comes, goes))
    return {gap: _in_slots(pieces) for gap, pieces in found.items()}


def _ports(grid: Grid, ways: Sequence[Way]) -> Iterator[tuple[Edge, tuple[int, int]]]:
    """Where lines enter from above or below: several beside each other, the nearest and shortest first."""
    entering: dict[tuple[str, bool], list[tuple[float, int, int, Edge]]] = {}
    for number, way in enumerate(ways):
        if not way.enters_left:
            lane, from_lane = grid.lanes[way.edge.target], way.corners[-2][1]
            place = (abs(from_lane - lane), -grid.columns[way.edge.source], number, way.edge)
            entering.setdefault((way.edge.target, from_lane < lane), []).append(place)
    for beside in entering.values():
        yield from ((edge, (at, len(beside))) for at, (*_, edge) in enumerate(sorted(beside)))


def arrange(
    figure: Figure,
    sizes: Mapping[str, Size],
    spacing: Spacing,
    *,
    rows: Mapping[str, int] | None = None,
    label_width: Callable[[str], float] = len,
    plan: Plan | None = None,
) -> Arrangement:
    """Places a figure.

    Args:
        figure: what to place.
        sizes: how large each box is, by its id.
        spacing: how far apart things stand.
        rows: the row of each box, where these mean something; else lanes are found.
        label_width: how wide the label of an edge is.
        plan: the figure as `planned` made it, where that was asked for already.
    """
    return _Arranger(plan or planned(figure, rows), sizes, spacing, label_width).arrangement()


class _Slot(NamedTuple):
    """A line's piece in a gap: the heights at which it comes from the left and goes on to the right."""

    edge: Edge
    comes: float
    goes: float


@dataclass
class _Arranger:
    plan: Plan
    sizes: Mapping[str, Size]
    spacing: Spacing
    label_width: Callable[[str], float]

    def arrangement(self) -> Arrangement:
        self._set_heights()
        self._set_widths()
        frames = {box.id: self._frame(box.id) for box in self.plan.grid.figure.boxes}
        lines = tuple(self._line(way, frames) for way in self.plan.ways)
        axis = self.lane_y.get(0, self.height / 2)
        return Arrangement(frames, lines, self.width, self.height, axis, self.plan.grid.columns, self.column_x)

    # ---- heights ------------------------------------------------------------------------------------------------

    def _set_heights(self) -> None:
        lanes = self.plan.grid.lanes
        self.lane_y: dict[int, float] = {}
        self.track_y: dict[tuple[float, str, int | None], float] = {}
        reach: dict[int, tuple[float, float]] = {}
        for key, lane in lanes.items():
            (above, below), size = reach.get(lane, (0.0, 0.0)), self.sizes[key]
            reach[lane] = max(above, size.above), max(below, size.below)
        y = 0.0
        first, last = min(lanes.values(), default=0), max(lanes.values(), default=0)
        for lane in range(first - 1, last + 1):
            if lane >= first:
                above, below = reach.get(lane, (0.0, 0.0))
                self.lane_y[lane] = y + above
                y += above + below
            placed = self.plan.tracks.get(lane + 0.5, {})
            rows = 1 + max(placed.values(), default=-1)
            outside = lane in (first - 1, last)
            for value, row in placed.items():
                self.track_y[lane + 0.5, *value] = (
                    y + (0 if lane < first else self.spacing.margin) + row * self.spacing.track
                )
            if rows:
                y += (rows - 1) * self.spacing.track + self.spacing.margin * (1 if outside else 2)
            elif not outside:
                y += self.spacing.lane
        self.height = y

    def _heights(self, way: Way) -> list[float]:
        """The height of each corner."""
        value = (way.edge.source, way.edge.item)
        return [self.track_y[y, *value] if y % 1 else self.lane_y[int(y)] for _, y in way.corners]

    # ---- widths -------------------------------------------------------------------------------------------------

    def _set_widths(self) -> None:
        columns = self.plan.grid.columns
        count = 1 + max(columns.values(), default=0)
        labels, widths, fans = [0.0] * count, [0.0] * count, set[int]()
        for key, column in columns.items():
            widths[column] = max(widths[column], self.sizes[key].width)
        for way in self.plan.ways:
            gap = columns[way.edge.target] - 1
            if way.enters_left and way.edge.label:
                labels[gap] = max(labels[gap], self.label_width(way.edge.label) + 4)
            if way.fans_out:
                fans.add(gap)
        self.column_x: list[tuple[float, float]] = []
        self.slot_x: dict[tuple[int, Edge], float] = {}
        self.free_x: list[float] = []
        """Where in each gap no line runs up or down any more."""
        x = 0.0
        for column, width in enumerate(widths):
            self.column_x.append((x, width))
            x += width
            if column == count - 1:
                break
            order = self.plan.slots.get(column, {})
            for edge, place in order.items():
                self.slot_x[column, edge] = x + self.spacing.margin + place * self.spacing.track
            rows = 1 + max(order.values(), default=-1)
            room = self.spacing.margin + (rows - 1) * self.spacing.track if rows else 0.0
            if column in fans:
                room = max(room, self.spacing.gap * 0.7)
            self.free_x.append(x + room)
            x += max(self.spacing.gap, room + max(self.spacing.gap * 0.7, labels[column]), labels[column])
        self.width = x

    # ---- places -------------------------------------------------------------------------------------------------

    def _frame(self, key: str) -> Frame:
        (x, room), size = self.column_x[self.plan.grid.columns[key]], self.sizes[key]
        axis = self.lane_y[self.plan.grid.lanes[key]]
        share = (
            0.5 if size.width else float(self.plan.grid.columns[key] > 0)
        )  # a line goes on to the side of its column
        return Frame(x + (room - size.width) * share, axis - size.above, size.width, size.above + size.below, axis)

    def _line(self, way: Way, frames: Mapping[str, Frame]) -> Drawn:
        source, target = frames[way.edge.source], frames[way.edge.target]
        heights = self._heights(way)
        if len(heights) == 2 and heights[0] == heights[1]:  # straight: its label is in the gap before the target
            at = (max(source.right, self.free_x[self.plan.grid.columns[way.edge.target] - 1]) + target.x) / 2
            return Drawn(way.edge, ((source.right, heights[0]), (target.x, heights[0])), (at, heights[0]), True)
        if way.fans_out:
            return self._fan(way, source, target)
        points: list[Point] = []
        for number, ((column, _), y) in enumerate(zip(way.corners, heights, strict=True)):
            if number == 0:
                x = source.right
            elif column % 1:
                x = self._x_in_gap(way, column, points)
            else:
                x = target.x if way.enters_left else self._entry_x(way, target)
            points.append((x, y))
        if not way.enters_left:
            from_above = points[-2][1] < target.axis
            points[-1] = (points[-1][0], target.y if from_above else target.bottom)
        clean = _without_repeats(points)
        (x1, y1), (x2, _) = clean[-2:] if len(clean) > 1 else (clean[0], clean[0])
        free = self.free_x[self.plan.grid.columns[way.edge.target] - 1] if way.enters_left else x1
        return Drawn(way.edge, tuple(clean), ((max(x1, free) + x2) / 2, y1), way.enters_left)

    def _fan(self, way: Way, source: Frame, target: Frame) -> Drawn:
        """A line that slants in the gap before its target, and is level before and behind that."""
        gap = self.plan.grid.columns[way.edge.target] - 1
        start = max(source.right, sum(self.column_x[gap]))
        stop = min(target.x, self.free_x[gap])
        points = ((source.right, source.axis), (start, source.axis), (stop, target.axis), (target.x, target.axis))
        return Drawn(way.edge, tuple(_without_repeats(points)), ((stop + target.x) / 2, target.axis), True)

    def _x_in_gap(self, way: Way, column: float, points: Sequence[Point]) -> float:
        """Where a line runs up or down in a gap; where it goes straight on, as before."""
        return self.slot_x.get((int(column // 1), way.edge), points[-1][0])

    def _entry_x(self, way: Way, target: Frame) -> float:
        """Where a line enters from above or below."""
        at, count = self.plan.ports[way.edge]
        step = min(self.spacing.track, target.width / (count + 1))
        return target.middle + (at - (count - 1) / 2) * step


def _without_repeats(points: Iterable[Point]) -> list[Point]:
    """Points without those that lie where the one before does, or between two on one line."""
    clean: list[Point] = []
    for point in points:
        if clean and abs(clean[-1][0] - point[0]) < 0.01 and abs(clean[-1][1] - point[1]) < 0.01:
            continue
        if len(clean) > 1 and (clean[-2][0] == clean[-1][0] == point[0] or clean[-2][1] == clean[-1][1] == point[1]):
            clean.pop()
        clean.append(point)
    return clean


# ---- lines beside each other ----------------------------------------------------------------------------------------


def _in_tracks(tracks: Sequence[Track], *, above: bool) -> dict[Edge, int]:
    """The track of each piece in a corridor, counted from above, so that few cross; one value's share a track."""
    groups = _by_value(tracks)
    heads = sorted(groups, key=_span, reverse=above)
    best: Sequence[list[Track]] = heads
    if len(heads) <= _MAXIMUM_TRIED:
        best = min(permutations(heads), key=_crossings_of_tracks)
    rows: list[int] = []
    for number, group in enumerate(best):
        under = [rows[other] + 1 for other in range(number) if _overlap(best[other], group)]
        rows.append(max(under, default=0))
    if above and rows:  # those that need not stand far out stand near the lane
        rows = _towards_end(best, rows)
    return {track.edge: row for group, row in zip(best, rows, strict=True) for track in group}


def _towards_end(groups: Sequence[list[Track]], rows: list[int]) -> list[int]:
    last = max(rows)
    moved = [last] * len(rows)
    for number in reversed(range(len(groups))):
        over = [moved[other] - 1 for other in range(number + 1, len(groups)) if _overlap(groups[number], groups[other])]
        moved[number] = min(over, default=last)
    return moved


def _by_value(tracks: Sequence[Track]) -> list[list[Track]]:
    groups: list[list[Track]] = []
    for track in tracks:
        for group in groups:
            if group[0].edge.is_like(track.edge):
                group.append(track)
                break
        else:
            groups.append([track])
    return groups


def _span(group: Sequence[Track]) -> float:
    return max(track.stop for track in group) - min(track.start for track in group)


def _overlap(one: Sequence[Track], two: Sequence[Track]) -> bool:
    return any(a.start <= b.stop and b.start <= a.stop for a in one for b in two)


def _crossings_of_tracks(order: Sequence[Sequence[Track]]) -> float:
    found = 0.0
    for number, high in enumerate(order):
        for low in order[number + 1 :]:
            for a in high:
                for b in low:
                    found += sum(b.start < x < b.stop for x, up in _ends(a) if not up)
                    found += sum(a.start < x < a.stop for x, up in _ends(b) if up)
                    found += 0.01 * _turns_outwards(a, b)
    return found


def _ends(track: Track) -> tuple[tuple[float, bool], tuple[float, bool]]:
    return (track.start, track.from_above), (track.stop, track.to_above)


def _turns_outwards(high: Track, low: Track) -> int:
    """Whether a shorter piece lies outside of a longer one, where both turn to the same side."""
    longer = (high.stop - high.start) - (low.stop - low.start)
    return int((not high.to_above and longer < 0) or (low.to_above and longer > 0))


def _in_slots(slots: Sequence[_Slot]) -> dict[Edge, int]:
    """The slot of each piece in a gap, counted from the left, so that few cross; one value's from one height share a slot."""
    groups: list[list[_Slot]] = []
    for slot in slots:
        for group in groups:
            if group[0].edge.is_like(slot.edge) and abs(group[0].comes - slot.comes) < 0.01:
                group.append(slot)
                break
        else:
            groups.append([slot])
    best: Sequence[list[_Slot]] = sorted(groups, key=lambda group: group[0].comes)
    if 1 < len(groups) <= _MAXIMUM_TRIED:
        best = min(permutations(best), key=_crossings_of_slots)
    return {slot.edge: number for number, group in enumerate(best) for slot in group}


def _crossings_of_slots(order: Sequence[Sequence[_Slot]]) -> int:
    found = 0
    for number, left in enumerate(order):
        for right in order[number + 1 :]:
            for a in left:
                for b in right:
                    found += min(b.comes, b.goes) <= a.goes <= max(b.comes, b.goes)
                    found += min(a.comes, a.goes) <= b.comes <= max(a.comes, a.goes)
    return found
