"""What is drawn, placed: shapes, lines and texts in points (1/72 inch), y growing downwards, later ones over earlier ones.

Layouts make scenes, outputs write them down: no output computes a place. Colours are the names of what they stand for; a theme
says which they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Ink: TypeAlias = str
"""The name of a colour in a theme: "ground", "text", "stage", "stage line"."""

Dash: TypeAlias = Literal["solid", "dashed", "dotted"]
Anchor: TypeAlias = Literal["start", "middle", "end"]
Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class Rectangle:
    """A rectangle, its corners rounded by `radius`; `hatched` with lines over its ground, so that it differs in greyscale."""

    x: float
    y: float
    width: float
    height: float
    fill: Ink | None = None
    line: Ink | None = None
    line_width: float = 0.8
    radius: float = 0.0
    hatched: bool = False
    dash: Dash = "solid"


@dataclass(frozen=True)
class Circle:
    """A circle around a point."""

    x: float
    y: float
    radius: float
    fill: Ink | None = None
    line: Ink | None = None
    line_width: float = 0.8


@dataclass(frozen=True)
class Polygon:
    """A filled outline through some points."""

    points: tuple[Point, ...]
    fill: Ink | None = None
    line: Ink | None = None
    line_width: float = 0.8


@dataclass(frozen=True)
class Line:
    """A line through some points, its corners rounded by `radius`; with `arrow`, a head at its end."""

    points: tuple[Point, ...]
    ink: Ink = "line"
    width: float = 0.8
    dash: Dash = "solid"
    arrow: bool = False
    radius: float = 0.0


@dataclass(frozen=True)
class Text:
    """One line of text. `y` is that of its baseline; `anchor` says which of its points `x` is; `size` is that of the font."""

    x: float
    y: float
    text: str
    size: float
    ink: Ink = "text"
    bold: bool = False
    anchor: Anchor = "start"


@dataclass(frozen=True)
class Part:
    """Shapes that belong together: a box with its texts, or an edge.

    `title` is what is said of it to readers who don't see, and shown at the pointer. `facts` say what it stands for, so that
    a program can read a drawing back: {"edge": "...", "from": "layer1", "to": "layer2"}.
    """

    shapes: tuple[Shape, ...]
    title: str = ""
    facts: tuple[tuple[str, str], ...] = ()


Shape: TypeAlias = Rectangle | Circle | Polygon | Line | Text | Part


@dataclass(frozen=True)
class Scene:
    """A drawing: its size, and what is on it. `title` names it and `description` says in a sentence what is seen."""

    width: float
    height: float
    shapes: tuple[Shape, ...]
    title: str = ""
    description: str = field(default="")

    def flat(self) -> Iterator[Rectangle | Circle | Polygon | Line | Text]:
        """Every shape, those of parts too."""
        return _flat(self.shapes)

    def parts(self) -> Iterator[Part]:
        """Every part, inner ones too."""
        return _parts(self.shapes)


def _flat(shapes: tuple[Shape, ...]) -> Iterator[Rectangle | Circle | Polygon | Line | Text]:
    for shape in shapes:
        if isinstance(shape, Part):
            yield from _flat(shape.shapes)
        else:
            yield shape


def _parts(shapes: tuple[Shape, ...]) -> Iterator[Part]:
    for shape in shapes:
        if isinstance(shape, Part):
            yield shape
            yield from _parts(shape.shapes)
