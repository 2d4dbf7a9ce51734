"""How wide a text is, and what of it is shown: the widths of Liberation Sans, whose metrics are those of Arial and Helvetica.

The fonts lie beside this file, unmodified, for the outputs that put them into a drawing. Texts are measured without them,
from tables that `docs/widths.py` writes.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Final

from archbuilder.diagnostics import printable

FAMILY: Final = "Arial, Arimo, 'Liberation Sans', Helvetica, sans-serif"
"""Fonts of the same metrics, as CSS asks for them: whichever of them a machine has, a text is as wide as was measured."""

FOLDER: Final = Path(__file__).parent / "font"
REGULAR: Final = FOLDER / "LiberationSans-Regular.ttf"
BOLD: Final = FOLDER / "LiberationSans-Bold.ttf"

ASCENT: Final = 0.905
"""How far a letter may reach above its baseline, in sizes of the font."""
DESCENT: Final = 0.212
"""How far a letter may reach below its baseline."""
CAPITAL: Final = 0.688
"""How high a capital is: a text whose baseline lies half of it below a point stands in the middle there."""

UNITS: Final = 2048
"""In so many parts of its size a font gives its widths."""


def width(text: str, size: float, *, bold: bool = False) -> float:
    """How many points wide a text is as it is shown, without kerning."""
    return sum(map(_widths(bold=bold).__getitem__, printable(text))) * size / UNITS


def clipped(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """The text as it is shown if there is room for it, else as much of its beginning as there is room for, and "…".

    Where there is no room for anything, "…" stands alone.
    """
    shown = printable(text)
    widths = _widths(bold=bold)
    units = room * UNITS / size + 1e-6
    reached = list(accumulate(map(widths.__getitem__, shown)))
    if not reached or reached[-1] <= units:
        return shown
    fitting = sum(each <= units - widths["…"] for each in reached)
    return shown[:fitting].rstrip() + "…"


def has(character: str, *, bold: bool = False) -> bool:
    """Whether the font has a character."""
    return character in _widths(bold=bold)


class _Widths(dict[str, int]):
    """The widths of a font's characters; what it has not takes a full square, and what stands over another letter no room."""

    def __missing__(self, character: str) -> int:
        return 0 if unicodedata.category(character) in ("Mn", "Me") else UNITS


@cache
def _widths(*, bold: bool) -> _Widths:
    """Each line of the table has the widths of characters that follow each other, after the code of the first."""
    widths = _Widths()
    for line in table_of(BOLD if bold else REGULAR).read_text("ascii").splitlines():
        first, *numbers = line.split()
        widths.update((chr(code), int(number)) for code, number in enumerate(numbers, int(first, 16)))
    return widths


def table_of(font: Path) -> Path:
    """The file with a font's widths."""
    return font.with_suffix(".widths")
