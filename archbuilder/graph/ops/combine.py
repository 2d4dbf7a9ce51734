"""Ops that join values, part them or change their form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from archbuilder.graph.op import Construct, Expression, Op, OpError, divisors, only_map, only_one
from archbuilder.graph.shapes import Map, Shape, Streams, Vector
from archbuilder.parameters import Parameter


class ShapesDiffer(OpError):
    """Values that must be of one shape are not. `first` and `second` number two inputs that disagree."""

    def __init__(self, expected: str, inputs: tuple[Shape, ...], second: int, help: str) -> None:
        super().__init__(f"{expected}, got {inputs[0]} and {inputs[second]}", help)
        self.first = 0
        self.second = second


@dataclass(frozen=True)
class Add(Op):
    """The sum of its inputs."""

    name: ClassVar[str] = "add"
    help: ClassVar[str] = "the sum of its inputs, which have one shape"
    inputs: ClassVar[tuple[int, int | None]] = (1, None)

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        for number, shape in enumerate(inputs):
            if shape != inputs[0]:
                help = "give both branches the same width and stride, or project one of them (`shortcut: project`)"
                raise ShapesDiffer("add expected equal shapes", inputs, number, help)
        return only_one("add", inputs[0])

    def emit(self) -> Expression:
        return Expression("{sum}")

    def label(self) -> str:
        return "+"


@dataclass(frozen=True)
class Multiply(Op):
    """The product of its inputs, number by number."""

    name: ClassVar[str] = "multiply"
    help: ClassVar[str] = "the product of its inputs; maps of one pixel, or of one channel, serve for all"
    inputs: ClassVar[tuple[int, int | None]] = (2, None)

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        for number, shape in enumerate(inputs):
            if not _spreads(shape, inputs[0]):
                help = "a gate has the map's channels, and its size or 1×1"
                raise ShapesDiffer("multiply expected a map and its gates", inputs, number, help)
        return only_one("multiply", inputs[0])

    def emit(self) -> Expression:
        return Expression("{product}")

    def label(self) -> str:
        return "×"


def _spreads(shape: Shape, over: Shape) -> bool:
    if shape == over:
        return True
    if not (isinstance(shape, Map) and isinstance(over, Map)):
        return False
    return all(own in (1, other) for own, other in zip(shape, over, strict=True))


@dataclass(frozen=True)
class Concat(Op):
    """Its inputs, one behind the other along the channels."""

    name: ClassVar[str] = "concat"
    help: ClassVar[str] = "its inputs behind each other along the channels"
    inputs: ClassVar[tuple[int, int | None]] = (1, None)

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        first = inputs[0]
        for number, shape in enumerate(inputs):
            if type(shape) is not type(first) or shape[1:] != first[1:]:
                help = "what is put together may differ in channels only"
                raise ShapesDiffer("concat expected maps of one size", inputs, number, help)
        if isinstance(first, Streams):
            raise OpError("concat takes maps or vectors, not lists of them", "write `from: parts.*`")
        channels = sum(shape.channels for shape in inputs if isinstance(shape, Map | Vector))
        return Map(channels, first.height, first.width) if isinstance(first, Map) else Vector(channels)

    def emit(self) -> Expression:
        return Expression("torch.cat([{all}], dim=1)")


@dataclass(frozen=True)
class Split(Op):
    """Equal parts along the channels."""

    name: ClassVar[str] = "split"
    help: ClassVar[str] = "equal parts along the channels: parts.0, parts.1, ..., if the step is called parts"
    parameters: ClassVar[tuple[Parameter, ...]] = (Parameter("parts", "int", help="how many", minimum=1, maximum=4096),)

    parts: int

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        shape = inputs[0]
        if isinstance(shape, Streams):
            raise OpError(f"split takes one value, got {len(shape)}", "take one of them, as in `from: parts.0`")
        if shape.channels % self.parts:
            message = f"{shape.channels} channels cannot be split into {self.parts} equal parts"
            raise OpError(message, f"use one of {divisors(shape.channels)}", "parts")
        return Streams(type(shape)(shape.channels // self.parts, *shape[1:]) for _ in range(self.parts))

    def emit(self) -> Expression:
        return Expression("torch.chunk({0}, {parts}, dim=1)", (("parts", self.parts),))

    def label(self) -> str:
        return f"split in {self.parts}"


@dataclass(frozen=True)
class PadChannels(Op):
    """Channels of zeros."""

    name: ClassVar[str] = "pad_channels"
    help: ClassVar[str] = "adds channels of zeros up to `width`, half of them before and half behind"
    parameters: ClassVar[tuple[Parameter, ...]] = (Parameter("width", "channels", help="channels of the output"),)

    before: int
    behind: int

    @classmethod
    def resolve(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> Self:
        missing = given["width"] - only_map("pad_channels", inputs[0]).channels
        if missing < 0:
            raise OpError(f"pad_channels cannot make {-missing} channels fewer", "use `shortcut: project`", "width")
        return cls(missing // 2, missing - missing // 2)

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        shape = only_map("pad_channels", inputs[0])
        return Map(shape.channels + self.before + self.behind, shape.height, shape.width)

    def emit(self) -> Expression:
        values = (("before", self.before), ("behind", self.behind))
        return Expression("functional.pad({0}, (0, 0, 0, 0, {before}, {behind}))", values)

    def label(self) -> str:
        return f"+{self.before + self.behind} channels of zeros"


@dataclass(frozen=True)
class Flatten(Op):
    """A map as a vector."""

    name: ClassVar[str] = "flatten"
    help: ClassVar[str] = "a map as one vector"

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        if isinstance(inputs[0], Streams):
            raise OpError(f"flatten takes one value, got {len(inputs[0])}")
        return Vector(inputs[0].elements)

    def emit(self) -> Construct:
        return Construct("nn.Flatten", (1,))


@dataclass(frozen=True)
class Identity(Op):
    """Its input."""

    name: ClassVar[str] = "identity"
    help: ClassVar[str] = "its input, unchanged"

    def emit(self) -> Construct:
        return Construct("nn.Identity")
