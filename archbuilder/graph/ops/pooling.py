"""Pools: of windows, of whole maps, of channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Self

from archbuilder.graph.answers import FRESH, Construct, Expression, Memory, Sources, Spread, Window
from archbuilder.graph.op import Op, OpError, Role, only_map, pair, short
from archbuilder.graph.shapes import Map, Shape, Tokens, Vector
from archbuilder.graph.windows import Pair, around, default_padding, is_even, padded, slide, widened
from archbuilder.parameters import Parameter

_WINDOW = (
    Parameter("kernel", "size", help="size of the window", minimum=1),
    Parameter("stride", "size", 1, "step of the window", minimum=1),
    Parameter(
        "padding", "padding", None, "margin around the map; by default half of an odd kernel, none for an even one"
    ),
    Parameter("ceil", "bool", False, "whether a window that reaches over the edge counts"),
)


_FALLBACKS: Final = {"padding": ("kernel // 2", "0")}
_WINDOW_SOURCES: Final[Sources] = {
    "kernel_size": ("kernel",),
    "ceil_mode": ("ceil",),
    "count_include_pad": ("count_padding",),
}


def _padding(given: dict[str, Any]) -> Pair | None:
    """The margin; None where the map's size says how large it is."""
    kernel, padding = pair(given["kernel"]), given["padding"]
    if padding == "same":
        return (0, 0) if kernel == (1, 1) else None
    if padding is not None:
        for margin, size in zip(pair(padding), kernel, strict=True):
            if margin > size // 2:
                message = f"the padding of a pool is at most half its kernel, got {margin} beside a kernel of {size}"
                raise OpError(message, "use a larger kernel or less padding", "padding")
        return pair(padding)
    return (0, 0) if is_even(kernel) else default_padding("pool", kernel, (1, 1))


