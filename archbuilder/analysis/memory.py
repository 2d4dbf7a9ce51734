"""What a network has in memory for one image: the most at once in inference, and what training keeps for the gradient.

A value is memory of its own, or it is a view of another value: what two steps read is there once. A graph that is called often
is gone through once for each way in which it is called: what is kept of its inputs already differs from call to call.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple, TypeAlias

from archbuilder.analysis.lifetimes import lifetimes
from archbuilder.graph.graph import INPUT, Graph, Node, Value
from archbuilder.graph.in_place import works_in_place
from archbuilder.graph.op import Op
from archbuilder.graph.shapes import Shape, in_parts

BYTES: Final = 4
"""Of a number of 32 bits."""


class Storage:
    """Memory of one value, or of several. `trains` says whether a gradient comes to it, `kept` whether it is kept for one."""

    __slots__ = ("kept", "numbers", "trains")

    def __init__(self, numbers: int, trains: bool = False, kept: bool = False) -> None:
        self.numbers, self.trains, self.kept = numbers, trains, kept

    @property
    def state(self) -> tuple[int, bool, bool]:
        """What a call must know of it."""
        return self.numbers, self.trains, self.kept


class Step(NamedTuple):
    """What a node keeps with all its repeats, and the calls of the graph that it calls, with how often they are made."""

    kept: int = 0
    calls: Mapping[Call, int] = {}


class Call:
    """What comes of a call of a graph. `kept` numbers are kept that were not before, `most` are there at once beside what is
    given; `keeps` are those of the given storages that are kept from now on. The parts of what it `gives` are numbers of given
    storages, or below zero of those that it has `made`."""

    def __init__(self, steps: Sequence[Step], most: int) -> None:
        self.steps, self.most = steps, most
        self.kept = sum(step.kept for step in steps)
        self.keeps: tuple[int, ...] = ()
        self.made: tuple[tuple[int, bool, bool], ...] = ()
        self.gives: tuple[int, ...] = ()

    def applied(self, given: Sequence[Storage]) -> list[Storage]:
        """What it gives for these storages."""
        for at in self.keeps:
            given[at].kept = True
        made = [Storage(*state) for state in self.made]
        return [given[at] if at >= 0 else made[-1 - at] for at in self.gives]


Values: TypeAlias = dict[int, list[Storage]]
"""By node the storages of the parts that it gives."""
Most: TypeAlias = tuple[int, int]
"""How much a node has at once beside what goes in; and in its later repeats beside what still lives behind it, if it has some."""


class Walk:
    """Goes through a network as it is computed in training, or in inference."""

    def __init__(self, *, training: bool) -> None:
        self.training = training
        self._known: dict[object, Call] = {}

    def network(self, graph: Graph) -> Call:
        """The call of a whole network."""
        return self._call(graph, [Storage(part.elements) for part in in_parts(graph.input)])[0]

    def _call(self, graph: Graph, given: list[Storage]) -> tuple[Call, list[Storage]]:
        distinct = list(dict.fromkeys(given))
        places = tuple(distinct.index(each) for each in given)
        key = graph, places, tuple(each.state for each in distinct)
        call = self._known.get(key)
        if call is None:
            inner = [Storage(*each.state) for each in distinct]
            call = self._known[key] = self._walked(graph, inner, [inner[at] for at in places])
        return call, call.applied(distinct)

    def _walked(self, graph: Graph, distinct: list[Storage], given: list[Storage]) -> Call:
        before = [each.kept for each in distinct]
        values: Values = {INPUT: given}
        steps, most = [], []
        for number, node in enumerate(graph.nodes):
            if number in graph.training_only and not self.training:
                step, peak = Step(), (0, 0)
                values[number] = []
            else:
                inputs = [_parts(values, value) for value in node.inputs]
                step, peak, values[number] = self._node(graph, node, inputs)
            steps.append(step)
            most.append(peak)
        wanted = [graph.output, *(tap.value for tap in graph.returned)]
        wanted += [output.value for output in graph.outputs if output.always or self.training]
        call = Call(steps, 0 if self.training else _at_once(graph, values, most, wanted))
        call.keeps = tuple(at for at, each in enumerate(distinct) if each.kept and not before[at])
        parts = [part for value in _given(graph, wanted) for part in _parts(values, value)]
        made = [part for part in dict.fromkeys(parts) if part not in distinct]
        call.made = tuple(part.state for part in made)
        call.gives = tuple(distinct.index(part) if part in distinct else -1 - made.index(part) for part in parts)
        return call

    def _node(self, graph: Graph, node: Node, inputs: list[list[Storage]]) -> tuple[Step, Most, list[Storage]]:
        """What a node keeps, how much it has at once beside what goes in, and what it gives."""
        if node.body is None:
            return Step(), (0, 0), inputs[0]
        if isinstance(node.body, Graph):
            return self._repeated(node.body, node.count, [part for parts in inputs for part in parts])
        shapes = tuple(map(graph.shape_of, node.inputs))
        in_place = works_in_place(graph, node)
        kept, most, given = 0, _Most(), inputs
        for _ in range(node.count):
            one, extra, gives = self._op(node.body, shapes, node.shape, given, in_place=in_place)
            most.add(extra, given if given is not inputs else [])
            kept, given = kept + one, [gives]
        return Step(kept), most.found, gives

    def _repeated(self, graph: Graph, count: int, given: list[Storage]) -> tuple[Step, Most, list[Storage]]:
        calls = Counter[Call]()
        kept, most, last, first = 0, _Most(), None, given
        for turn in range(count):
            call, gives = self._call(graph, given)
            most.add(call.most, [given] if given is not first else [])
            turns = count - turn if call is last else 1  # from here on all are the same
            calls[call] += turns
            kept, last, given = kept + turns * call.kept, call, gives
            if turns > 1:
                break
        return Step(kept, calls), most.found, given

    def _op(
        self, op: Op, shapes: tuple[Shape, ...], output: Shape, inputs: list[list[Storage]], *, in_place: bool
    ) -> tuple[int, int, list[Storage]]:
        memory = op.memory(shapes, output)
        if memory is None or op.holds_tensor:
            return 0, 0, [Storage(0, self.training)]  # it is one of the parameters, or nobody asks
        flat = [part for parts in inputs for part in parts]
        trains = self.training and (any(each.trains for each in flat) or any(each.trained for each in op.state()))
        if in_place or memory.is_view or (op.role == "regularisation" and not self.training):
            count = len(in_parts(output))
            gives, made = (flat if len(flat) == count else flat[:1] * count), 0
        else:
            gives = [Storage(part.elements, trains) for part in in_parts(output)]
            made = output.elements
        if not trains:
            return 0, made + memory.beside, gives
        kept = memory.keeps_beside
        trained = [at for at, parts in enumerate(inputs) if any(part.trains for part in parts)]
        before = partial(bisect_left, trained)  # how many of them have smaller numbers
        keeps = [*memory.keeps, *(at for at, first, end in memory.keeps_for if before(first) < before(end))]
        for each in (*(part for at in keeps for part in inputs[at]), *(gives if memory.keeps_output else ())):
            if not each.kept:
                each.kept = True
                kept += each.numbers
        return kept, made + memory.beside, gives


def _parts(values: Values, value: Value) -> list[Storage]:
    every = values[value.node]
    return every if value.item is None or len(every) == 1 else [every[value.item]]


def _given(graph: Graph, wanted: Sequence[Value]) -> Sequence[Value]:
    """What whoever calls a graph gets: of a network whatever it gives."""
    return wanted if graph.returned or graph.outputs else wanted[:1]


class _Most:
    """Finds how much a node has at once: what its first turn has, and what its later ones have with what they are given."""

    def __init__(self) -> None:
        self.found: Most = 0, 0

    def add(self, extra: int, given: Sequence[Sequence[Storage]]) -> None:
        """Takes a turn's, and what was given to it by the turn before; nothing to the first."""
        before = sum(each.numbers for each in {part for parts in given for part in parts})
        first, later = self.found
        self.found = (first, max(later, before + extra)) if given else (extra, later)


def _at_once(graph: Graph, values: Values, most: Sequence[Most], wanted: Sequence[Value]) -> int:
    """The numbers that are there at once at most, beside those that are given."""
    last: dict[Storage, int] = {}
    until = lifetimes(graph, wanted)
    for number, node in enumerate(graph.nodes):
        last |= {each: max(last.get(each, 0), until[number]) for each in values[number]}
        for value in node.inputs:
            last |= {each: max(last.get(each, 0), number) for each in _parts(values, value)}
    born: set[Storage] = set(values[INPUT])
    living: Counter[int] = Counter()  # by the last node during which they do
    at_once = 0
    for number in range(len(graph.nodes)):
        first, later = most[number]
        at_once = max(at_once, living.total() + first, living.total() - living[number] + later)
        for each in values[number]:
            if each not in born:
                born.add(each)
                living[last[each]] += each.numbers
        living.pop(number, None)
    return at_once
