"""The texts that a network was made of, as far as a page shows them: the spec in full, of others the entries that it uses."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import Final, TypeAlias

from archbuilder.diagnostics import Source, printable

Excerpt: TypeAlias = tuple[int, list[str]]
"""Lines that follow each other, and the number of the first."""

_MAXIMUM_TEXT: Final = 200_000
"""Of a longer text, only entries are shown, too."""
_MAXIMUM_LINE: Final = 2_000
"""So much of a line is shown."""


def name_of(source: Source) -> str:
    """What a text is called on a page, which may go to others: without the folders of this machine."""
    path = PurePath(source.name)
    return printable(path.name if path.is_absolute() else source.name)


def shown(source: Source, lines: Iterable[int], *, whole: bool) -> list[Excerpt]:
    """A text as a page shows it: the entries with some lines in them, or the `whole`."""
    text = [printable(line[:_MAXIMUM_LINE].expandtabs()) for line in source.lines]
    if whole and len(source.text) <= _MAXIMUM_TEXT:
        return [(1, text)]
    found: dict[int, int] = {}
    for line in sorted(set(lines)):
        start, stop = _entry(text, line - 1)
        found[start] = max(stop, found.get(start, 0))
    return [(start + 1, text[start:stop]) for start, stop in sorted(found.items())]


def _entry(text: list[str], at: int) -> tuple[int, int]:
    """The lines of the entry, at the top or right below it, in which a line lies."""
    start = at
    while start > 0 and _indent(text[start]) > 2:
        start -= 1
    depth = _indent(text[start])
    stop = max(start + 1, at + 1)
    while stop < len(text) and _indent(text[stop]) > depth:
        stop += 1
    while stop > start + 1 and not text[stop - 1].strip():
        stop -= 1
    return start, stop


def _indent(line: str) -> int:
    """How far a line is indented; a blank one belongs to what stands before it."""
    return len(line) - len(line.lstrip(" ")) if line.strip() else 1_000
