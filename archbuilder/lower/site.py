"""A step where it stands."""

from __future__ import annotations

from typing import NamedTuple

from archbuilder.graph.graph import Value
from archbuilder.graph.shapes import Shape, Streams
from archbuilder.language.models import Step
from archbuilder.lower.frame import Frame


class Site(NamedTuple):
    """A step, the name that it has here, the body around it, and the values that it takes."""

    name: str
    step: Step
    frame: Frame
    inputs: tuple[Value, ...]

    def shape(self) -> Shape:
        """What goes in: one shape, or several as streams."""
        shapes = tuple(self.frame.builder.shape_of(value) for value in self.inputs)
        return shapes[0] if len(shapes) == 1 else Streams(shapes)
