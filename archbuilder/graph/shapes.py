"""The shapes that flow along a graph's edges, without the batch. Sizes are in pixels."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias


class Map(NamedTuple):
    """A feature map of (channels, height, width)."""

    channels: int
    height: int
    width: int

    def __str__(self) -> str:
        return f"{self.channels}×{self.height}×{self.width}"

    @property
    def is_shape(self) -> bool:
        """Says to an expression that this is a shape, not a list."""
        return True

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return self.channels * self.height * self.width


class Vector(NamedTuple):
    """A vector of so many channels."""

    channels: int

    def __str__(self) -> str:
        return str(self.channels)

    @property
    def is_shape(self) -> bool:
        """Says to an expression that this is a shape, not a list."""
        return True

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return self.channels


class Streams(tuple["Shape", ...]):
    """Several values as one: the parts of a split."""

    __slots__ = ()

    def __str__(self) -> str:
        return " + ".join(str(shape) for shape in self)

    @property
    def elements(self) -> int:
        """How many numbers they hold together."""
        return sum(shape.elements for shape in self)


Shape: TypeAlias = Map | Vector | Streams


def dimensions(shape: Shape) -> tuple[int, ...]:
    """The shape as plain numbers, those of several streams one behind the other."""
    if isinstance(shape, Streams):
        return tuple(number for part in shape for number in dimensions(part))
    return tuple(shape)
