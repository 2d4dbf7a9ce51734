"""Which items of one sequence are which of another: by name and by structure, in about linear time."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

Match: TypeAlias = tuple[int | None, int | None]
"""The numbers of two items that belong together, or of one that nothing in the other sequence belongs to."""


class Item(NamedTuple):
    """What is known of an item: its name, what it is exactly, what it is but for what follows from elsewhere, and roughly."""

    name: str
    exact: Hashable
    own: Hashable
    kind: Hashable


class _Span(NamedTuple):
    """Some items of the first sequence, and those of the second that they may belong to."""

    start: int
    stop: int
    other_start: int
    other_stop: int
    level: int = 0

    @property
    def is_small(self) -> bool:
        """Whether each of its items can be held against each."""
        size, other = self.stop - self.start, self.other_stop - self.other_start
        return size * other <= _BREADTH * (size + other)


_BREADTH: Final = 64
"""How many items each may be held against, on average."""
_LEVELS: Final = 8
"""How often what is too large for that is divided."""


def match(first: Sequence[Item], second: Sequence[Item]) -> list[Match]:
    """The items of both sequences in order, those that belong together as pairs.

    What is equal at both ends is paired at once. What is between is divided at items that either side has once, and small
    remains are aligned as well as possible, where a structure in common counts for more than a name.
    """
    pairs: dict[int, int] = {}
    spans = [_Span(0, len(first), 0, len(second))]
    while spans:
        span = _without_ends(first, second, spans.pop(), pairs)
        if span.is_small:
            pairs.update(_aligned(first, second, span))
        elif span.level < _LEVELS:
            spans += _divided(first, second, span)
    return list(_in_order(pairs, len(first), len(second)))


def _in_order(pairs: dict[int, int], count: int, other_count: int) -> Iterator[Match]:
    other = 0
    for number in range(count):
        if number in pairs:
            yield from ((None, each) for each in range(other, pairs[number]))
            other = pairs[number] + 1
        yield number, pairs.get(number)
    yield from ((None, each) for each in range(other, other_count))


def _without_ends(first: Sequence[Item], second: Sequence[Item], span: _Span, pairs: dict[int, int]) -> _Span:
    """A span without what is alike at both of its ends, which become pairs."""
    start, stop, other_start, other_stop, level = span
    while start < stop and other_start < other_stop and _is_alike(first[start], second[other_start]):
        pairs[start] = other_start
        start, other_start = start + 1, other_start + 1
    while start < stop and other_start < other_stop and _is_alike(first[stop - 1], second[other_stop - 1]):
        stop, other_stop = stop - 1, other_stop - 1
        pairs[stop] = other_stop
    return _Span(start, stop, other_start, other_stop, level)


def _is_alike(one: Item, other: Item) -> bool:
    return one.name == other.name and one.own == other.own


def _divided(first: Sequence[Item], second: Sequence[Item], span: _Span) -> Iterator[_Span]:
    """A span in parts, between items whose structure, or else whose name, is there once on either side."""
    for by_name in (False, True):
        ours, theirs = (
            [item.name if by_name else item.own for item in items]
            for items in (first[span.start : span.stop], second[span.other_start : span.other_stop])
        )
        count, other_count = Counter(ours), Counter(theirs)
        places = {each: number for number, each in enumerate(theirs) if other_count[each] == 1}
        anchors = _rising([(at, places[each]) for at, each in enumerate(ours) if count[each] == 1 and each in places])
        if anchors:
            break
    else:
        return
    start, other_start = span.start, span.other_start
    for at, other_at in anchors:
        stop, other_stop = span.start + at, span.other_start + other_at
        yield _Span(start, stop, other_start, other_stop, span.level + 1)
        yield _Span(stop, stop + 1, other_stop, other_stop + 1, span.level + 1)
        start, other_start = stop + 1, other_stop + 1
    yield _Span(start, span.stop, other_start, span.other_stop, span.level + 1)


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest selection of pairs in which both numbers rise; the first ones do already."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for number, (_, other) in enumerate(pairs):
        at = bisect_left(ends, other)
        before.append(last[at - 1] if at else -1)
        ends[at : at + 1], last[at : at + 1] = [other], [number]
    found: list[tuple[int, int]] = []
    number = last[-1] if last else -1
    while number >= 0:
        found.append(pairs[number])
        number = before[number]
    return found[::-1]


def _aligned(first: Sequence[Item], second: Sequence[Item], span: _Span) -> Iterator[tuple[int, int]]:
    """The best pairs of a span (Needleman and Wunsch): those that have the most in common, in order."""
    rows, columns = span.stop - span.start, span.other_stop - span.other_start
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for row in range(rows - 1, -1, -1):
        one, line, below = first[span.start + row], best[row], best[row + 1]
        for column in range(columns - 1, -1, -1):
            common = _common(one, second[span.other_start + column])
            line[column] = max(below[column], line[column + 1], common + below[column + 1] if common else 0.0)
    row = column = 0
    while row < rows and column < columns:
        common = _common(first[span.start + row], second[span.other_start + column])
        if common and best[row][column] == common + best[row + 1][column + 1]:
            yield span.start + row, span.other_start + column
            row, column = row + 1, column + 1
        elif best[row][column] == best[row + 1][column]:
            row += 1
        else:
            column += 1


def _common(one: Item, other: Item) -> float:
    """How much two items have in common; 0 if they do not belong together. A number is hardly a name."""
    if one.own == other.own:
        return 4.0 + (one.name == other.name) + (one.exact == other.exact)
    if one.name != other.name:
        return 1.0 * (one.kind == other.kind)
    return (0.5 if one.name.isdecimal() else 2.0) + (one.kind == other.kind)
