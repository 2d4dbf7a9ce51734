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


def image(sizes: object) -> Map:
    """The shape of one image, from (channels, height, width).

    Raises:
        ValueError: if it is something else.
    """
    whole = isinstance(sizes, tuple | list) and all(type(size) is int and size >= 1 for size in sizes)
    if not (whole and isinstance(sizes, tuple | list) and len(sizes) == 3):
        raise ValueError(f"`input` is (channels, height, width) of one image, without the batch; got {sizes!r}")
    return Map(*sizes)


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


class Tokens(NamedTuple):
    """Tokens of a grid of (height, width), behind `extra` ones that belong to no place, of so many channels each.

    Without extra ones they are computed as (batch, height, width, channels), so that the tensor itself remembers the grid;
    with extra ones as (batch, tokens, channels).
    """

    height: int
    width: int
    extra: int
    channels: int

    def __str__(self) -> str:
        extra = f"{self.extra}+" if self.extra else ""
        return f"{extra}{self.height}×{self.width} tokens of {self.channels}"

    @property
    def is_shape(self) -> bool:
        """Says to an expression that this is a shape, not a list."""
        return True

    @property
    def tokens(self) -> int:
        """How many tokens there are."""
        return self.extra + self.height * self.width

    @property
    def elements(self) -> int:
        """How many numbers they hold."""
        return self.tokens * self.channels


class Held(NamedTuple):
    """A tensor that a block holds itself, the same for all images: a scale, a position embedding."""

    sizes: tuple[int, ...]

    def __str__(self) -> str:
        return f"[{', '.join(str(size) for size in self.sizes)}]"

    @property
    def channels(self) -> int:
        """Its last size."""
        return self.sizes[-1]

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        product = 1
        for size in self.sizes:
            product *= size
        return product


class Streams(tuple["Shape", ...]):
    """Several values as one: the parts of a split."""

    __slots__ = ()

    def __str__(self) -> str:
        return " + ".join(str(shape) for shape in self)

    @property
    def elements(self) -> int:
        """How many numbers they hold together."""
        return sum(shape.elements for shape in self)


Shape: TypeAlias = Map | Vector | Tokens | Held | Streams


def images(sizes: object, *, tokens: bool = False) -> Shape:
    """The shape of what goes into a block: of one image, or of several as streams; their pixels as tokens, if so.

    Raises:
        ValueError: if these are no sizes of images.
    """
    several = isinstance(sizes, tuple | list) and len(sizes) > 0 and isinstance(sizes[0], tuple | list)
    maps = [image(each) for each in sizes] if several and isinstance(sizes, tuple | list) else [image(sizes)]
    shapes = [Tokens(each.height, each.width, 0, each.channels) if tokens else each for each in maps]
    return Streams(shapes) if several else shapes[0]


def in_parts(shape: Shape) -> tuple[Shape, ...]:
    """The shapes of several streams, or the one that it is."""
    return tuple(shape) if isinstance(shape, Streams) else (shape,)


def dimensions(shape: Shape) -> tuple[int, ...]:
    """The shape as a tensor has it, without the batch; those of several streams one behind the other."""
    if isinstance(shape, Streams):
        return tuple(number for part in shape for number in dimensions(part))
    if isinstance(shape, Tokens):
        return (shape.tokens, shape.channels) if shape.extra else (shape.height, shape.width, shape.channels)
    return shape.sizes if isinstance(shape, Held) else tuple(shape)
