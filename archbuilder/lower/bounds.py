"""How large a network may be: what a spec describes in a line may take for ever to write out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from archbuilder.language.models import Step
from archbuilder.lower.evaluation import Evaluation, TooLarge
from archbuilder.lower.frame import Frame

MAXIMUM_NODES: Final = 20_000
"""Distinct nodes of a network; repeats of equal blocks count once."""
MAXIMUM_RECURSION: Final = 40
"""How deep blocks may stand in blocks."""


@dataclass
class Bounds:
    """Counts what is made. One for each lowering."""

    evaluation: Evaluation
    nodes: int = 0
    depth: int = 0

    def count(self, frame: Frame, step: Step, count: int = 1) -> None:
        """Counts nodes that a step becomes.

        Raises:
            TooLarge: if there are too many; that is reported.
        """
        self.nodes += count
        if self.nodes > MAXIMUM_NODES:
            message = f"this network has more than {MAXIMUM_NODES:,} different steps"
            self.evaluation.error(frame, "too-large", message, step.place)
            raise TooLarge

    def inside(self, frame: Frame, step: Step) -> Self:
        """The context of one level deeper in blocks.

        Raises:
            TooLarge: if they stand too deep; that is reported.
        """
        if self.depth >= MAXIMUM_RECURSION:
            message = f"blocks stand in blocks more than {MAXIMUM_RECURSION} deep"
            self.evaluation.error(frame, "too-deep", message, step.place, "does a block use itself?")
            raise TooLarge
        return self

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(self, *_: object) -> None:
        self.depth -= 1
