"""Classes as they will be written: steps, what each reads, and the arguments of the constructor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from archbuilder.graph.op import Expression
from archbuilder.pytorch.constructor import Argument, Computed
from archbuilder.pytorch.expressions import Module
from archbuilder.pytorch.instances import Instance


@dataclass(frozen=True)
class Reference:
    """What a step reads: a step's value (None: the class's input), or a part of it. Where that differs between instances,
    `other` is read unless `flag` is set."""

    name: str | None
    item: int | None = None
    flag: Computed | bool = True
    other: Reference | None = None


@dataclass(frozen=True)
class PlannedStep:
    """One step of a class: a child module or an expression, and what goes into it.

    `flag` says in which instances an expression is computed; in the others the step hands on its first input.
    """

    name: str
    made: Module | None
    expression: Expression | None
    inputs: tuple[Reference, ...]
    flag: Computed | bool = True
    is_call: bool = False
    is_tensor: bool = False
    spreads: bool = False
    training_only: bool = False


@dataclass(frozen=True)
class LoopStep:
    """A step of a block with loops.

    It is kept under `keeper`, an attribute (`self.conv1`) or a place in a list (`self.branches[i]`); `container` is the list
    to which its module is appended. `condition` says when it is there, in a constructor and in `forward`. `inputs` are what
    it takes, in `forward`; a list of values has a star in front. Its value has a `variable`, or where it is `listed` is put
    into the list of that. `takes_before` says that it takes the value of the step before, and `goes_on` that the next step
    alone takes its own.
    """

    keeper: str
    container: str
    made: Module | None
    expression: Expression | None
    inputs: tuple[str, ...]
    variable: str
    condition: tuple[str, str] | None = None
    listed: bool = False
    takes_before: bool = False
    goes_on: bool = False


@dataclass(frozen=True)
class Loop:
    """A loop: its variable, its bounds in a constructor and in `forward`, and what is in it. `fresh` are the lists that are
    empty at the start of each turn."""

    variable: str
    bounds: tuple[str, str]
    items: tuple[Item, ...]
    fresh: tuple[str, ...] = ()


Item: TypeAlias = LoopStep | Loop


def steps_in(items: Sequence[Item]) -> Iterator[LoopStep]:
    """All steps of a class with loops."""
    for item in items:
        if isinstance(item, Loop):
            yield from steps_in(item.items)
        else:
            yield item


@dataclass(frozen=True)
class LoopBody:
    """What a class with loops has beside its arguments: its lists of modules, each with what makes it, the lists of values that
    `forward` begins with, the names that `forward` needs, its items, and what it gives. `base` is what it derives from."""

    base: str
    containers: tuple[tuple[str, str], ...]
    lists: tuple[str, ...]
    stored: tuple[str, ...]
    items: tuple[Item, ...]
    output: str


@dataclass(frozen=True)
class Plan:
    """A class to be written.

    `derived` is what its constructor computes first: names, each with its expression. Where it has loops, `loops` is what it
    has in place of steps.
    """

    name: str
    help: str
    steps: tuple[PlannedStep, ...]
    output: Reference
    returned: tuple[tuple[str, Reference], ...]
    outputs: tuple[tuple[str, Reference, bool], ...]
    order: tuple[str, ...]
    arguments: tuple[Argument, ...] = ()
    derived: tuple[tuple[str, str], ...] = ()
    sequential: bool = False
    gives_several: bool = False
    taken: frozenset[str] = frozenset()
    loops: LoopBody | None = None


@dataclass
class Network:
    """All classes of a network, those that others use first. `classes` names the class of each instance that has one."""

    root: Plan
    plans: list[Plan]
    instance: Instance
    classes: dict[Instance, str]
