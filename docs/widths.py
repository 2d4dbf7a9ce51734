"""Writes the tables of widths beside the fonts in archbuilder/draw/font/: once, and again if a font is renewed.

python docs/widths.py
"""

# ruff: noqa: INP001 -- a script

from __future__ import annotations

import sys
from pathlib import Path

from fontTools.ttLib import TTFont

from archbuilder.draw.fonts import BOLD, REGULAR, UNITS, table_of


def table(font: Path) -> str:
    """The widths of a font's characters: a line for each run of characters that follow each other, after the first one's code."""
    with TTFont(font) as opened:
        if opened["head"].unitsPerEm != UNITS:
            sys.exit(f"{font.name}: its widths are in other units")
        advances, glyphs = opened["hmtx"], opened.getBestCmap()
        runs: dict[int, list[int]] = {}
        first = 0
        for code in sorted(glyphs):
            if code != first + len(runs.get(first, ())):
                first = code
            runs.setdefault(first, []).append(advances[glyphs[code]][0])
    return "".join(f"{first:04x} {' '.join(map(str, widths))}\n" for first, widths in runs.items())


if __name__ == "__main__":
    for each in (REGULAR, BOLD):
        table_of(each).write_text(table(each), "ascii")
