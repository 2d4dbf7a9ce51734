"""Where captions stand: under the solids of a card or above them, in its column or sticking out of it where that is free."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeAlias

from archbuilder.draw.captions import Caption, Line
from archbuilder.draw.layout.arrange import Plan, Spacing
from archbuilder.draw.solids import Row


@dataclass(frozen=True)
class Card:
    """The solids of a card around the line on which they stand, and their labels."""

    row: Row
    labels: tuple[Line, ...]

    @cached_property
    def width(self) -> float:
        """How wide it is without words."""
        return max(self.row.right - self.row.left, *(line.width for line in self.labels))


class Setting(NamedTuple):
    """The captions of cards, which of them stand above solids, and how wide each column is."""

    captions: Mapping[str, Caption]
    above: frozenset[str]
    widths: Mapping[int, float]

    @property
    def width(self) -> float:
        """How wide all columns are."""
        return sum(self.widths.values())


WordsOf: TypeAlias = Callable[[str, float, bool], tuple[Line, ...]]
"""The words of a card, as wide as they may be where they can be broken, and whether they are to be narrow."""


def setting_of(
    plan: Plan, cards: Mapping[str, Card], least: Mapping[str, float], words_of: WordsOf, spacing: Spacing
) -> Setting:
    """The setting of a plan.

    Args:
        plan: where the boxes stand.
        cards: those of them that are cards.
        least: how wide each box is without words.
        words_of: what is said of a card.
        spacing: how far columns are apart, and lines beside each other.
    """
    columns = plan.grid.columns
    above = _above(plan, cards)
    widths = dict.fromkeys(range(1 + max(columns.values(), default=0)), 0.0)
    for key, own in least.items():
        widths[columns[key]] = max(widths[columns[key]], own)
    free, track = _Free(plan, widths, spacing.gap), spacing.track
    rooms = {key: free.beside(key, above=key in above) for key in cards}
    lines = _between(plan, cards, above)
    words = {key: words_of(key, widths[columns[key]] + sum(room), key in lines) for key, room in rooms.items()}
    wide = {key: max((line.width for line in lines), default=0.0) for key, lines in words.items()}
    for key, room in rooms.items():
        widths[columns[key]] = max(widths[columns[key]], wide[key] - sum(room))
    aside: dict[str, float] = {}
    for key, count in lines.items():
        own = max(wide[key], *(line.width for line in cards[key].labels))
        aside[key] = (own + (count - 1) * track) / 2 + 3
        widths[columns[key]] = max(widths[columns[key]], 2 * aside[key] + own)
    captions: dict[str, Caption] = {}
    for key, (left, right) in rooms.items():
        out = (wide[key] - widths[columns[key]]) / 2
        shift = 0.0 if key in aside else max(out - left, 0.0) - max(out - right, 0.0)
        captions[key] = Caption(cards[key].labels, words[key], shift, -aside.get(key, 0.0))
    return Setting(captions, above, widths)


def _between(plan: Plan, cards: Mapping[str, Card], above: frozenset[str]) -> dict[str, int]:
    """How many lines enter a card where its caption would stand: that is to the left of them."""
    lines: dict[str, int] = {}
    for way in plan.ways:
        key = way.edge.target
        if key in cards and not way.enters_left and (way.corners[-2][1] < way.corners[-1][1]) == (key in above):
            lines[key] = lines.get(key, 0) + 1
    return lines


def _above(plan: Plan, cards: Mapping[str, Card]) -> frozenset[str]:
    """The cards whose captions stand above them: those in lanes where lines enter cards from below."""
    lanes = plan.grid.lanes
    from_above = {way.edge.target: way.corners[-2][1] < way.corners[-1][1] for way in plan.ways if not way.enters_left}
    turned = {lanes[key] for key, is_above in from_above.items() if not is_above and key in cards}
    return frozenset(key for key in cards if lanes[key] in turned and not from_above.get(key))


@dataclass(frozen=True)
class _Free:
    """How far words may stick out of their column: as far as no box stands beside them and no line passes."""

    plan: Plan
    widths: Mapping[int, float]
    gap: float

    def beside(self, key: str, *, above: bool) -> tuple[float, float]:
        """The room to the left and to the right of the words of a card."""
        column, lane = self.plan.grid.columns[key], self.plan.grid.lanes[key]
        low, high = (lane - 0.5, float(lane)) if above else (float(lane), lane + 0.5)
        return self._room(column, column - 1, lane, (low, high)), self._room(column, column + 1, lane, (low, high))

    def _room(self, column: int, beside: int, lane: int, height: tuple[float, float]) -> float:
        """How much of the column beside a cell, and of the gap before that, is free at some height."""
        if beside not in self.widths or lane in self.plan.grid.in_column.get(beside, ()):
            return 0.0
        left, right = sorted((column, beside))
        for way in self.plan.ways:
            for (x1, y1), (x2, y2) in way.pieces():
                is_between = x1 <= right and x2 >= left and not x1 == x2 == column
                if is_between and min(y1, y2) < height[1] and max(y1, y2) > height[0]:
                    return 0.0
        return self.gap + self.widths[beside] / 2 - 2  # the words of the card behind that may need the other half
