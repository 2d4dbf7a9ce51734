"""The facts of a difference: statements for each stage, figures, and the keys of checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from archbuilder.analysis.cost import Cost, Costs
from archbuilder.analysis.summary import Summary
from archbuilder.comparison.align import Pair
from archbuilder.comparison.changes import Change
from archbuilder.comparison.keys import Keys, keys_of
from archbuilder.comparison.parts import Part
from archbuilder.comparison.statements import Repeated, Statement, statements_of, with_moves_between, without_repeated
from archbuilder.graph.bounds import refuse_too_many, steps_in

FIGURES: Final = ("parameters", "macs", "activations")
"""What is counted of a stage, and of a network."""


class Stage(NamedTuple):
    """A section or a stage of both networks, or of one: what differs in it, and what it costs on either side."""

    pair: Pair
    statements: tuple[Statement, ...]
    before: Cost
    after: Cost

    @property
    def name(self) -> str:
        """What it is called; in the second network, where the first one does not have it."""
        return _name(self.pair)

    @property
    def is_section(self) -> bool:
        """Whether it is a section such as the stem, and no stage."""
        part = self.pair.a or self.pair.b
        return part is not None and part.section is not None

    def grows(self, figure: str) -> int | None:
        """By how much one of its figures is larger in the second network; None where that is not known."""
        return larger_by(getattr(self.before, figure), getattr(self.after, figure))


def larger_by(before: int | None, after: int | None) -> int | None:
    """By how much a figure grows; None where one of the two is not known."""
    return None if before is None or after is None else after - before


@dataclass(frozen=True, repr=False)
class Facts:
    """What a `Difference` says, before it is shown. `names` is what the two networks are called."""

    a: Summary
    b: Summary
    pair: Pair
    """Which part of the one is which of the other, as `align` finds it."""
    names: tuple[str, str]

    def __bool__(self) -> bool:
        return self.pair.kind != "same"

    @property
    def changes(self) -> tuple[Change, ...]:
        """What differs between the networks as a whole: the size of the input, parameters, what else they give."""
        return tuple(change for change in self.pair.changes if not change.follows)

    @cached_property
    def _is_derived(self) -> bool:
        """Whether there is no difference that all others follow from; so they are told themselves."""
        return not (self.changes or any(statements_of(pair) for pair in self.pair.inner))

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The sections and stages of both, in order, with what differs in each; none where nothing does.

        Raises:
            TooManyStepsError: if there is too much to be read.
        """
        costs, pairs, (_, statements) = Costs(), self.pair.inner, self._statements
        return tuple(
            Stage(pair, found, _cost(costs, pair.a), _cost(costs, pair.b))
            for pair, found in zip(pairs, statements, strict=True)
        )

    @property
    def repeated(self) -> tuple[Repeated, ...]:
        """What differs in the same way in steps of several stages."""
        return self._statements[0]

    @cached_property
    def _statements(self) -> tuple[tuple[Repeated, ...], list[tuple[Statement, ...]]]:
        pairs = self.pair.inner
        found = with_moves_between([(_name(pair), statements_of(pair, every=self._is_derived)) for pair in pairs])
        return without_repeated([*map(_name, pairs)], found)

    @cached_property
    def keys(self) -> Keys:
        """What becomes of a checkpoint of the first network in the second one.

        Raises:
            TooManyStepsError: if one of them has too many.
        """
        for summary in (self.a, self.b):
            refuse_too_many(steps_in(summary.graph, repeated=True), "shown")
        return keys_of(self.a.state, self.b.state)


def _name(pair: Pair) -> str:
    part = pair.a or pair.b
    return part.name if part is not None else ""


def _cost(costs: Costs, part: Part | None) -> Cost:
    """What a section or a stage costs, with all its repeats; nothing, where it is not there."""
    if part is None:
        return Cost()
    only_in_training = frozenset(number - part.start for number in part.graph.training_only)
    return costs.of_nodes(part.nodes, only_in_training)
