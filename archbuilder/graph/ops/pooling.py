"""Pooling and sampling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from archbuilder.graph.op import Construct, Expression, Op, OpError, only_map, pair, short
from archbuilder.graph.shapes import Map, Shape, Vector
from archbuilder.graph.windows import Pair, default_padding, slide
from archbuilder.parameters import Parameter

_WINDOW = (
    Parameter("kernel", "size", help="size of the window", minimum=1),
    Parameter("stride", "size", 1, "step of the window", minimum=1),
    Parameter("padding", "size", None, "margin around the map; by default half of an odd kernel, none for an even one"),
    Parameter("ceil", "bool", False, "whether a window that reaches over the edge counts"),
)


def _padding(given: dict[str, Any]) -> Pair:
    kernel, padding = pair(given["kernel"]), given["padding"]
    if padding is not None:
        for margin, size in zip(pair(padding), kernel, strict=True):
            if margin > size // 2:
                message = f"the padding of a pool is at most half its kernel, got {margin} beside a kernel of {size}"
                raise OpError(message, "use a larger kernel or less padding", "padding")
        return pair(padding)
    return (0, 0) if kernel[0] % 2 == 0 or kernel[1] % 2 == 0 else default_padding("pool", kernel, (1, 1))


@dataclass(frozen=True)
class MaxPool(Op):
    """The largest number in each window."""

    name: ClassVar[str] = "max_pool"
    help: ClassVar[str] = "the largest number in each window"
    parameters: ClassVar[tuple[Parameter, ...]] = _WINDOW

    kernel: Pair
    stride: Pair
    padding: Pair
    ceil: bool

    @classmethod
    def resolve(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> Self:
        return cls(pair(given["kernel"]), pair(given["stride"]), _padding(given), given["ceil"])

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        shape = only_map("max_pool", inputs[0])
        return Map(
            shape.channels, *slide("max_pool", shape, self.kernel, self.stride, self.padding, ceil=self.ceil)
        )

    def emit(self) -> Construct:
        return Construct("nn.MaxPool2d", (), _window_keywords(self))

    def label(self) -> str:
        return f"max pool {_window_label(self)}"


@dataclass(frozen=True)
class AveragePool(Op):
    """The mean of each window."""

    name: ClassVar[str] = "avg_pool"
    help: ClassVar[str] = "the mean of each window"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        *_WINDOW,
        Parameter("count_padding", "bool", True, "whether the margin's zeros count in the mean"),
    )

    kernel: Pair
    stride: Pair
    padding: Pair
    ceil: bool
    count_padding: bool

    @classmethod
    def resolve(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> Self:
        window = pair(given["kernel"]), pair(given["stride"]), _padding(given)
        return cls(*window, given["ceil"], given["count_padding"])

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        shape = only_map("avg_pool", inputs[0])
        return Map(
            shape.channels, *slide("avg_pool", shape, self.kernel, self.stride, self.padding, ceil=self.ceil)
        )

    def emit(self) -> Construct:
        counted = () if self.count_padding else (("count_include_pad", False),)
        return Construct("nn.AvgPool2d", (), (*_window_keywords(self), *counted))

    def label(self) -> str:
        return f"avg pool {_window_label(self)}"


def _window_keywords(pool: MaxPool | AveragePool) -> tuple[tuple[str, Any], ...]:
    keywords: list[tuple[str, Any]] = [("kernel_size", short(pool.kernel)), ("stride", short(pool.stride))]
    keywords += [("padding", short(pool.padding))] if pool.padding != (0, 0) else []
    keywords += [("ceil_mode", True)] if pool.ceil else []
    return tuple(keywords)


def _window_label(pool: MaxPool | AveragePool) -> str:
    stride = f"/{short(pool.stride)}" if pool.stride != (1, 1) else ""
    return f"{pool.kernel[0]}×{pool.kernel[1]}{stride}"


@dataclass(frozen=True)
class GlobalPool(Op):
    """The mean over all pixels."""

    name: ClassVar[str] = "global_pool"
    help: ClassVar[str] = "the mean over all pixels: a vector, or with `keep` a map of one pixel"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("keep", "bool", False, "whether height and width stay, as 1"),
    )

    keep: bool

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        channels = only_map("global_pool", inputs[0]).channels
        return Map(channels, 1, 1) if self.keep else Vector(channels)

    def emit(self) -> Construct:
        pool = Construct("nn.AdaptiveAvgPool2d", (1,))
        return pool if self.keep else Construct("nn.Sequential", (pool, Construct("nn.Flatten", (1,))))

    def label(self) -> str:
        return "global avg pool"


@dataclass(frozen=True)
class Subsample(Op):
    """Every n-th pixel."""

    name: ClassVar[str] = "subsample"
    help: ClassVar[str] = "every second pixel, or every n-th"
    parameters: ClassVar[tuple[Parameter, ...]] = (Parameter("stride", "size", 2, "which pixels stay", minimum=1),)

    stride: Pair

    @classmethod
    def resolve(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> Self:
        return cls(pair(given["stride"]))

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        shape = only_map("subsample", inputs[0])
        return Map(shape.channels, *slide("subsample", shape, (1, 1), self.stride, (0, 0)))

    def emit(self) -> Expression:
        values = (("rows", self.stride[0]), ("columns", self.stride[1]))
        return Expression("{0}[:, :, ::{rows}, ::{columns}]", values)

    def label(self) -> str:
        return f"subsample /{short(self.stride)}"