@dataclass(frozen=True, eq=False, repr=False)
class MaxPool(Op):
    """The largest number in each window."""

    name: ClassVar[str] = "max_pool"
    help: ClassVar[str] = "the largest number in each window"
    role: ClassVar[Role] = "pooling"
    parameters: ClassVar[tuple[Parameter, ...]] = _WINDOW
    fallbacks: ClassVar[Mapping[str, tuple[str, ...]]] = _FALLBACKS
    unset: ClassVar[Mapping[str, str]] = {"padding": "same"}

    kernel: Pair
    stride: Pair
    padding: Pair | None
    ceil: bool
    dilation: Pair = (1, 1)
    behind: Pair | None = None
    """The margin behind the map, where it is not that before it."""

    @classmethod
    def resolve(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> Self:
        return cls(pair(given["kernel"]), pair(given["stride"]), _padding(given), given["ceil"] and not _idle(given))

    @classmethod
    def idle(cls, given: dict[str, Any]) -> dict[str, str]:
        return _idle(given)

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        return _slid(self, only_map("max_pool", inputs[0]))

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        places = 2 * output.elements  # whole numbers of 64 bits
        if self.padding is not None and self._is_torchs:
            return Memory(keeps=(0,), keeps_beside=places, beside=places)
        copy = padded(self.window, only_map(self.name, inputs[0]), self.behind) + places
        return Memory(keeps_beside=copy, beside=copy)

    @property
    def window(self) -> Window:
        return Window(self.kernel, self.stride, self.padding, self.dilation)

    def dilate(self, on: Spread) -> Self:
        dilation, before, behind = widened(self.window, on)
        return replace(self, stride=on.stride, padding=before, ceil=False, dilation=dilation, behind=behind)

    @property
    def _is_torchs(self) -> bool:
        margins = self.padding or (0, 0)
        return self.behind is None and all(2 * each <= size for each, size in zip(margins, self.kernel, strict=True))

    @property
    def helpers(self) -> tuple[str, ...]:  # type: ignore[override]
        """Torch has one margin for both sides, half of the kernel at most, whatever the map's size."""
        if self.padding is None:
            return ("SameMaxPool2d", "pad_same")
        return () if self._is_torchs else ("PaddedMaxPool2d",)

    def emit(self) -> Construct:
        if self.padding is None:
            return Construct("SameMaxPool2d", (), _window_keywords(self), _WINDOW_SOURCES)
        callee = "nn.MaxPool2d" if self._is_torchs else "PaddedMaxPool2d"
        keywords = _window_keywords(self, with_margins=not self._is_torchs)
        return Construct(callee, (), keywords, _WINDOW_SOURCES)

    def label(self) -> str:
        return f"max pool {_window_label(self)}"


@dataclass(frozen=True, eq=False, repr=False)
class AveragePool(Op):
    """The mean of each window."""

    name: ClassVar[str] = "avg_pool"
    help: ClassVar[str] = "the mean of each window"
    role: ClassVar[Role] = "pooling"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        *_WINDOW,
        Parameter("count_padding", "bool", True, "whether the margin's zeros count in the mean"),
        Parameter(
            "dilates",
            "bool",
            True,
            "whether `output_stride` dilates its window too; timm's networks take the pixels next to each other",
        ),
    )

    fallbacks: ClassVar[Mapping[str, tuple[str, ...]]] = _FALLBACKS
    unset: ClassVar[Mapping[str, str]] = {"padding": "same"}

    kernel: Pair
    stride: Pair
    padding: Pair | None
    ceil: bool
    count_padding: bool
    dilates: bool
    dilation: Pair = (1, 1)
    behind: Pair | None = None
    """The margin behind the map, where it is not that before it."""

    @classmethod
    def resolve(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> Self:
        window = pair(given["kernel"]), pair(given["stride"]), _padding(given)
        told = given["ceil"] and not _idle(given), given["count_padding"], given["dilates"]
        return cls(*window, *told)

    @classmethod
    def idle(cls, given: dict[str, Any]) -> dict[str, str]:
        return _idle(given)

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        return _slid(self, only_map("avg_pool", inputs[0]))

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        if self.padding is not None and self._is_torchs:
            return Memory(keeps=(0,))
        shape = only_map(self.name, inputs[0])
        copy = padded(self.window, shape, self.behind)
        is_convolution = self.padding is not None and not self._is_padded
        kept = copy + shape.channels * self.kernel[0] * self.kernel[1] * is_convolution
        if self.count_padding:
            return Memory(keeps_beside=kept, beside=kept)
        counts = output.elements // shape.channels
        return Memory(keeps_beside=kept + counts, beside=kept + output.elements + copy // shape.channels + counts)

    @property
    def window(self) -> Window:
        return Window(self.kernel, self.stride, self.padding, self.dilation)

    def dilate(self, on: Spread) -> Self:
        dilation, before, behind = widened(self.window, on, dilates=self.dilates)
        counted = self.count_padding or not self.dilates
        if self.ceil and self.dilates and counted:  # torch counts the margin, and not what lies beyond it
            if self.padding != (0, 0):
                message = "the mean of a window that reaches beyond the margin cannot be had here"
                raise OpError(message, "write `count_padding: false`, or no `ceil`", "ceil")
            counted = False
        return replace(
            self, stride=on.stride, padding=before, ceil=False, count_padding=counted, dilation=dilation, behind=behind
        )

    @property
    def _is_torchs(self) -> bool:
        return self.dilation == (1, 1) and self.behind is None

    @property
    def helpers(self) -> tuple[str, ...]:  # type: ignore[override]
        """Torch has one margin for both sides, whatever the map's size, and no dilation here."""
        if self.padding is None:
            return ("SameAvgPool2d", "pad_same")
        return () if self._is_torchs or self._is_padded else ("PaddedAvgPool2d",)

    @property
    def _is_padded(self) -> bool:
        """Whether it is one of torch's behind a margin."""
        return self.dilation == (1, 1) and self.behind is not None and self.count_padding

    def emit(self) -> Construct:
        if self._is_padded and self.padding is not None and self.behind is not None:
            margin = Construct("nn.ZeroPad2d", (around(self.padding, self.behind),))
            return Construct("nn.Sequential", (margin, replace(self, padding=(0, 0), behind=None).emit()))
        counted = () if self.count_padding else (("count_include_pad", False),)
        if self.padding is None:
            return Construct("SameAvgPool2d", (), (*_window_keywords(self), *counted), _WINDOW_SOURCES)
        callee = "nn.AvgPool2d" if self._is_torchs else "PaddedAvgPool2d"
        keywords = _window_keywords(self, with_margins=not self._is_torchs)
        return Construct(callee, (), (*keywords, *counted), _WINDOW_SOURCES)

    def label(self) -> str:
        return f"avg pool {_window_label(self)}"


def _idle(given: dict[str, Any]) -> dict[str, str]:
    idle = given["padding"] == "same" and given["ceil"]
    return {"ceil": "beside `padding: same`, where every window counts"} if idle else {}


def _slid(pool: MaxPool | AveragePool, shape: Map) -> Map:
    window = pool.kernel, pool.stride, pool.padding, pool.dilation
    return Map(shape.channels, *slide(pool.name, shape, *window, ceil=pool.ceil, behind=pool.behind))


def _window_keywords(pool: MaxPool | AveragePool, *, with_margins: bool = False) -> tuple[tuple[str, Any], ...]:
    keywords: list[tuple[str, Any]] = [("kernel_size", short(pool.kernel)), ("stride", short(pool.stride))]
    if pool.padding is not None and with_margins:
        keywords += [("margins", around(pool.padding, pool.behind or pool.padding))]
    elif pool.padding not in (None, (0, 0)):
        keywords += [("padding", short(pool.padding))]
    keywords += [("dilation", short(pool.dilation))] if pool.dilation != (1, 1) else []
    keywords += [("ceil_mode", True)] if pool.ceil else []
    return tuple(keywords)


def _window_label(pool: MaxPool | AveragePool) -> str:
    stride = f"/{short(pool.stride)}" if pool.stride != (1, 1) else ""
    dilation = f" dilation {short(pool.dilation)}" if pool.dilation != (1, 1) else ""
    same = " same" if stride and pool.padding is None else ""
    return f"{pool.kernel[0]}×{pool.kernel[1]}{stride}{dilation}{same}"


@dataclass(frozen=True, eq=False, repr=False)
class GlobalPool(Op):
    """The mean, the largest or the sum over all pixels; or mean and largest side by side, as two pixels."""

    name: ClassVar[str] = "global_pool"
    help: ClassVar[str] = "the mean over all pixels or tokens: a vector, or with `keep` a map of one pixel"
    role: ClassVar[Role] = "pooling"
    lies_over: ClassVar[int | None] = 0
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("keep", "bool", False, "whether height and width stay, as 1"),
        Parameter(
            "kind",
            "string",
            "avg",
            "what is taken of the pixels; avg_and_max gives two pixels side by side",
            choices=("avg", "max", "sum", "avg_and_max"),
        ),
    )

    keep: bool
    kind: str
    tokens: bool

    @classmethod
    def resolve(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> Self:
        tokens = isinstance(inputs[0], Tokens)
        if tokens and given["keep"]:
            raise OpError("`keep` is for maps; tokens have no height and width", "remove `keep`", "keep")
        if tokens and given["kind"] != "avg":
            raise OpError("of tokens only the mean can be taken", "remove `kind`", "kind")
        if given["kind"] == "avg_and_max" and not given["keep"]:
            raise OpError("avg_and_max gives a map of two pixels", "write `keep: true`", "keep")
        return cls(given["keep"], given["kind"], tokens)

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        shape = inputs[0]
        if isinstance(shape, Tokens):
            return Vector(shape.channels)
        channels = only_map("global_pool", shape).channels
        if self.kind == "avg_and_max":
            return Map(channels, 1, 2)
        return Map(channels, 1, 1) if self.keep else Vector(channels)

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        if self.kind not in ("max", "avg_and_max"):
            return FRESH
        channels = only_map("global_pool", inputs[0]).channels
        return Memory(keeps=(0,), keeps_beside=channels * (2 if self.kind == "max" else 1), beside=2 * channels)

    def emit(self) -> Construct | Expression:
        if self.tokens:
            return Expression("{0}.flatten(1, -2).mean(dim=1)")
        if self.kind in ("sum", "avg_and_max"):
            taken = "{0}.sum(dim=(2, 3), keepdim=True)" if self.kind == "sum" else _AVG_AND_MAX
            return Expression(taken if self.keep else "{0}.sum(dim=(2, 3))")
        if self.kind == "max":
            highest = Construct("nn.AdaptiveMaxPool2d", (1,))
            return highest if self.keep else Construct("nn.Sequential", (highest, Construct("nn.Flatten", (1,))))
        pool = Construct("nn.AdaptiveAvgPool2d", (1,))
        return pool if self.keep else Construct("nn.Sequential", (pool, Construct("nn.Flatten", (1,))))

    def label(self) -> str:
        return f"global {self.kind.replace('_', ' ')} pool"


_AVG_AND_MAX = "torch.cat([{0}.mean(dim=(2, 3), keepdim=True), {0}.amax(dim=(2, 3), keepdim=True)], dim=3)"


@dataclass(frozen=True, eq=False, repr=False)
class ChannelPool(Op):
    """Mean and largest over the channels of each pixel, as two channels (arXiv:1807.06521, section 3.2)."""

    name: ClassVar[str] = "channel_pool"
    help: ClassVar[str] = "mean and largest over the channels of each pixel: a map of two channels"
    channels_given: ClassVar[tuple[str, ...]] = ("2",)
    lies_over: ClassVar[int | None] = 1
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("first", "string", "mean", "which of the two channels comes first", choices=("mean", "max")),
    )

    first: str = "mean"

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        return only_map("channel_pool", inputs[0])._replace(channels=2)

    def macs(self, output: Shape) -> int:
        return 0

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        return Memory(keeps=(0,), keeps_beside=output.elements // 2, beside=output.elements)

    def emit(self) -> Expression:
        pooled = "{0}.mean(dim=1, keepdim=True)", "{0}.amax(dim=1, keepdim=True)"
        return Expression(f"torch.cat([{', '.join(pooled if self.first == 'mean' else pooled[::-1])}], dim=1)")


@dataclass(frozen=True, eq=False, repr=False)
class WeightedPool(Op):
    """The mean over all pixels, weighted by the softmax of a second map (arXiv:1904.11492, section 3.2)."""

    name: ClassVar[str] = "weighted_pool"
    help: ClassVar[str] = (
        "the mean over all pixels, weighted by the softmax of a map of one channel; a map of one pixel"
    )
    role: ClassVar[Role] = "attention"
    lies_over: ClassVar[int | None] = 0
    inputs: ClassVar[tuple[int, int | None]] = (2, 2)

    pixels: int

    @classmethod
    def resolve(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> Self:
        shape = only_map("weighted_pool", inputs[0])
        return cls(shape.height * shape.width)

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        shape, weights = only_map("weighted_pool", inputs[0]), only_map("weighted_pool", inputs[1])
        if weights != (1, shape.height, shape.width):
            raise OpError(f"weighted_pool takes weights of 1×{shape.height}×{shape.width}, got {weights}")
        return Map(shape.channels, 1, 1)

    def for_inputs(self, inputs: tuple[Shape, ...]) -> Self:
        return type(self).resolve({}, inputs)

    def macs(self, output: Shape) -> int:
        return output.elements * self.pixels

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        return Memory(keeps_beside=self.pixels, beside=self.pixels, keeps_for=((0, 1, 2),))

    def emit(self) -> Expression:
        return Expression("({0}.flatten(2) @ {1}.flatten(2).softmax(dim=2).transpose(1, 2)).unsqueeze(3)")
