"""What an op is: the only kind of thing that Python defines.

An op states once what it can be told, what it gives for which input, what it stores, what it costs, how it is drawn and
which PyTorch expression computes it. Everything else in the house asks it. Nothing here knows torch: what is emitted is
described as data and turned into text by `archbuilder.pytorch`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final, Literal, Self, TypeAlias

from archbuilder.graph.answers import Construct, Expression, Initialisation, Memory, Spread, Tensor, Window
from archbuilder.graph.shapes import Held, Map, Shape, Streams, Tokens, Vector
from archbuilder.parameters import LEAST_DIMENSIONS, Parameter

Role: TypeAlias = Literal[
    "convolution", "linear", "norm", "activation", "regularisation", "pooling", "resampling", "join", "attention", "shape",
    "tensor", "identity", "other",
]  # fmt: skip
"""What an op is for: `regularisation` acts in training only, `resampling` gives a map of another size, a `join` makes one
value of several, `shape` orders or parts the same numbers anew, a `tensor` is held beside the steps."""

_BY_PIXEL: Final[tuple[Role, ...]] = (
    "linear", "norm", "activation", "regularisation", "join", "shape", "tensor", "identity"
)  # fmt: skip


_COSTLY: Final[frozenset[Role]] = frozenset(("convolution", "linear", "attention", "other"))
"""What an op is for that may well have multiply-accumulates."""


class OpError(Exception):
    """An op cannot be applied. `message` says why, `help` what to write instead; the caller adds the place."""

    def __init__(self, message: str, help: str | None = None, parameter: str | None = None) -> None:
        super().__init__(message)
        self.help = help
        self.parameter = parameter


class ShapesDiffer(OpError):
    """Values that must be of one shape are not. `first` and `second` number two inputs that disagree."""

    def __init__(self, expected: str, inputs: tuple[Shape, ...], second: int, help: str) -> None:
        super().__init__(f"{expected}, got {inputs[0]} and {inputs[second]}", help)
        self.first = 0
        self.second = second


_NO_DEFAULT: Final = object()


class Op:
    """The base of all ops. A subclass is a frozen dataclass whose fields are the attributes as resolved for one input.

    What dataclasses would write for each anew, which every process that uses the ops would wait for, is here once.
    """

    name: ClassVar[str]
    help: ClassVar[str]
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    inputs: ClassVar[tuple[int, int | None]] = (1, 1)
    joins: ClassVar[bool] = False
    """Whether it means something only for several values; all values of a list (`acts.*`) may still be one."""
    fallbacks: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """What a parameter is where it is not given, if that follows from others or from the input: formulas, the simplest first.
    Which of them is right may depend on the values."""
    unset: ClassVar[Mapping[str, str]] = {}
    """Which word of a spec a parameter of the op stands for that has no value."""
    size_parameter: ClassVar[str | None] = None
    """The parameter that is a size of the input which weights depend on: it stays as it is for another input."""
    holds_tensor: ClassVar[bool] = False
    """Whether it is a tensor that belongs to the block itself, and no module."""

    role: ClassVar[Role] = "other"
    counts_as_layer: ClassVar[bool] = False
    """Whether it counts when the depth of a network is told."""
    sums: ClassVar[bool] = False
    """Whether it adds its inputs up, so that one of them may be a shortcut around the others."""
    sign: ClassVar[str] = ""
    """The symbol that is all that a picture has of it."""
    follows: ClassVar[bool] = False
    """Whether it stands in the box of the layer before it, in a picture."""
    telling: ClassVar[bool] = True
    """Whether it is named where a section is described in a few words."""

    lies_over: ClassVar[int | None] = None
    """Over how many of its first inputs its output lies, so that a pixel of it comes of that pixel of theirs: 0 for what sees a
    whole map at once. None: all, of an op with a `window`, or with a role that says as much; of others it is not known."""

    in_place: ClassVar[bool] = False
    """Whether it can overwrite its input without torch having to keep a copy for the gradient."""
    drops_path: ClassVar[bool] = False
    """Whether it drops a path in training, at a rate that depends on where in the network its block stands."""
    needs: ClassVar[tuple[str, ...]] = ()
    """What emitted source needs beside torch: import lines, and definitions of classes and functions, as text."""
    channels_given: ClassVar[tuple[str, ...]] = ("input.channels",)
    """What the channels of its output follow from: expressions as in `Sources`, of which one holds; "sum" is that of all
    inputs."""
    helpers: ClassVar[tuple[str, ...]] = ()
    """Which definitions of `archbuilder.graph.helpers` emitted source needs for it."""
    spreads: ClassVar[bool] = False
    """Whether its module takes several inputs as several arguments, and not as one tuple."""

    floats: ClassVar[tuple[Parameter, ...]] = ()
    """Its parameters that are floats, or lists of these; made of `parameters`, which may be anything yet in a plugin."""

    def __init_subclass__(cls) -> None:
        kinds = ("type", "element")
        cls.floats = tuple(p for p in cls.parameters if "float" in [getattr(p, kind, None) for kind in kinds])

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    def text(self) -> str:
        """The op as a graph's text has it: its name, and the attributes that say more than their defaults."""
        return " ".join((self.name, *(f"{name}={shown(value)}" for name, value in self._telling())))

    def _telling(self) -> Iterator[tuple[str, Any]]:
        """The attributes that are one of several kinds, or not what they are where nobody says anything, as few fields are."""
        parameters = {parameter.name: parameter for parameter in self.parameters}
        for name, value in vars(self).items():
            if value == getattr(type(self), name, _NO_DEFAULT):
                continue
            parameter = parameters.get(name)
            default = parameter.default if parameter is not None else getattr(type(self), name, False)
            usual = (shown(default), *(self.fallbacks.get(name, ())[:1] if default is None else ()))
            if (parameter is not None and parameter.choices) or shown(value) not in usual:
                yield name, value

    @classmethod
    def applied(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> tuple[Self, Shape]:
        """The op for these inputs, and the shape of what it gives.

        Raises:
            OpError: if it cannot be applied to them, or a tensor of it cannot be drawn as it is told to.
        """
        op = cls.told(given, inputs)
        output = op.infer(inputs)
        op.check_drawn()
        return op, output

    @classmethod
    def told(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> Self:
        """The op for these inputs, as `resolve` makes it, of values that are of the very types of its parameters."""
        for each in cls.floats:
            exact = each.exactly(value := given[each.name])
            given = given if exact is value else {**given, each.name: exact}
        return cls.resolve(given, inputs)

    def check_drawn(self) -> None:
        """Refuses what no tensor of such dimensions can be drawn by.

        Raises:
            OpError: if one is told to be.
        """
        for tensor, kind in self.initialise():
            if kind not in LEAST_DIMENSIONS:
                continue
            least, (there,) = LEAST_DIMENSIONS[kind], [len(each.shape) for each in self.state() if each.name == tensor]
            if there < least:
                lacks = f"no {kind} initialisation: that takes {least} dimensions or more, not {there}"
                help = "write zeros, ones or {normal: 0.02}" if there < 2 else "write kaiming_fan_out or {normal: 0.02}"
                parameter = "init" if tensor == "weight" else f"{tensor}_init"
                raise OpError(f"the {tensor} of {self.name} has {lacks}", help, parameter)

    @classmethod
    def resolve(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> Self:
        """The op for these inputs. `given` holds a checked value for each parameter.

        Raises:
            OpError: if the parameters do not fit each other or the inputs.
        """
        return cls(**given)

    @classmethod
    def idle(cls, given: dict[str, Any]) -> dict[str, str]:
        """The parameters that mean nothing beside the others, each with the reason."""
        return {}

    def remark_on(self, parameter: str) -> str:
        """What to know of a parameter's value that this does not say itself; "" if there is nothing."""
        return ""

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        """The shape of the output.

        Raises:
            OpError: if the op cannot be applied to these inputs.
        """
        return inputs[0]

    def state(self) -> tuple[Tensor, ...]:
        """What the module stores: parameters first, then buffers, in torch's order."""
        return ()

    def macs(self, output: Shape) -> int | None:
        """Multiply-accumulates of convolutions, linear layers and matrix products, for one image; None where that is not known.

        What is for nothing of the kind has none. Of anything else that does not say it, nothing is known.
        """
        return None if self.role in _COSTLY else 0

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory | None:
        """What it has in memory; None where that is not known. One with the role `regularisation` is a view in inference."""
        return None

    @property
    def window(self) -> Window | None:
        """How it slides over a map; None for what does not."""
        return None

    @property
    def enlarges(self) -> tuple[int, int]:
        """How many times larger the map is that comes out than the one that goes in."""
        return 1, 1

    @property
    def blends(self) -> int:
        """Of how many pixels of its input, along each axis, one comes of what enlarges a map."""
        return 1

    @property
    def drifts(self) -> bool:
        """Whether what enlarges a map keeps the middles of its corner pixels where they are, so that the others drift."""
        return False

    @property
    def is_known(self) -> bool:
        """Whether it is known which pixels of its inputs a pixel of its output comes of."""
        return self.lies_over is not None or self.window is not None or self.role in _BY_PIXEL

    def dilate(self, on: Spread) -> Self:
        """The op on a map that an output stride keeps large: it gives the same at the pixels that there are without that.

        Raises:
            OpError: if it cannot.
        """
        raise OpError(f"`{self.name}` cannot stand before or behind a stride that becomes dilation")

    def for_inputs(self, inputs: tuple[Shape, ...]) -> Self:
        """The op for inputs whose maps have another size: what it knows of that is put right."""
        return self

    @property
    def does_nothing(self) -> bool:
        """Whether it gives its input as it is, so that its step is left out."""
        return False

    def is_fresh(self, inputs: int) -> bool:
        """Whether it makes a tensor of its own of so many inputs, which it does not need again, even for the gradient: an
        activation that is its only reader may overwrite that."""
        return False

    def rate_at(self, position: int, count: int) -> float:
        """How often it drops its path in block `position` of `count`, both counted over the blocks that drop theirs, or would
        if they had a shortcut."""
        return 0.0

    def at_rate(self, rate: float) -> Op:
        """The op as it is where it drops its path so often."""
        return self

    def emit(self) -> Construct | Expression:
        """The module that computes it, or an expression."""
        raise AssertionError(f"{type(self).__name__} must say how it is computed")

    @property
    def is_module(self) -> bool:
        """Whether a module computes it, and not an expression."""
        return isinstance(self.emit(), Construct)

    def initialise(self) -> tuple[Initialisation, ...]:
        """How its tensors are drawn, as far as this differs from torch's own way."""
        return ()

    def label(self) -> str:
        """A few words for tables and drawings."""
        return self.sign or self.name.replace("_", " ")


def only_map(op: str, shape: Shape) -> Map:
    """The feature map that an op needs.

    Raises:
        OpError: if it is given anything else.
    """
    if isinstance(shape, Map):
        return shape
    if isinstance(shape, Streams):
        raise OpError(f"{op} takes one feature map, got {len(shape)} values", "take one of them, as in `from: parts.0`")
    if isinstance(shape, Tokens):
        raise OpError(f"{op} takes a feature map (channels, height, width), got {shape}", "put `to_map` before it")
    kind = "parameter" if isinstance(shape, Held) else "vector"
    help = "`global_pool` with `keep: true` gives a map of one pixel" if isinstance(shape, Vector) else None
    raise OpError(f"{op} takes a feature map (channels, height, width), got a {kind} of {shape}", help)


def only_one(op: str, shape: Shape) -> Shape:
    """The one value that an op needs.

    Raises:
        OpError: if it is given the parts of a split.
    """
    if isinstance(shape, Streams):
        raise OpError(f"{op} takes one value, got {len(shape)}", "take one of them, as in `from: parts.0`")
    return shape


def only_tokens(op: str, shape: Shape) -> Tokens:
    """The tokens that an op needs.

    Raises:
        OpError: if it is given anything else.
    """
    if isinstance(shape, Tokens):
        return shape
    raise OpError(f"{op} takes tokens, got {shape}", "put `to_tokens` before it" if isinstance(shape, Map) else None)


def vector_or_tokens(op: str, shape: Shape) -> Vector | Tokens:
    """The vector or tokens that an op needs.

    Raises:
        OpError: if it is given anything else.
    """
    if isinstance(shape, Vector | Tokens):
        return shape
    raise OpError(
        f"{op} takes a vector or tokens, got {shape}", "put `global_pool`, `flatten` or `to_tokens` before it"
    )


def divisors(count: int) -> str:
    """The numbers that divide a number of channels, for messages."""
    found = [number for number in range(1, min(count, 4096) + 1) if count % number == 0]
    return ", ".join(str(number) for number in found[:16]) + (", ..." if len(found) > 16 else "")


def pair(value: int | tuple[int, int]) -> tuple[int, int]:
    """A size as (height, width)."""
    return (value, value) if isinstance(value, int) else value


def short(value: tuple[int, int]) -> int | tuple[int, int]:
    """A pair as a literal: one number where both are equal."""
    return value[0] if value[0] == value[1] else value


def shown(value: Any) -> str:
    """A value in a graph's text; sizes as 3×1, and as one number where all are equal. What is no plain value is "..."."""
    if isinstance(value, Map | Vector | Tokens | Held | Streams):
        return str(value)
    if isinstance(value, tuple) and value and all(type(each) is int for each in value):
        return str(value[0]) if len(value) == 2 and value[0] == value[1] else "×".join(map(str, value))
    if isinstance(value, tuple | list):
        return f"({', '.join(map(shown, value))})"
    if isinstance(value, str):
        return value if value.isidentifier() else repr(value)
    return str(value) if value is None or isinstance(value, bool | int | float) else "..."
