"""Captions: what stands under the solids of a card, or above them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from archbuilder.diagnostics import printable
from archbuilder.draw.fonts import clipped, width
from archbuilder.draw.model.figure import Box
from archbuilder.draw.model.maps import Volume
from archbuilder.draw.scene import Text
from archbuilder.draw.solids import Run

_LEADING = 1.2


class Line(NamedTuple):
    """Texts beside each other, each with the place of its middle."""

    texts: tuple[tuple[float, str], ...]
    size: float
    ink: str = "quiet"
    bold: bool = False

    @property
    def width(self) -> float:
        """How wide it is, if its middle stays where it is."""
        return max((2 * abs(x) + width(text, self.size, bold=self.bold) for x, text in self.texts), default=0.0)


class Caption(NamedTuple):
    """The lines at the solids of a card: the labels of these, which stand right at them, and the words for all of it, moved to
    the right by `shift`. With `aside`, all of it is moved there."""

    labels: tuple[Line, ...]
    words: tuple[Line, ...]
    shift: float = 0.0
    aside: float = 0.0

    @property
    def height(self) -> float:
        return sum(line.size * _LEADING for line in (*self.labels, *self.words))

    def texts(self, middle: float, top: float, *, above: bool) -> list[Text]:
        """The texts from a height on, around a place. Above solids the labels are last."""
        found: list[Text] = []
        parts = [(self.labels, 0.0), (self.words, self.shift)]
        for lines, shift in reversed(parts) if above else parts:
            for line in lines:
                found += [
                    Text(
                        middle + self.aside + x + shift,
                        top + line.size * 0.93,
                        text,
                        line.size,
                        line.ink,
                        line.bold,
                        "middle",
                    )
                    for x, text in line.texts
                    if text
                ]
                top += line.size * _LEADING
        return found


def words_of(
    box: Box, makes: Sequence[Volume], size: float, wide: tuple[float, float, float], room: float
) -> tuple[Line, ...]:
    """What is said of a card: its name, and how its values are made.

    Args:
        box: the card.
        makes: what it is made of.
        size: that of the texts.
        wide: how wide a line may be that could be broken: one with several steps, with one, with a part of a name.
        room: how wide anything may be.
    """
    words: list[Line] = []
    if box.name:
        large, ink = size * 1.12, "training" if box.in_training else "text"
        words += [Line(((0, text),), large, ink, bold=True) for text in name_lines(box.name, large, min(room, wide[2]))]
    lines: list[list[str]] = []
    for text in dict.fromkeys(each.words for each in makes if each.words):
        joined = f"{lines[-1][0]}, {text}" if lines and len(lines[-1]) == 1 else ""
        if joined and width(joined, size) <= wide[0]:
            lines[-1] = [joined]
        else:
            lines.append(_broken(text, size, wide[1], room))
    lines += [_broken(text, size, wide[1], room) for text in box.tap_lines]
    return (*words, *(Line(((0, text),), size) for step in lines for text in step))


def name_lines(name: str, size: float, wide: float) -> list[str]:
    """A name; in several lines only if it is very long."""
    lines = [""]
    for unit in re.split(r"(?<=[_.–-])", printable(name)):
        if lines[-1] and width(lines[-1] + unit, size, bold=True) > wide:
            lines.append("")
        lines[-1] += unit
    return [clipped(line, size, wide, bold=True) for line in lines[:4]]


def _broken(words: str, size: float, wide: float, room: float) -> list[str]:
    """Words in lines of some width; one that is wider makes a card wider, as far as there is room."""
    units = re.split(r" (?!×\d)", words)  # how often stands where what does
    lines = [clipped(units[0], size, room)]
    for unit in units[1:]:
        joined = f"{lines[-1]} {unit}"
        if width(joined, size) <= min(wide, room):
            lines[-1] = joined
        else:
            lines.append(clipped(unit, size, room))
    return lines


def labels_of(runs: Sequence[Run], size: float) -> tuple[Line, ...]:
    """The channels at each run of solids, and their size at all that have the same; of a single run both in one. Their middle
    is that of the card."""
    if len(runs) == 1:
        (run,) = runs
        return (Line(((0, run.channels + (f"×{_size(run)}" if _size(run) else "")),), size, "text"),)
    channels = _apart([((run.solids[0].left + run.solids[-1].front[1]) / 2, run.channels) for run in runs], size)
    sizes: list[tuple[float, str]] = []
    for text, group in groupby(zip(channels, runs, strict=True), lambda each: _size(each[1])):
        places = [x for (x, _), _ in group]
        sizes.append(((places[0] + places[-1]) / 2, text))
    lines = [channels, _apart(sizes, size)] if any(text for _, text in sizes) else [channels]
    ends = [x + side * width(text, size) / 2 for line in lines for x, text in line if text for side in (-1, 1)]
    middle = (min(ends) + max(ends)) / 2
    inks = ("text", "quiet")
    return tuple(
        Line(tuple((x - middle, text) for x, text in line), size, ink) for line, ink in zip(lines, inks, strict=False)
    )


def _size(run: Run) -> str:
    high, wide = run.size
    if (high, wide) == (1, 1):
        return ""
    return f"{high}²" if high == wide else f"{high}×{wide}"


def _apart(texts: Sequence[tuple[float, str]], size: float) -> list[tuple[float, str]]:
    """Texts as far apart as they were, or as they must be so that none touches the next."""
    halves = [width(text, size) / 2 + 1.2 for _, text in texts]
    found: list[tuple[float, str]] = []
    for number, (x, text) in enumerate(texts):
        least = found[-1][0] + halves[number - 1] + halves[number] if found else x
        found.append((max(x, least), text))
    return found
