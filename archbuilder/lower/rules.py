"""What a network says of all its stages at once: multipliers, numbering in one Sequential, the output stride."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from archbuilder.spec.arithmetic import FUNCTIONS


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
    dilation: int = 1

    def apply(self, number: int, stride: Any, reduction: int) -> dict[str, Any]:
        """What repeat `number` of a use is given instead of its own stride and dilation."""
        step = max(stride) if isinstance(stride, tuple) else stride
        if number == 0:
            before = self.dilation
            if step > 1 and reduction * step > self.limit:
                self.dilation *= step
                return {"stride": 1, "dilation": before}
            return {"dilation": before} if before > 1 else {}
        return {"dilation": self.dilation} if self.dilation > 1 else {}


@dataclass
class Rules:
    """The rules for a section's own steps."""

    width: WidthRule | None = None
    depth: DepthRule | None = None
    stride: StrideRule | None = None
    used: set[str] = field(default_factory=set)
