"""Figures without texts, so small that they fit on a card."""

from __future__ import annotations

from typing import Final

from archbuilder.draw.drawing import EDGES, Drawing
from archbuilder.draw.layout.arrange import Frame, Size, Spacing, arrange
from archbuilder.draw.model.figure import Box, Figure
from archbuilder.draw.scene import Circle, Line, Point, Rectangle, Shape

_TINY: Final = Spacing(gap=5, lane=3, track=2.2, margin=2.6)


def thumbnail(figure: Figure, room: float, height: float) -> Drawing:
    """A figure without texts, so small that it fits."""
    sizes = {box.id: _tiny(box) for box in figure.boxes}
    found = arrange(figure, sizes, _TINY)
    scale = min(1.0, room / max(found.width, 1), height / max(found.height, 1))
    shapes: list[Shape] = []
    for drawn in found.lines:
        wide, dash = EDGES[drawn.edge.kind]
        shapes.append(Line(_scaled(drawn.points, scale), "line", max(wide * 0.55, 0.4), dash, radius=1.2 * scale))
    for box in figure.boxes:
        shapes += _tiny_shapes(box, found.frames[box.id], scale)
    return Drawing(tuple(shapes), found.width * scale, found.height * scale, found.axis * scale)


def _scaled(points: tuple[Point, ...], scale: float) -> tuple[Point, ...]:
    return tuple((x * scale, y * scale) for x, y in points)


def _tiny(box: Box) -> Size:
    if box.end:
        return Size(0, 0, 0)
    if box.sign:
        return Size(4.4, 2.2, 2.2)
    half = 3.2 if box.layers or box.role in ("convolution", "linear", "block", "attention") else 2.4
    return Size(2 * half if half > 3 else 3.2, half, half)


def _tiny_shapes(box: Box, frame: Frame, scale: float) -> list[Shape]:
    if box.end:
        return []
    if box.sign:
        return [Circle(frame.middle * scale, frame.axis * scale, 2.2 * scale, "combine", "combine line", 0.5)]
    role = box.bands[0].role if box.bands else box.role
    x, y, wide, high = (each * scale for each in frame[:4])
    return [Rectangle(x, y, wide, high, role, f"{role} line", 0.5, 1.0 * scale)]
