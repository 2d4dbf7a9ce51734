"""Ops that join values, part them or change their form."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, Self

from archbuilder.graph.answers import FRESH, VIEW, Construct, Expression, Memory
from archbuilder.graph.op import Op, OpError, Role, ShapesDiffer, divisors, only_map, only_one
from archbuilder.graph.shapes import Held, Map, Shape, Streams, Tokens, Vector
from archbuilder.parameters import Parameter


@dataclass(frozen=True, eq=False, repr=False)
class Add(Op):
    """The sum of its inputs."""

    name: ClassVar[str] = "add"
    help: ClassVar[str] = "the sum of its inputs, which have one shape"
    role: ClassVar[Role] = "join"
    sign: ClassVar[str] = "+"
    sums: ClassVar[bool] = True
    telling: ClassVar[bool] = False
    inputs: ClassVar[tuple[int, int | None]] = (1, None)
    joins: ClassVar[bool] = True
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("spread", "bool", False, "whether maps of one pixel, or of one channel, serve for all"),
    )

    spread: bool = False

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        for number, shape in enumerate(inputs):
            allowed = self.spread or isinstance(shape, Held)
            if not (shape == inputs[0] or (allowed and _spreads(shape, inputs[0]))):
                other = "`project`" if isinstance(shape, Map) else "`linear`"
                help = f"give both branches the same width and stride, or bring one to the other's shape with {other}"
                help = _help_for_held(shape, inputs[0]) or help
                raise ShapesDiffer("add expected equal shapes", inputs, number, help)
        return only_one("add", inputs[0])

    def is_fresh(self, inputs: int) -> bool:
        return inputs > 1

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        return Memory(beside=output.elements * (len(inputs) > 2)) if len(inputs) > 1 else VIEW

    def emit(self) -> Expression:
        return Expression("{sum}")


@dataclass(frozen=True, eq=False, repr=False)
class Multiply(Op):
    """The product of its inputs, number by number."""

    name: ClassVar[str] = "multiply"
    help: ClassVar[str] = "the product of its inputs; maps of one pixel, or of one channel, serve for all"
    role: ClassVar[Role] = "join"
    sign: ClassVar[str] = "×"
    inputs: ClassVar[tuple[int, int | None]] = (2, None)

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        for number, shape in enumerate(inputs):
            if not _spreads(shape, inputs[0]):
                help = "a gate has the map's channels, and its size or 1×1"
                help = _help_for_held(shape, inputs[0]) or help
                raise ShapesDiffer("multiply expected a map and its gates", inputs, number, help)
        return only_one("multiply", inputs[0])

    def is_fresh(self, inputs: int) -> bool:
        return True

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        between = len(inputs) - 2  # products of some of them
        return Memory(
            keeps_beside=output.elements * between,
            beside=output.elements * (between > 0),
            keeps_for=((0, 1, 2), *((at, 0, at) for at in range(1, len(inputs)))),  # each for what is multiplied before
        )

    def emit(self) -> Expression:
        return Expression("{product}")


def _spreads(shape: Shape, over: Shape) -> bool:
    if shape == over:
        return True
    if isinstance(shape, Held):
        return _held_spreads(shape.sizes, over)
    if not (isinstance(shape, Map) and isinstance(over, Map)):
        return False
    return all(own in (1, other) for own, other in zip(shape, over, strict=True))


def _help_for_held(shape: Shape, over: Shape) -> str | None:
    """What to write where a held tensor does not fit another value."""
    if isinstance(over, Held):
        return "name the map first, then what the block holds"
    return (
        f"beside {over} give the parameter the `shape` {_held_for(over)}, for example"
        if isinstance(shape, Held)
        else None
    )


def _held_for(over: Shape) -> str:
    """How a held tensor with a number for each channel is written."""
    channels = over.channels if isinstance(over, Map | Vector | Tokens) else 1
    return f"[{channels}, 1, 1]" if isinstance(over, Map) else f"[{channels}]"


def _held_spreads(sizes: tuple[int, ...], over: Shape) -> bool:
    """Whether a held tensor fits each image's value, whatever the size of the image happens to be: a single number does, or
    as many sizes as the value has. torch would lay fewer along the last ones, which of a map are no channels."""
    whole: tuple[int, ...] = tuple(over) if isinstance(over, Map | Vector) else ()
    whole = (over.channels,) if isinstance(over, Tokens) else whole
    own = sizes[1:] if sizes[:1] == (1,) and len(sizes) == len(whole) + 1 else sizes
    if len(own) != len(whole):
        return bool(whole) and len(own) < len(whole) and prod(own) == 1
    return all(size in (1, other) for size, other in zip(own, whole, strict=True))


@dataclass(frozen=True, eq=False, repr=False)
class Concat(Op):
    """Its inputs, one behind the other along the channels."""

    name: ClassVar[str] = "concat"
    help: ClassVar[str] = "its inputs behind each other along the channels"
    channels_given: ClassVar[tuple[str, ...]] = ("sum",)
    role: ClassVar[Role] = "join"
    inputs: ClassVar[tuple[int, int | None]] = (1, None)
    joins: ClassVar[bool] = True

    dim: int

    @classmethod
    def resolve(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> Self:
        return cls(_channel_dim(inputs[0]))

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        first = inputs[0]
        if not isinstance(first, Map | Vector | Tokens):
            raise OpError("concat takes maps, vectors or tokens", "write `from: parts.*` for the parts of a list")
        channels = 0
        for number, shape in enumerate(inputs):
            if type(shape) is not type(first) or _placeless(shape) != _placeless(first):
                help = "what is put together may differ in channels only"
                raise ShapesDiffer("concat expected maps of one size", inputs, number, help)
            channels += shape.channels
        return first._replace(channels=channels)

    def is_fresh(self, inputs: int) -> bool:
        return True

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        return FRESH

    def emit(self) -> Expression:
        return Expression("torch.cat({all}, dim={dim})", (("dim", self.dim),))


def _channel_dim(shape: Shape) -> int:
    """The dimension of a batch along which the channels lie."""
    return -1 if isinstance(shape, Tokens) else 1


def _placeless(shape: Shape) -> Shape:
    """A shape without regard to its channels."""
    return shape._replace(channels=1) if isinstance(shape, Map | Vector | Tokens) else shape


@dataclass(frozen=True, eq=False, repr=False)
class Softmax(Op):
    """Softmax over several values, number by number: together they make 1."""

    name: ClassVar[str] = "softmax"
    help: ClassVar[str] = "softmax over its inputs, number by number; gives as many values, which together make 1"
    role: ClassVar[Role] = "attention"
    inputs: ClassVar[tuple[int, int | None]] = (2, None)

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        for number, shape in enumerate(inputs):
            if shape != inputs[0]:
                raise ShapesDiffer(
                    "softmax expected equal shapes", inputs, number, "all inputs of `softmax` have one shape"
                )
        return Streams(inputs)

    @property
    def is_known(self) -> bool:
        return True

    def macs(self, output: Shape) -> int:
        return 0

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        return Memory(keeps_output=True, beside=output.elements)

    def emit(self) -> Expression:
        return Expression("torch.stack({all}).softmax(dim=0).unbind()")


@dataclass(frozen=True, eq=False, repr=False)
class Gather(Op):
    """Several values as one list of them; what a block with `return` gives."""

    name: ClassVar[str] = "streams"
    help: ClassVar[str] = "several values as one: x.0, x.1, ..., if the step is called x"
    role: ClassVar[Role] = "join"
    inputs: ClassVar[tuple[int, int | None]] = (1, None)

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        return Streams(inputs)

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        return VIEW

    def emit(self) -> Expression:
        return Expression("{all}")


@dataclass(frozen=True, eq=False, repr=False)
class ChannelShuffle(Op):
    """Channels of the groups by turns (arXiv:1707.01083, section 3.1)."""

    name: ClassVar[str] = "channel_shuffle"
    help: ClassVar[str] = "puts the channels of the groups by turns, so that they mix"
    role: ClassVar[Role] = "shape"
    parameters: ClassVar[tuple[Parameter, ...]] = (Parameter("groups", "int", 2, "how many groups", minimum=1),)

    groups: int

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        shape = only_map("channel_shuffle", inputs[0])
        if shape.channels % self.groups:
            raise OpError(
                f"`groups` ({self.groups}) does not divide the {shape.channels} channels of the input", None, "groups"
            )
        return shape

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        return FRESH

    def emit(self) -> Construct:
        return Construct("nn.ChannelShuffle", (self.groups,), (), {0: ("groups",)})

    def label(self) -> str:
        return "channel shuffle"


@dataclass(frozen=True, eq=False, repr=False)
class Split(Op):
    """Equal parts along the channels."""

    name: ClassVar[str] = "split"
    help: ClassVar[str] = "equal parts along the channels: parts.0, parts.1, ..., if the step is called parts"
    channels_given: ClassVar[tuple[str, ...]] = ("input.channels // parts",)
    role: ClassVar[Role] = "shape"
    parameters: ClassVar[tuple[Parameter, ...]] = (Parameter("parts", "int", help="how many", minimum=1, maximum=4096),)

    parts: int
    dim: int

    @classmethod
    def resolve(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> Self:
        return cls(given["parts"], _channel_dim(inputs[0]))

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        shape = inputs[0]
        if not isinstance(shape, Map | Vector | Tokens):
            raise OpError(f"split takes one value, got {shape}", "take one of them, as in `from: parts.0`")
        if shape.channels % self.parts:
            message = f"{shape.channels} channels cannot be split into {self.parts} equal parts"
            raise OpError(message, f"use one of {divisors(shape.channels)}", "parts")
        return Streams(shape._replace(channels=shape.channels // self.parts) for _ in range(self.parts))

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        return VIEW

    def emit(self) -> Expression:
        values = (("parts", self.parts), ("dim", self.dim))
        return Expression("torch.chunk({0}, {parts}, dim={dim})", values)

    def label(self) -> str:
        return f"split in {self.parts}"


@dataclass(frozen=True, eq=False, repr=False)
class Rescale(Op):
    """Numbers that are not trained, and in no checkpoint: times some, plus some."""

    name: ClassVar[str] = "rescale"
    help: ClassVar[str] = (
        "times a number, plus a number, that are not trained; or for a map one of each for every channel"
    )
    lies_over: ClassVar[int | None] = 1
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("scale", "list", (1.0,), "what it is multiplied with", element="float", single=True),
        Parameter("offset", "list", (0.0,), "what is added then", element="float", single=True),
    )

    scale: tuple[float, ...]
    offset: tuple[float, ...]

    @classmethod
    def resolve(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> Self:
        shape = only_one("rescale", inputs[0])
        for knob in ("scale", "offset"):
            count = len(given[knob])
            if count != 1 and not (isinstance(shape, Map) and count == shape.channels):
                message = f"`{knob}` is one number, or of a map one for each channel; got {count} for {shape}"
                raise OpError(message, None, knob)
        return cls(**given)

    def macs(self, output: Shape) -> int:
        return 0

    def is_fresh(self, inputs: int) -> bool:
        return True

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        return Memory(beside=output.elements if any(self.offset) or len(self.scale) > 1 else 0)

    @property
    def does_nothing(self) -> bool:
        return {*self.scale} == {1.0} and {*self.offset} == {0.0}

    @property
    def helpers(self) -> tuple[str, ...]:  # type: ignore[override]
        """One number needs none."""
        return () if len(self.scale) == len(self.offset) == 1 else ("Rescale",)

    def emit(self) -> Construct | Expression:
        count = max(len(self.scale), len(self.offset))
        if count == 1:
            added = " + {offset}" if self.offset != (0.0,) else ""
            values = (("scale", self.scale[0]), *((("offset", self.offset[0]),) if added else ()))
            return Expression(
                "{0} * {scale}" + added, values, {"scale": ("scale", "scale[0]"), "offset": ("offset", "offset[0]")}
            )
        each = (numbers * (count // len(numbers)) for numbers in (self.scale, self.offset))
        return Construct("Rescale", tuple(each))


@dataclass(frozen=True, eq=False, repr=False)
class Flatten(Op):
    """A map as a vector."""

    name: ClassVar[str] = "flatten"
    help: ClassVar[str] = "a map as one vector"
    role: ClassVar[Role] = "shape"
    telling: ClassVar[bool] = False

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        if isinstance(inputs[0], Streams):
            raise OpError(f"flatten takes one value, got {len(inputs[0])}")
        if isinstance(inputs[0], Held):
            raise OpError(f"flatten takes a map, got a parameter of {inputs[0]}")
        return Vector(inputs[0].elements)

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        return VIEW

    def emit(self) -> Construct:
        return Construct("nn.Flatten", (1,))


@dataclass(frozen=True, eq=False, repr=False)
class Identity(Op):
    """Its input."""

    name: ClassVar[str] = "identity"
    help: ClassVar[str] = "its input, unchanged"
    role: ClassVar[Role] = "identity"
    telling: ClassVar[bool] = False

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        return VIEW

    def emit(self) -> Construct:
        return Construct("nn.Identity")
