"""What holds for a network as a whole: multipliers, numbering in one Sequential, the sizes of what its blocks hold."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from archbuilder.language.arithmetic import FUNCTIONS


@dataclass
class Numbering:
    """Numbers children through in one `nn.Sequential`; `steps` are those that they are made of."""

    prefix: str
    count: int = 0
    steps: set[str] = field(default_factory=set)

    def take(self, step: str, count: int = 1) -> tuple[str, ...]:
        """The names of the next children, which a step becomes."""
        self.steps.add(step)
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


@dataclass(frozen=True)
class Rules:
    """The rules for a section's own steps, those in lists and bodies among them; `used` are those that had something to do."""

    width: WidthRule | None = None
    depth: DepthRule | None = None
    used: set[str] = field(default_factory=set)

    @property
    def are_none(self) -> bool:
        """Whether there is none."""
        return self.width is None and self.depth is None

    def scaled(self, widths: Any) -> Any:
        """A width, or each of a list, times the multiplier if there is one."""
        if self.width is None or widths is None:
            return widths
        self.used.add("width")
        return tuple(map(self.width, widths)) if isinstance(widths, tuple) else self.width(widths)


class Sizes:
    """The sizes that the tensors have which a graph holds, in order; those in a block that it calls are `Sizes` of their own, the
    same ones for equal calls. `usual` are those for the spec's own input, where this is another one."""

    __slots__ = ("found", "usual")

    def __init__(self, usual: Sizes | None = None) -> None:
        self.found: list[Any] = []
        self.usual = usual

    def coming(self, *, of_call: bool) -> Any:
        """What stands next among the usual ones: a size, or the sizes in a call. None if nothing is known of it."""
        usual, at = self.usual, len(self.found)
        each = usual.found[at] if usual is not None and at < len(usual.found) else None
        return each if isinstance(each, Sizes) is of_call else None
