"""What is put around a map, and before or behind its channels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from archbuilder.graph.answers import FRESH, Expression, Memory, Sources, Spread, Window
from archbuilder.graph.op import Op, OpError, Role, only_map
from archbuilder.graph.shapes import Map, Shape
from archbuilder.parameters import Parameter


@dataclass(frozen=True, eq=False, repr=False)
class PadChannels(Op):
    """Channels of zeros."""

    name: ClassVar[str] = "pad_channels"
    help: ClassVar[str] = "adds channels of zeros up to `width`"
    channels_given: ClassVar[tuple[str, ...]] = ("width",)
    role: ClassVar[Role] = "shape"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("width", "channels", help="channels of the output"),
        Parameter(
            "side",
            "string",
            "both",
            "where they are put: half of them before the others and half behind (of an odd number one more), or all",
            choices=("both", "before", "behind"),
        ),
    )

    before: int
    behind: int

    @classmethod
    def resolve(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> Self:
        missing = given["width"] - only_map("pad_channels", inputs[0]).channels
        if missing < 0:
            raise OpError(f"pad_channels cannot make {-missing} channels fewer", "use `shortcut: project`", "width")
        before = {"both": missing // 2, "before": missing, "behind": 0}[given["side"]]
        return cls(before, missing - before)

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        shape = only_map("pad_channels", inputs[0])
        return Map(shape.channels + self.before + self.behind, shape.height, shape.width)

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        return FRESH

    def emit(self) -> Expression:
        values = (("before", self.before), ("behind", self.behind))
        missing = "width - input.channels"
        half = f"({missing}) // 2"
        sources: Sources = {"before": (half, missing, "0"), "behind": (f"{missing} - {half}", missing, "0")}
        return Expression("functional.pad({0}, (0, 0, 0, 0, {before}, {behind}))", values, sources)

    def label(self) -> str:
        return f"+{self.before + self.behind} channels of zeros"


@dataclass(frozen=True, eq=False, repr=False)
class PadPixels(Op):
    """Rows and columns of a number around a map; fewer of its own where they are less than none."""

    name: ClassVar[str] = "pad_pixels"
    help: ClassVar[str] = (
        "adds rows and columns of zeros, as many as are said for each side; negative numbers take some away"
    )
    role: ClassVar[Role] = "shape"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        *(
            Parameter(side, "int", 0, f"{lines} {place} the map", minimum=-(2**20), maximum=2**20)
            for side, lines, place in (
                ("above", "rows", "above"),
                ("below", "rows", "below"),
                ("left", "columns", "left of"),
                ("right", "columns", "right of"),
            )
        ),
        Parameter("value", "float", 0.0, "the number that they are of"),
    )

    above: int
    below: int
    left: int
    right: int
    value: float = 0.0

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        shape = only_map("pad_pixels", inputs[0])
        height, width = shape.height + self.above + self.below, shape.width + self.left + self.right
        if height < 1 or width < 1:
            message = f"pad_pixels leaves nothing of a map of {shape.height}×{shape.width}"
            raise OpError(message, "use a larger input, or take fewer rows and columns away")
        return Map(shape.channels, height, width)

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        return FRESH

    @property
    def window(self) -> Window:
        return Window((1, 1), (1, 1), (self.above, self.left), (1, 1))

    def dilate(self, on: Spread) -> Self:
        above, left = self.above * on.spacing[0], self.left * on.spacing[1]
        below, right = on.wanted[0] - on.size[0] - above, on.wanted[1] - on.size[1] - left
        return replace(self, above=above, below=below, left=left, right=right)

    @property
    def does_nothing(self) -> bool:
        return not (self.above or self.below or self.left or self.right)

    def is_fresh(self, inputs: int) -> bool:
        return True

    def emit(self) -> Expression:
        template = "functional.pad({0}, ({left}, {right}, {above}, {below})"
        values = tuple((side, getattr(self, side)) for side in ("left", "right", "above", "below"))
        if self.value == 0.0:
            return Expression(f"{template})", values)
        return Expression(template + ", value={value})", (*values, ("value", self.value)))

    def label(self) -> str:
        return f"pad {self.above + self.below}×{self.left + self.right}"
