"""Classes as they will be written: steps, what each reads, and the arguments of the constructor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from archbuilder.graph.answers import Expression
from archbuilder.pytorch.constructor import Argument, Computed
from archbuilder.pytorch.expressions import Module
from archbuilder.pytorch.instances import Instance

EVERY: Final = "*"
"""Stands for all values of a list."""


@dataclass(frozen=True)
class Reference:
    """What a step reads: a value (None: the class's input), or an `item` of it, or `EVERY` one. Where that differs between
    instances, `other` is read unless `flag` is set."""

    name: str | None
    item: int | Computed | str | None = None
    flag: Computed | bool = True
    other: Reference | None = None


@dataclass(frozen=True)
class Step:
    """One step of a class: a child module or an expression, and what goes into it.

    `flag` says in which instances an expression is computed; in the others the step hands on its first input, as a list of one
    where it gives several values otherwise (`at_times_several`), so that TorchScript finds one type. In a loop,
    `numbers` are the variables in its name, and `listed` is the list to which its value is appended, if that is read by number.
    """

    name: str
    made: Module | None
    expression: Expression | None
    inputs: tuple[Reference, ...]
    flag: Computed | bool = True
    is_call: bool = False
    is_tensor: bool = False
    spreads: bool = False
    at_times_several: bool = False
    training_only: bool = False
    numbers: tuple[str, ...] = ()
    listed: str = ""

    @property
    def does_nothing(self) -> bool:
        """Whether it hands on one whole value, and no more."""
        return self.expression == Expression("{0}") and self.inputs[0].item is None and self.inputs[0].other is None

    @property
    def label(self) -> str:
        """Its name without what loops put behind it."""
        return self.name.partition("$")[0].removesuffix(".")


@dataclass(frozen=True)
class Loop:
    """A loop: its variable, the numbers from which and up to which it runs, and what is in it."""

    variable: str
    start: Computed | int
    stop: Computed | int
    items: tuple[Item, ...]


Item: TypeAlias = Step | Loop


def steps_in(items: Sequence[Item]) -> Iterator[Step]:
    """All steps, those of loops included."""
    for item in items:
        if isinstance(item, Loop):
            yield from steps_in(item.items)
        else:
            yield item


@dataclass(frozen=True)
class Body:
    """What a class has beside its arguments. `order` has its children as they are registered: names of steps, and loops."""

    items: tuple[Item, ...]
    output: Reference
    order: tuple[str | Loop, ...]
    returned: tuple[tuple[str, Reference], ...] = ()
    outputs: tuple[tuple[str, Reference, bool], ...] = ()
    sequential: bool = False


@dataclass(frozen=True)
class Plan:
    """A class to be written. `derived` is what its constructor computes first: names, each with its expression."""

    name: str
    help: str
    body: Body
    arguments: tuple[Argument, ...]
    derived: tuple[tuple[str, str], ...]
    gives_several: bool
    taken: frozenset[str]


@dataclass
class Network:
    """All classes of a network, those that others use first. `classes` names the class of each instance that has one."""

    root: Plan
    plans: list[Plan]
    instance: Instance
    classes: dict[Instance, str]
