"""A scene as PNG: its SVG, with our fonts and no others, so that it is the same on every machine."""

from __future__ import annotations

import math
from typing import Final

import resvg_py

from archbuilder.draw.fonts import BOLD, REGULAR
from archbuilder.draw.options import Theme
from archbuilder.draw.outputs.svg import to_svg
from archbuilder.draw.scene import Scene

DPI: Final = 192
"""Pixels to the inch: a point is two and two thirds."""

MAXIMUM_PIXELS: Final = 50_000_000
"""A drawing that would have more is drawn with fewer to the inch: they are held in memory, with four bytes each."""


def to_png(scene: Scene, theme: Theme = "light", *, dpi: float = DPI) -> bytes:
    """The scene as the bytes of a PNG, in the colours of `theme`; `auto` is light, since a PNG has one set of colours."""
    scale = min(dpi / 72, math.sqrt(MAXIMUM_PIXELS / (scene.width * scene.height)))
    return resvg_py.svg_to_bytes(
        svg_string=to_svg(scene, "light" if theme == "auto" else theme),
        dpi=72 * scale,
        skip_system_fonts=True,
        font_files=[str(REGULAR), str(BOLD)],
    )
