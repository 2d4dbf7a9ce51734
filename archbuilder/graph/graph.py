"""The typed graph of a network, hierarchical, with repeats kept as repeats.

A graph is immutable once lowered. Every reader (summary, drawing, source) walks this and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from archbuilder.diagnostics import Place
from archbuilder.graph.op import Op, Tensor
from archbuilder.graph.ops.activation import DropPath
from archbuilder.graph.shapes import Shape, Streams

INPUT = -1
"""The node number that stands for a graph's input."""


class Value(NamedTuple):
    """What a node gives (`INPUT`: the graph's input); `item` picks one of several."""

    node: int
    item: int | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """One step: an op, a call of another graph, or neither (`body` is None) where a step was left out.

    A step that was left out hands on its first input under its own name, so that readers can follow the names.
    `names` has a name for each repeat; a node that is no repeat has one.
    """

    name: str
    body: Op | Graph | None
    inputs: tuple[Value, ...]
    shape: Shape
    place: Place | None = None
    count: int = 1
    names: tuple[str, ...] = ()
    replaced: bool = False
    """Whether a step that was left out is an identity of its own that keeps its place (`else: identity`)."""

    def all_names(self) -> tuple[str, ...]:
        """The name of each repeat."""
        if self.names:
            return self.names
        if self.count == 1:
            return (self.name,)
        first = int(self.name)
        return tuple(str(number) for number in range(first, first + self.count))


class Section(NamedTuple):
    """A section of a network: its nodes are `nodes[start:stop]`."""

    name: str
    start: int
    stop: int


class Tap(NamedTuple):
    """A feature map that can be taken out of a network, and the name under which it is."""

    name: str
    value: Value
    reduction: int


@dataclass(frozen=True, eq=False)
class Graph:
    """A block, a sequence or a network.

    `definition` is the block's name ("" for an unnamed body), `bindings` its parameters and what it derives from them,
    `listed` whether its children are numbered, `register` which children are registered first, `loops` how often each of
    its loops ran. A network also has a name, sections and taps; `returned` are the taps that a backbone gives instead of
    its output.
    """

    definition: str
    input: Shape
    nodes: tuple[Node, ...]
    output: Value
    bindings: dict[str, Any] = field(default_factory=dict)
    listed: bool = False
    register: tuple[str, ...] = ()
    help: str = ""
    name: str = ""
    class_name: str = ""
    sections: tuple[Section, ...] = ()
    taps: tuple[Tap, ...] = ()
    returned: tuple[Tap, ...] = ()
    loops: tuple[int, ...] = ()

    def shape_of(self, value: Value) -> Shape:
        """The shape of a value."""
        shape = self.input if value.node == INPUT else self.nodes[value.node].shape
        return shape[value.item] if isinstance(shape, Streams) and value.item is not None else shape

    def source_of(self, value: Value) -> Value:
        """The value that stands behind steps that were left out."""
        while value.node != INPUT and self.nodes[value.node].body is None and value.item is None:
            value = self.nodes[value.node].inputs[0]
        return value

    @property
    def output_shape(self) -> Shape:
        """The shape of what comes out."""
        return self.shape_of(self.output)

    @cached_property
    def drop_units(self) -> int:
        """How many blocks in it drop their path."""
        own = any(isinstance(node.body, DropPath) for node in self.nodes)
        calls = ((node.body, node.count) for node in self.nodes if isinstance(node.body, Graph))
        return int(own) + sum(graph.drop_units * count for graph, count in calls)

    @cached_property
    def drop_paths(self) -> int:
        """How many paths it drops: a block may have several."""
        own = sum(isinstance(node.body, DropPath) for node in self.nodes)
        return own + sum(node.body.drop_paths * node.count for node in self.nodes if isinstance(node.body, Graph))

    def state(self) -> Iterator[tuple[str, Tensor]]:
        """Every parameter and buffer under its `state_dict` key, in order."""
        yield from _state_of(children(self))


@dataclass
class Child:
    """A module's child in the order of registration: a node, or a container of further children."""

    name: str
    node: Node | None = None
    inner: dict[str, Child] = field(default_factory=dict)


def children(graph: Graph, *, left_out: bool = False) -> dict[str, Child]:
    """The children of a graph's module, in order of registration: as `register` says, then that of first use.

    With `left_out`, steps that were left out stand where they would be.
    """
    found: dict[str, Child] = {name: Child(name) for name in graph.register}
    for node in graph.nodes:
        if node.body is None and not node.replaced and not left_out:
            continue
        for name in node.all_names():
            level = found
            *containers, last = name.split(".")
            for container in containers:
                level = level.setdefault(container, Child(container)).inner
            level.setdefault(last, Child(last)).node = node
    return {name: child for name, child in found.items() if child.node is not None or child.inner}


def _state_of(level: dict[str, Child]) -> Iterator[tuple[str, Tensor]]:
    for name, child in level.items():
        for key, tensor in _state_of(child.inner):
            yield f"{name}.{key}", tensor
        body = child.node.body if child.node else None
        if isinstance(body, Graph):
            for key, tensor in body.state():
                yield f"{name}.{key}", tensor
        elif isinstance(body, Op):
            for tensor in body.state():
                yield f"{name}.{tensor.name}", tensor
