"""What a network says of all its stages at once: multipliers, numbering in one Sequential, the output stride."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from archbuilder.graph.op import pair, short
from archbuilder.graph.shapes import Map, Shape
from archbuilder.language.arithmetic import FUNCTIONS
from archbuilder.parameters import Parameter


@dataclass
class Numbering:
    """Numbers children through in one `nn.Sequential`."""

    prefix: str
    count: int = 0

    def take(self, count: int = 1) -> tuple[str, ...]:
        """The names of the next children."""
        names = tuple(f"{self.prefix}.{number}" for number in range(self.count, self.count + count))
        self.count += count
        return names


@dataclass(frozen=True)
class WidthRule:
    """Widths times a factor, to a multiple of `to`, never below `keep` of the product."""

    by: float
    to: int
    keep: float

    def __call__(self, width: int) -> int:
        return int(FUNCTIONS["round_to"](width * self.by, self.to, self.keep))


@dataclass(frozen=True)
class DepthRule:
    """Depths times a factor, rounded up or to the nearest."""

    by: float
    up: bool

    def __call__(self, depth: int) -> int:
        return max(1, math.ceil(depth * self.by) if self.up else round(depth * self.by))


@dataclass
class StrideRule:
    """Turns strides beyond the output stride into dilation, as torchvision does: the first block of such a stage keeps the
    dilation from before."""

    limit: int
    dilation: tuple[int, int] = (1, 1)

    def apply(self, stride: Any, reduction: int) -> dict[str, Any]:
        """What a use, or the first of its repeats, is given instead of its own stride and dilation."""
        steps, before = pair(stride), self.dilation
        if max(steps) > 1 and reduction * max(steps) > self.limit:
            self.dilation = (before[0] * steps[0], before[1] * steps[1])
            return {"stride": 1, "dilation": short(before)}
        return self.apply_again()

    def apply_again(self) -> dict[str, Any]:
        """What the later repeats are given."""
        return {"dilation": short(self.dilation)} if self.dilation != (1, 1) else {}


@dataclass(frozen=True)
class Rules:
    """The rules for a section's own steps, those in lists and bodies among them; `used` are those that had something to do.

    `whole` is the network's input, `above` the reduction of what goes into the body at hand.
    """

    whole: Shape
    width: WidthRule | None = None
    depth: DepthRule | None = None
    stride: StrideRule | None = None
    above: int = 1
    used: set[str] = field(default_factory=set)

    @property
    def are_none(self) -> bool:
        """Whether there is none."""
        return self.width is None and self.depth is None and self.stride is None

    def scaled(self, widths: Any) -> Any:
        """A width, or each of a list, times the multiplier if there is one."""
        if self.width is None or widths is None:
            return widths
        self.used.add("width")
        return tuple(map(self.width, widths)) if isinstance(widths, tuple) else self.width(widths)

    def inside(self, shape: Shape) -> Rules:
        """The rules for a body that takes a map of this shape."""
        if not isinstance(shape, Map) or not isinstance(self.whole, Map):
            return self
        return replace(self, above=round(self.whole.height / shape.height))


@dataclass(slots=True)
class Restride:
    """Says what one use is given instead of its own stride and dilation, where the network states its output stride.

    `reduction` is that of what goes in; None for the later repeats, which have no stride. Afterwards `turned` says whether
    the use's stride was beyond the output stride, and `dilation` what was wanted of it.
    """

    rule: StrideRule
    reduction: int | None
    parameters: Mapping[str, Parameter]
    turned: bool = False
    dilation: int | tuple[int, int] = 1

    def __call__(self, stride: Any) -> dict[str, Any]:
        """What a use with this stride is given."""
        reduction, rule = self.reduction, self.rule
        changes = rule.apply_again() if reduction is None else rule.apply(stride, reduction)
        self.turned = "stride" in changes
        self.dilation = changes.get("dilation", 1)
        return {key: value for key, value in changes.items() if key in self.parameters}

    @property
    def leaves_out(self) -> bool:
        """Whether nothing remains of the use: a pool strides, and does nothing else (arXiv:1511.07122, section 4)."""
        return self.turned and "dilation" not in self.parameters
