"""Drawings of a network. `render` makes one; a layout that fails is a `DrawingError`.

A graph becomes a `Picture` (`painter`, with `drawing` and `words`), the picture DOT (`dot`, with `labels`, `pages` and
`style`), the DOT an image (`engine`).
"""

from __future__ import annotations

from typing import Any, Final, Literal, Self, TypeAlias

from archbuilder.analysis.summary import DEPTHS, Depth
from archbuilder.draw.engine import DrawingError, lay_out
from archbuilder.graph.graph import Graph

Format: TypeAlias = Literal["svg", "png", "dot"]
"""What a drawing is written as."""

FORMATS: Final[tuple[Format, ...]] = ("svg", "png", "dot")


class Rendered(bytes):
    """A drawing as the bytes of a file. A notebook shows it, if it is SVG or PNG."""

    format: Format

    def __new__(cls, data: bytes, format: Format) -> Self:
        """The bytes of a drawing in a format."""
        made = super().__new__(cls, data)
        made.format = format
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return Rendered, (bytes(self), self.format)

    def __repr__(self) -> str:
        return f"Rendered({self.format}, {len(self):,} bytes)"

    def _repr_svg_(self) -> str | None:
        return self.decode() if self.format == "svg" else None

    def _repr_png_(self) -> bytes | None:
        return bytes(self) if self.format == "png" else None


def render(graph: Graph, *, format: Format = "svg", depth: Depth = "block") -> Rendered:
    """The drawing of a network: the bytes of a file, which a notebook shows.

    Args:
        graph: the network.
        format: "svg", "png" or "dot"; the last is the text (UTF-8) from which Graphviz makes the others.
        depth: how much is seen: a box for each stage, for each block, or for each run of layers. Repeats are one box.

    Raises:
        DrawingError: if there is no Graphviz, or it fails.
        ValueError: for an unknown format or depth.
    """
    for given, known, what in ((format, FORMATS, "format"), (depth, DEPTHS, "depth")):
        if given not in known:
            raise ValueError(f"unknown {what} {given!r}: expected one of {', '.join(known)}")
    # Only who draws waits for what draws; commands that name a format do not.
    from archbuilder.draw.dot import to_dot
    from archbuilder.draw.painter import picture_of
    from archbuilder.draw.svg import finish

    picture = picture_of(graph, depth)
    dot = to_dot(picture)
    if format == "dot":
        return Rendered(dot.encode(), format)
    image = lay_out(dot, format)
    return Rendered(finish(image, picture) if format == "svg" else image, format)


__all__ = ["FORMATS", "DrawingError", "Format", "Rendered", "render"]
