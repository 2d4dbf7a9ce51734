"""Classes as they will be written: steps, what each reads, and the arguments of the constructor."""

from __future__ import annotations

from dataclasses import dataclass

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
class Plan:
    """A class to be written. `derived` is what its constructor computes first: names, each with its expression."""

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


@dataclass
class Network:
    """All classes of a network, those that others use first. `classes` names the class of each instance that has one."""

    root: Plan
    plans: list[Plan]
    instance: Instance
    classes: dict[Instance, str]
