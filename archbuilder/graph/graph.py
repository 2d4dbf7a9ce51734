"""The typed graph of a network, hierarchical, with repeats kept as repeats.

A graph is immutable once lowered. Every reader (summary, drawing, source) walks this and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any, Final, NamedTuple

from archbuilder.diagnostics import Place, printable, shorten
from archbuilder.display import Shown
from archbuilder.graph.answers import Tensor
from archbuilder.graph.op import Op, shown
from archbuilder.graph.origin import Origin
from archbuilder.graph.shapes import Map, Shape, Streams, Tokens

INPUT = -1
"""The node number that stands for a graph's input."""


class Value(NamedTuple):
    """What a node gives (`INPUT`: the graph's input); `item` picks one of several."""

    node: int
    item: int | None = None


class Node(NamedTuple):  # noqa: PLW1641 it has a hash, set below
    """One step: an op, a call of another graph, or neither (`body` is None) where a step was left out.

    A step that was left out hands on its first input under its own name, so that readers can follow the names.
    `names` has a name for each repeat; a node that is no repeat has one. A tuple is the fastest of what cannot be changed.
    """

    name: str
    body: Op | Graph | None
    inputs: tuple[Value, ...]
    shape: Shape
    place: Place | None = None
    count: int = 1  # type: ignore[assignment]
    names: tuple[str, ...] = ()
    replaced: bool = False
    """Whether a step that was left out is an identity of its own that keeps its place (`else: identity`)."""
    origin: Origin | None = None
    """None for a node that stands for no step of its own."""
    missing: Op | None = None
    """What a step that was left out would do, if it would drop a path: its block counts all the same."""

    def __eq__(self, other: object) -> bool:
        """Whether it is the very same node: others may say the same."""
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    def all_names(self) -> tuple[str, ...]:
        """The name of each repeat."""
        if self.names:
            return self.names
        if self.count == 1:
            return (self.name,)
        first = int(self.name)
        return tuple(str(number) for number in range(first, first + self.count))

    def shown_names(self) -> tuple[str, ...]:
        """The names as a person should see them: a step that stands inline and is no module keeps its plain one."""
        return tuple(name.partition("~")[0] for name in self.all_names())


Node.__hash__ = object.__hash__  # type: ignore[method-assign]  # what looks nodes up asks so often that C has to answer


def plain_node(name: str, op: Op, inputs: tuple[Value, ...], shape: Shape, place: Place | None, origin: Origin) -> Node:
    """A node that applies an op once. Made so, it costs a third of what a call of `Node` does, and most nodes are such."""
    return tuple.__new__(Node, (name, op, inputs, shape, place, 1, (), False, origin, None))


_VALUES: Final = tuple(Value(number) for number in range(256))


def value_of(number: int) -> Value:
    """What a node gives as a whole."""
    return _VALUES[number] if number < len(_VALUES) else Value(number)


class Section(NamedTuple):
    """A section of a network: its nodes are `nodes[start:stop]`."""

    name: str
    start: int
    stop: int


class Output(NamedTuple):
    """A further output of a network, beside the main one; given in training only, or always."""

    name: str
    value: Value
    always: bool


class Tap(NamedTuple):
    """A feature map that can be taken out of a network, and the name under which it is."""

    name: str
    value: Value
    reduction: int


