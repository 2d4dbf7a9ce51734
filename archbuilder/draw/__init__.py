"""Drawings of a network. `render` makes one; a layout that fails is a `DrawingError`.

A graph becomes a `Picture` (`painter`, with `drawing` and `words`), the picture DOT (`dot`, with `labels`, `pages` and
`style`), the DOT an image (`engine`).
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from archbuilder.analysis.summary import DEPTHS, Depth
from archbuilder.draw.engine import DrawingError, lay_out
from archbuilder.graph.graph import Graph

Format: TypeAlias = Literal["svg", "png", "dot"]
"""What a drawing is written as."""

FORMATS: Final[tuple[Format, ...]] = ("svg", "png", "dot")


def render(graph: Graph, *, format: Format = "svg", depth: Depth = "block") -> bytes:
    """The drawing of a network.

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
        return dot.encode()
    image = lay_out(dot, format)
    return finish(image, picture) if format == "svg" else image


__all__ = ["FORMATS", "DrawingError", "Format", "render"]
