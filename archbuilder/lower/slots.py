"""Blocks and steps that are given as parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from archbuilder.diagnostics import Place

NOWHERE: Final[Mapping[str, Place | None]] = {}
"""The origins of variables of which none is known."""


@dataclass(frozen=True, eq=False)
class Slot:
    """A block, or steps, given as a parameter.

    `variables` are those of the place where it is written, with their `origins`. `below` is a slot of steps that it is
    laid over. Slots are equal if they say the same in the same place.
    """

    written: Any
    variables: Mapping[str, Any]
    origins: Mapping[str, Place | None] = field(default_factory=dict)
    below: Slot | None = None

    def __str__(self) -> str:
        return "what is in a slot"

    @property
    def identity(self) -> Any:
        """What makes it this slot: the text where that is all there is to it, else the map and its place."""
        if isinstance(self.written, str):
            return self.written
        return (id(self.written), id(self.variables), self.below and self.below.identity)

    def __hash__(self) -> int:
        return hash(self.identity)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Slot) and self.identity == other.identity

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it."""
        return not self.written and (self.below is None or self.below.is_empty)