@dataclass(frozen=True, eq=False, repr=False)
class Graph(Shown):
    """A block, a sequence or a network.

    `definition` is the block's name ("" for an unnamed body), `bindings` its parameters and what it derives from them (of a
    network, its parameters; of an unnamed body, the variables that it sees), `formulas` the expressions as text by which
    those of them are computed that nobody gave, `free` those of a network's parameters that it says to ops alone, `listed`
    whether its children are numbered, `register` which children are registered first, `loops` how often each of its loops
    ran (of a block in Python, the names of its steps), `layers` how many layers it counts for, where its longest way does
    not say so. A network also has a name, sections, the steps that stand `inlined` in it, taps, which its spec `names_taps`
    or not, and further outputs; `steps` are the values of its steps under the names that the spec gives them, which need
    not be those of modules; `returned` are the taps that a backbone gives instead of its output, `whole` is the network that it
    is cut out of.
    """

    definition: str
    input: Shape
    nodes: tuple[Node, ...]
    output: Value
    bindings: dict[str, Any] = field(default_factory=dict)
    formulas: dict[str, str] = field(default_factory=dict)
    free: frozenset[str] = frozenset()
    listed: bool = False
    register: tuple[str, ...] = ()
    help: str = ""
    name: str = ""
    class_name: str = ""
    sections: tuple[Section, ...] = ()
    inlined: tuple[Section, ...] = ()
    taps: tuple[Tap, ...] = ()
    outputs: tuple[Output, ...] = ()
    steps: dict[str, Value] = field(default_factory=dict)
    returned: tuple[Tap, ...] = ()
    loops: tuple[int | str, ...] = ()
    layers: int | None = None
    names_taps: bool = False
    whole: Graph | None = None

    def __repr__(self) -> str:
        name = shorten(printable(self.name or self.definition or "steps"))
        return f"Graph({name}: {self.input} -> {self.output_shape})"

    def __str__(self) -> str:
        """The graph as text: a line for each node, and beneath it each graph that it calls, once."""
        labels = {self: f"network {self.name}" if self.name else self.definition or "graph", **_labels(self)}
        return "\n\n".join("\n".join(_lines(graph, labels)) for graph in labels) + "\n"

    def shape_of(self, value: Value) -> Shape:
        """The shape of a value."""
        shape = self.input if value.node == INPUT else self.nodes[value.node].shape
        return shape[value.item] if isinstance(shape, Streams) and value.item is not None else shape

    def module_of(self, value: Value) -> str | None:
        """The path of the module that gives a value; None where no module does, or it is one of several values."""
        value = self.source_of(value)
        if value.item is not None:
            return None
        node = self.nodes[value.node] if value.node != INPUT else None
        if node is None or (isinstance(node.body, Op) and not node.body.is_module):
            return None
        return node.all_names()[-1]

    def source_of(self, value: Value) -> Value:
        """The value that stands behind steps that were left out."""
        return value if value.node == INPUT or value.item is not None else self._sources[value.node]

    @cached_property
    def _sources(self) -> list[Value]:
        """For each node what stands behind it, if it was left out: found in order, since many may stand in a row."""
        sources: list[Value] = []
        for number, node in enumerate(self.nodes):
            value = Value(number) if node.body is not None else node.inputs[0]
            sources.append(sources[value.node] if value.item is None and INPUT < value.node < number else value)
        return sources

    def main_path(self, end: Value | None = None) -> Iterator[Value]:
        """A value, by default the output, and those from which it comes, back along first inputs, past what was left out."""
        return _back(self.output if end is None else end, self.nodes)

    @cached_property
    def readers(self) -> Mapping[Value, int]:
        """How often each value is read by steps, and by whoever is given it. Who reads a part reads the whole."""
        given = (self.output, *(tap.value for tap in self.returned), *(output.value for output in self.outputs))
        taken = (value for node in self.nodes if node.body is not None for value in node.inputs)
        found = Counter(map(self.source_of, (*given, *taken)))
        for value, count in list(found.items()):
            if value.item is not None:
                found[Value(value.node)] += count
        return found

    def pieces(self, section: Section) -> Iterator[Section]:
        """The steps of a section, one after the other; those that stand inline in one are one piece, under its name."""
        inlined = {part.start: part for part in self.inlined if part.start < part.stop}
        number = section.start
        while number < section.stop:
            piece = inlined.get(number, Section("", number, number + 1))
            yield piece
            number = piece.stop

    def ops(self) -> Iterator[tuple[Graph, Node, Op]]:
        """The nodes of ops on all levels, with the graphs that they stand in; each graph is looked through once."""
        return (
            (graph, node, node.body) for graph in graphs_in(self) for node in graph.nodes if isinstance(node.body, Op)
        )

    def reduction(self, value: Value) -> int:
        """For how many pixels of the input one pixel of a value stands, along the height."""
        return reduction_of(value, self.nodes, self.input)

    @property
    def output_shape(self) -> Shape:
        """The shape of what comes out."""
        return self.shape_of(self.output)

    @property
    def is_computed(self) -> bool:
        """Whether a function in Python made its steps, so that they have no text."""
        return any(isinstance(each, str) for each in self.loops)

    @cached_property
    def training_only(self) -> frozenset[int]:
        """The nodes that only outputs in training need."""
        if all(output.always for output in self.outputs):
            return frozenset()
        return self.unneeded([self.output, *(output.value for output in self.outputs if output.always)])

    def needed_for(self, wanted: Iterable[Value]) -> frozenset[int]:
        """The nodes on which some values depend."""
        needed: set[int] = set()
        open_values = list(wanted)
        while open_values:
            value = open_values.pop()
            if value.node != INPUT and value.node not in needed:
                needed.add(value.node)
                open_values += self.nodes[value.node].inputs
        return frozenset(needed)

    def unneeded(self, wanted: Iterable[Value]) -> frozenset[int]:
        """The nodes on which none of some values depends."""
        return frozenset(range(len(self.nodes))) - self.needed_for(wanted)

    @cached_property
    def drop_paths(self) -> int:
        """How many paths it drops: a block may have several."""
        calls = ((node.body, node.count) for node in self.nodes if isinstance(node.body, Graph))
        return len(self.own_drop_paths) + sum(graph.drop_paths * count for graph, count in calls)

    @cached_property
    def own_drop_paths(self) -> dict[str, Op]:
        """The ops that drop a path in it itself, by the names of their steps."""
        return {node.name: node.body for node in self.nodes if isinstance(node.body, Op) and node.body.drops_path}

    def state(self) -> Iterator[tuple[str, Tensor]]:
        """Every parameter and buffer under its `state_dict` key, in order: a module's own, then those of its children."""
        level = children(self)
        yield from _state_of({name: child for name, child in level.items() if child.is_tensor})
        yield from _state_of({name: child for name, child in level.items() if not child.is_tensor})


