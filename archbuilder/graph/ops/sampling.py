"""Maps of another size: interpolation, every n-th pixel, windows that give a wanted size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

from archbuilder.graph.answers import FRESH, VIEW, Construct, Expression, Memory, Sources, Spread, Window
from archbuilder.graph.op import Op, Role, only_map, pair, short
from archbuilder.graph.shapes import Map, Shape
from archbuilder.graph.windows import Pair, slide
from archbuilder.parameters import Parameter


@dataclass(frozen=True, eq=False, repr=False)
class AdaptivePool(Op):
    """The mean over windows that give a map of the wanted size."""

    name: ClassVar[str] = "adaptive_avg_pool"
    help: ClassVar[str] = "the mean over as many windows as the output has pixels"
    role: ClassVar[Role] = "resampling"
    lies_over: ClassVar[int | None] = 0
    parameters: ClassVar[tuple[Parameter, ...]] = (Parameter("size", "size", help="of the output", minimum=1),)

    size: Pair

    @classmethod
    def resolve(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> Self:
        return cls(pair(given["size"]))

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        return Map(only_map("adaptive_avg_pool", inputs[0]).channels, *self.size)

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        return FRESH if self.size == (1, 1) else Memory(keeps=(0,))

    def emit(self) -> Construct:
        return Construct("nn.AdaptiveAvgPool2d", (short(self.size),), (), {0: ("size",)})

    def label(self) -> str:
        return f"adaptive avg pool {self.size[0]}×{self.size[1]}"


ALIGN_CORNERS: Final = Parameter(
    "align_corners", "bool", False, "whether the middles of the corner pixels stay where they are, not the map's edges"
)


@dataclass(frozen=True, eq=False, repr=False)
class Upsample(Op):
    """Interpolation to a multiple of the size."""

    name: ClassVar[str] = "upsample"
    help: ClassVar[str] = "interpolates a map to a multiple of its size"
    role: ClassVar[Role] = "resampling"
    lies_over: ClassVar[int | None] = 1
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("factor", "size", 2, "how many times larger", minimum=1),
        Parameter("kind", "string", "nearest", "how new pixels are found", choices=("nearest", "bilinear", "bicubic")),
        ALIGN_CORNERS,
    )

    factor: Pair
    kind: str
    align_corners: bool = False

    @classmethod
    def resolve(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> Self:
        return cls(pair(given["factor"]), given["kind"], given["align_corners"] and given["kind"] != "nearest")

    @classmethod
    def idle(cls, given: dict[str, Any]) -> dict[str, str]:
        idle = given["kind"] == "nearest" and given["align_corners"]
        return {"align_corners": "beside `kind: nearest`"} if idle else {}

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        shape = only_map("upsample", inputs[0])
        return Map(shape.channels, shape.height * self.factor[0], shape.width * self.factor[1])

    @property
    def enlarges(self) -> Pair:
        return self.factor

    @property
    def blends(self) -> int:
        return {"nearest": 1, "bilinear": 2, "bicubic": 4}[self.kind]

    @property
    def drifts(self) -> bool:
        return self.align_corners

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        return FRESH

    def emit(self) -> Construct:
        keywords: tuple[tuple[str, Any], ...] = (("scale_factor", short(self.factor)), ("mode", self.kind))
        keywords += (("align_corners", True),) if self.align_corners else ()
        return Construct("nn.Upsample", (), keywords, {"scale_factor": ("factor",), "mode": ("kind",)})

    def label(self) -> str:
        return f"upsample {short(self.factor)}×"


@dataclass(frozen=True, eq=False, repr=False)
class Subsample(Op):
    """Every n-th pixel."""

    name: ClassVar[str] = "subsample"
    help: ClassVar[str] = "every second pixel, or every n-th"
    role: ClassVar[Role] = "pooling"
    parameters: ClassVar[tuple[Parameter, ...]] = (Parameter("stride", "size", 2, "which pixels stay", minimum=1),)

    stride: Pair

    @classmethod
    def resolve(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> Self:
        return cls(pair(given["stride"]))

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        shape = only_map("subsample", inputs[0])
        return Map(shape.channels, *slide("subsample", shape, (1, 1), self.stride, (0, 0)))

    def dilate(self, on: Spread) -> Self:
        return type(self)(on.stride)

    @property
    def window(self) -> Window:
        return Window((1, 1), self.stride, (0, 0), (1, 1))

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        return VIEW

    def emit(self) -> Expression:
        values = (("rows", self.stride[0]), ("columns", self.stride[1]))
        sources: Sources = {"rows": ("stride",), "columns": ("stride",)}
        return Expression("{0}[:, :, ::{rows}, ::{columns}]", values, sources)

    def label(self) -> str:
        return f"subsample /{short(self.stride)}"
