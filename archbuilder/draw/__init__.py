"""Drawings of a network: `render` is all there is to see from outside."""

from __future__ import annotations

from typing import Literal

from archbuilder.analysis.summary import Depth
from archbuilder.draw.engine import DrawingError, lay_out
from archbuilder.draw.picture import picture_of
from archbuilder.graph.graph import Graph


def render(graph: Graph, *, format: Literal["svg", "png", "dot"] = "svg", depth: Depth = "stage") -> bytes:
    """Draws."""
    from archbuilder.draw.dot import to_dot

    dot = to_dot(picture_of(graph, depth))
    return dot.encode() if format == "dot" else lay_out(dot, format)


__all__ = ["DrawingError", "render"]