def expect_graph(given: object) -> None:
    """Raises a `TypeError` for what is no graph: a spec's name, for example."""
    if not isinstance(given, Graph):
        raise TypeError(f"expected a graph, as `archbuilder.lower(spec)` gives, got {type(given).__name__}")


@dataclass
class Child:
    """A module's child in the order of registration: a node, or a container of further children."""

    name: str
    node: Node | None = None
    inner: dict[str, Child] = field(default_factory=dict)

    @property
    def is_tensor(self) -> bool:
        """Whether it is a tensor of the module's own, no module."""
        return self.node is not None and isinstance(self.node.body, Op) and self.node.body.holds_tensor


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


def graphs_in(graph: Graph) -> Iterator[Graph]:
    """A graph and those that it calls, on all levels, each once."""
    seen = {id(graph)}
    open_graphs = [graph]
    while open_graphs:
        around = open_graphs.pop()
        yield around
        for node in around.nodes:
            if isinstance(node.body, Graph) and id(node.body) not in seen:
                seen.add(id(node.body))
                open_graphs.append(node.body)


def _labels(network: Graph) -> dict[Graph, str]:
    """The graphs that a network calls, in order: each by its definition, numbered where several have it, or its first call."""
    found: dict[Graph, str] = {}

    def visit(graph: Graph, path: str) -> None:
        for node in graph.nodes:
            if isinstance(node.body, Graph) and node.body not in found:
                inner = f"{path}{node.all_names()[0]}"
                found[node.body] = node.body.definition or inner
                visit(node.body, f"{inner}.")

    visit(network, "")
    every, count = Counter(found.values()), Counter[str]()
    for graph, label in found.items():
        count[label] += 1
        found[graph] = f"{label}#{count[label]}" if every[label] > 1 else label
    return found


