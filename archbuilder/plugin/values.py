"""What a block's function works with: values, and the builder that makes steps of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from archbuilder.graph.shapes import Held, Map, Shape, Streams, Tokens, Vector
from archbuilder.plugin.registry import PluginError


class UnknownValueError(Exception):
    """A function asked for the shape of a value that came out of a mistake, which has been reported."""


class Value:
    """A value in a block: what goes in, or what a step gives. Nothing is computed yet; its shape is known."""

    __slots__ = ("_shape", "name", "owner")

    def __init__(self, name: str, shape: Shape | None, owner: object) -> None:
        self.name = name
        self._shape = shape
        self.owner = owner

    @property
    def shape(self) -> Shape:
        """A `Map`, a `Vector`, `Tokens`, or `Streams` of several values."""
        if self._shape is None:
            raise UnknownValueError
        return self._shape

    @property
    def channels(self) -> int:
        """How many channels it has."""
        shape = self.shape
        if isinstance(shape, Streams):
            raise PluginError(f"{len(shape)} values together have no channels", "take one of them, as in x[0]")
        return shape.channels

    @property
    def height(self) -> int:
        """The height of a map, or of the map that tokens come from."""
        return self._placed("height").height

    @property
    def width(self) -> int:
        """The width of a map, or of the map that tokens come from."""
        return self._placed("width").width

    @property
    def tokens(self) -> int:
        """How many tokens there are."""
        if isinstance(self.shape, Tokens):
            return self.shape.tokens
        raise PluginError(f"{_described(self.shape)} has no tokens", "use `to_tokens` before")

    def _placed(self, what: str) -> Map | Tokens:
        if isinstance(self.shape, Map | Tokens):
            return self.shape
        raise PluginError(f"{_described(self.shape)} has no {what}")

    def __len__(self) -> int:
        return len(self._parts())

    def __getitem__(self, number: int) -> Value:
        parts = self._parts()
        if not -len(parts) <= number < len(parts):
            raise IndexError(f"there are {len(parts)} values, not one of number {number}")
        return Value(f"{self.name}.{number % len(parts)}", parts[number], self.owner)

    def __iter__(self) -> Iterator[Value]:
        return (self[number] for number in range(len(self._parts())))

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<value {'?' if self._shape is None else self._shape}>"

    def _parts(self) -> Streams:
        if isinstance(self.shape, Streams):
            return self.shape
        raise PluginError(f"{_described(self.shape)} is one value, not several")


def _described(shape: Shape) -> str:
    if isinstance(shape, Streams):
        return f"{len(shape)} values together"
    kinds = {Map: "a map of", Vector: "a vector of", Tokens: "a value of", Held: "a parameter of"}
    return f"{kinds[type(shape)]} {shape}"


class Builder(Protocol):
    """Makes steps. It is called as a spec's step is written: the block, the values that go in, its parameters by name."""

    def __call__(self, block: Any, /, *inputs: Value, name: str | None = None, **parameters: Any) -> Value:
        """A step, and the value that it gives.

        Args:
            block: the name of a block or an op, or a parameter of the type `Block`.
            inputs: the values that go in.
            name: the name of its module; by default the block's, with a number behind it where that is taken.
            parameters: what the block is told, and the words of a step: `depth`, `when`, `inline`, `rename`, `register`.
        """
