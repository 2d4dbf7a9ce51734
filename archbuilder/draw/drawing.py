"""A drawing while a scene is made of several: shapes with the room that they take, and the texts in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, NamedTuple, TypeVar

from archbuilder.draw.fonts import clipped, width
from archbuilder.draw.model.figure import EdgeKind
from archbuilder.draw.scene import Circle, Dash, Part, Rectangle, Shape, Text

SMALL: Final = 6.4
"""The smallest text, in points."""
PLAIN: Final = 7.2
LARGE: Final = 8.4

EDGES: Final[dict[EdgeKind, tuple[float, Dash]]] = {
    "main": (0.8, "solid"),
    "identity": (1.6, "solid"),
    "plain": (1.6, "dotted"),
    "projection": (1.3, "dashed"),
    "exchange": (0.6, "solid"),
}
"""How wide an edge is drawn, and how."""

_Any = TypeVar("_Any", bound=Shape)


@dataclass(frozen=True)
class Drawing:
    """Shapes, how much room they take from (0, 0), and the height of the main path in them."""

    shapes: tuple[Shape, ...]
    width: float
    height: float
    axis: float = 0.0
    ends: tuple[float, float] | None = None
    """Where the main path leaves it, if that is not at the right of its axis."""


class Lines(NamedTuple):
    """The texts of a box, each with its size, and whether it is bold."""

    texts: tuple[tuple[str, float, bool], ...]

    @property
    def width(self) -> float:
        return max((width(text, size, bold=bold) for text, size, bold in self.texts), default=0.0)

    @property
    def height(self) -> float:
        return sum(size * 1.22 for _, size, _ in self.texts)


def as_figure(drawing: Drawing, name: str) -> Drawing:
    """A drawing as one part, so that a reader of the file knows what its boxes belong to."""
    return replace(drawing, shapes=(Part(drawing.shapes, "", (("figure", name),)),))


# ---- texts ----------------------------------------------------------------------------------------------------------


def wrapped(text: str, size: float, room: float, *, bold: bool = False) -> list[str]:
    """A text in lines that are no wider than `room`, broken at blanks; a word that is wider is clipped."""
    lines: list[str] = []
    for word in text[:400].split(" "):
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and width(joined, size, bold=bold) <= room:
            lines[-1] = joined
        else:
            lines.append(clipped(word, size, room, bold=bold))
    return lines


def centred(lines: Lines, x: float, y: float, ink: str) -> list[Shape]:
    """Lines around a point."""
    return written(lines, x, y - lines.height / 2, ink, "middle")


def left(lines: Lines, x: float, y: float, ink: str) -> list[Shape]:
    """Lines under each other, from their upper left corner."""
    return written(lines, x, y, ink, "start")


def written(lines: Lines, x: float, top: float, ink: str, anchor: str) -> list[Shape]:
    """Lines under each other."""
    shapes: list[Shape] = []
    for text, size, bold in lines.texts:
        shapes.append(Text(x, top + size * 0.93, text, size, ink, bold, "middle" if anchor == "middle" else "start"))
        top += size * 1.22
    return shapes


# ---- placing --------------------------------------------------------------------------------------------------------


def moved(shapes: tuple[Shape, ...], x: float, y: float) -> tuple[Shape, ...]:
    """Shapes at another place."""
    return tuple(_moved(shape, x, y) for shape in shapes)


def _moved(shape: Shape, x: float, y: float) -> Shape:
    if isinstance(shape, Part):
        return _changed(shape, shapes=moved(shape.shapes, x, y))
    if isinstance(shape, Rectangle | Circle | Text):
        return _changed(shape, x=shape.x + x, y=shape.y + y)
    return _changed(shape, points=tuple((u + x, v + y) for u, v in shape.points))


def _changed(shape: _Any, **changes: object) -> _Any:
    """A shape with other values, as `replace` makes it, in a tenth of the time: a shape is moved once for each drawing that it
    is in, and that was half of what a large sheet took."""
    made = object.__new__(type(shape))
    made.__dict__.update(shape.__dict__, **changes)
    return made