def _lines(graph: Graph, labels: Mapping[Graph, str]) -> Iterator[str]:
    """The lines of one graph's text."""
    yield f"{labels[graph]}{' (list)' * graph.listed}: {graph.input} -> {graph.output_shape}"
    own = graph.bindings if graph.definition or graph.name else {}  # those of a body without a name are those around it
    bindings = [f"{name}={shown(value)}" for name, value in own.items() if value is not None]
    layers = [] if graph.layers is None else [graph.layers]
    for word, facts in (("", bindings), ("register: ", graph.register), ("loops: ", graph.loops), ("layers: ", layers)):
        if facts:
            yield f"  {word}{' '.join(map(str, facts))}"
    names = _value_names(graph)
    for number, node in enumerate(graph.nodes):
        around = [part for part in (*graph.sections, *graph.inlined) if part.start <= number < part.stop]
        for depth, part in enumerate(around, 1):
            if part.start == number:
                yield f"{'  ' * depth}{part.name}:"
        inputs = ", ".join(_named(value, names) for value in node.inputs)
        yield "  " * (len(around) + 1) + _line(node, names[number], inputs, labels)
    yield f"  return {_named(graph.output, names)}"
    taps = [_named(tap.value, names, tap.name) + f" /{tap.reduction}" for tap in graph.taps]
    returned = [_named(tap.value, names, tap.name) for tap in graph.returned]
    outputs = [_named(out.value, names, out.name) + " (in training)" * (not out.always) for out in graph.outputs]
    steps = [_named(value, names, name) for name, value in graph.steps.items() if name != _named(value, names)]
    for word, found in (("features", taps), ("returned", returned), ("outputs", outputs), ("steps", steps)):
        if found:
            yield f"  {word}: {', '.join(found)}"


def _line(node: Node, name: str, inputs: str, labels: Mapping[Graph, str]) -> str:
    """The line of a node: its name, its shape, what is applied to which values, and the turns of the loops around it."""
    name = name if node.count == 1 else f"{node.all_names()[0]} … {name} ×{node.count}"
    if node.body is None:
        return f"{name}: {node.shape} = {inputs} (left out{', its place is kept' * node.replaced})"
    callee, blank, facts = (labels[node.body] if isinstance(node.body, Graph) else node.body.text()).partition(" ")
    turns = [f"{turn.variable} = {turn.number}" for turn in node.origin.turns] if node.origin else []
    made = f"  # {', '.join((node.origin.key, *turns))}" if node.origin and turns else ""
    return f"{name}: {node.shape} = {callee}({inputs}){blank}{facts}{made}"


def _value_names(graph: Graph) -> list[str]:
    """What each node's value is called: as the node, or its last repeat; a prime behind it for each that was called so before."""
    names = [node.all_names()[-1] for node in graph.nodes]
    seen = {name: iter(range(len(names))) for name in names}
    return [name + "'" * next(seen[name]) for name in names]


def _named(value: Value, names: Sequence[str], also: str | None = None) -> str:
    """What a value is called, and what it is called `also`."""
    name = "input" if value.node == INPUT else names[value.node]
    name = name if value.item is None else f"{name}.{value.item}"
    return name if also in (None, name) else f"{also} = {name}"


def reduction_of(value: Value, nodes: Sequence[Node], input: Shape, known: dict[Value, Fraction] | None = None) -> int:
    """For how many pixels of the input one pixel of a value stands, along the height: the product of what the steps on the way
    do, each to the nearest whole number, so that no rounding adds up. `known` keeps what was found for other values.
    """
    way, known = list[Value](), {} if known is None else known
    for each in _back(value, nodes):
        way.append(each)
        if each in known:
            break
    product = known.setdefault(way[-1], Fraction(1))
    for before, after in pairwise(reversed(way)):
        high, low = _height(before, nodes, input), _height(after, nodes, input)
        if high and low and high != low:
            product *= round(high / low) if high > low else Fraction(1, round(low / high))
        known[after] = product
    return max(1, round(product))


def _back(value: Value, nodes: Sequence[Node]) -> Iterator[Value]:
    while True:
        while value.node != INPUT and nodes[value.node].body is None and value.item is None:
            value = nodes[value.node].inputs[0]
        yield value
        if value.node == INPUT or not nodes[value.node].inputs:
            return
        value = nodes[value.node].inputs[0]


def _height(value: Value, nodes: Sequence[Node], input: Shape) -> int | None:
    shape = input if value.node == INPUT else nodes[value.node].shape
    if isinstance(shape, Streams):
        shape = shape[value.item or 0]  # of several, the first is the finest
    return shape.height if isinstance(shape, (Map, Tokens)) else None


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
                yield f"{name}.{tensor.name}" if tensor.name else name, tensor
