"""How a picture is cut into rows or columns, so that it comes near the shape of a page."""

from __future__ import annotations

import math
from collections import Counter
from itertools import accumulate
from typing import Final

from archbuilder.draw.picture import Box, Group, Item, Picture, parts_of

LONGEST_ROW: Final = 8
"""Boxes in a row, at most."""

SHAPE_OF_PAGE: Final = 1.5
"""Width over height at which the columns aim."""


def row_length(boxes: int) -> int:
    """How many boxes stand in a row, so that a long chain still fits a page."""
    if boxes <= LONGEST_ROW:
        return max(1, boxes)
    rows = math.ceil(boxes / min(LONGEST_ROW, math.ceil(math.sqrt(2.2 * boxes))))
    return math.ceil(boxes / rows)


def place_in_rows(number: int, length: int) -> tuple[int, int]:
    """The row and the column of a box: every second row runs backwards."""
    row, place = divmod(number, length)
    return row, place if row % 2 == 0 else length - 1 - place


def in_runs(picture: Picture) -> list[list[Item]]:
    """The items, in order, cut wherever a single edge leads on: only there can the page be broken."""
    number_of = {part.id: number for number, item in enumerate(picture.items) for part in parts_of((item,))}
    crossing = [0] * len(picture.items)
    for edge in picture.edges:
        for number in range(number_of[edge.source] + 1, number_of[edge.target] + 1):
            crossing[number] += 1
    runs: list[list[Item]] = []
    for item, edges in zip(picture.items, crossing, strict=True):
        if runs and edges != 1:
            runs[-1].append(item)
        else:
            runs.append([item])
    return runs


def in_columns(picture: Picture) -> list[list[Item]]:
    """The items, in order, in as many columns as bring the page near its shape."""
    runs = in_runs(picture)
    runs[:2] = [[item for run in runs[:2] for item in run]]  # the input has no column of its own
    sizes = _sizes(picture, runs)
    heights = [size[1] for size in sizes]
    # How high a column may be: as the highest run, or as the first few runs together.
    limits = {max(heights), *(limit for limit in accumulate(heights) if limit > max(heights))}
    best: list[list[int]] = []
    worst = math.inf
    for limit in sorted(limits):
        columns = _filled(heights, limit)
        width = sum(max(sizes[number][0] for number in column) for column in columns)
        height = max(sum(heights[number] for number in column) for column in columns)
        off = abs(math.log(width / height / SHAPE_OF_PAGE))
        if off < worst:
            best, worst = columns, off
    return [[item for number in column for item in runs[number]] for column in best]


def _filled(heights: list[float], limit: float) -> list[list[int]]:
    columns: list[list[int]] = [[]]
    used = 0.0
    for number, height in enumerate(heights):
        if columns[-1] and used + height > limit:
            columns.append([])
            used = 0.0
        columns[-1].append(number)
        used += height
    return columns


def _sizes(picture: Picture, runs: list[list[Item]]) -> list[tuple[float, float]]:
    """A guess at each run's width and height, in points, from what must stand beneath each other."""
    sources: dict[str, list[str]] = {}
    for edge in picture.edges:
        sources.setdefault(edge.target, []).append(edge.source)
    return [_size(run, sources) for run in runs]


def _size(run: list[Item], sources: dict[str, list[str]]) -> tuple[float, float]:
    rank: dict[str, int] = {}
    bottom: dict[str, float] = {}
    for part in parts_of(run):
        above = [source for source in sources.get(part.id, ()) if source in rank]
        rank[part.id] = max((rank[source] + 1 for source in above), default=0)
        bottom[part.id] = max((bottom[source] for source in above), default=0.0) + _height(part)
    frames = max(map(_frames, run))
    return max(Counter(rank.values()).values()) * 115.0 + 24 * frames, max(bottom.values()) + 20 * frames


def _frames(item: Item) -> int:
    return 0 if isinstance(item, Box) else 1 + max((_frames(member) for member in item.members), default=0)


def _height(part: Item) -> float:
    if isinstance(part, Group):
        return 60.0
    if part.sign:
        return 50.0
    lines = sum(2 if band.detail else 1 for band in part.bands)
    return 45.0 + 17.0 * lines + (30.0 if part.load else 0.0)
