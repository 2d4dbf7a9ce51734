"""What can be said of a drawing, and what is raised where it cannot be made."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

Format: TypeAlias = Literal["svg", "png", "pdf", "tikz", "mermaid", "dot"]
"""What a drawing is written as."""
Depth: TypeAlias = Literal["model", "stage", "block", "layer"]
"""How far a drawing goes into a network: one box, a card for each stage, these opened to their blocks, or to their layers."""
Style: TypeAlias = Literal["sheet", "volumes"]
"""How a network is drawn: as boxes on a sheet, or its maps as volumes."""
Theme: TypeAlias = Literal["light", "dark", "print", "auto"]
"""The colours: `print` is grey; `auto` is light or dark as the reader of an SVG prefers, and light elsewhere."""
Width: TypeAlias = Literal["column", "page", "slide"]
"""How wide a drawing is: a column of a paper (252 points), its page (504), or a slide (960)."""
Piece: TypeAlias = Literal["network", "costs", "definitions", "table", "legend"]
"""What there is on a sheet."""

FORMATS: Final[tuple[Format, ...]] = get_args(Format)
DEPTHS: Final[tuple[Depth, ...]] = get_args(Depth)
THEMES: Final[tuple[Theme, ...]] = get_args(Theme)
PIECES: Final[tuple[Piece, ...]] = get_args(Piece)
WIDTHS: Final[dict[Width, float]] = {"column": 252.0, "page": 504.0, "slide": 960.0}
"""In points."""


class DrawingError(Exception):
    """A drawing cannot be made; the message says why."""


class OptionError(DrawingError):
    """What is said of a drawing does not go together; `option` is what had better be left out."""

    def __init__(self, message: str, option: str = "") -> None:
        super().__init__(message)
        self.option = option
