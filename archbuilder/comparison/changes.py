"""What differs between two steps that belong together, in the words of a spec."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from re import sub
from typing import Any, NamedTuple

from archbuilder.analysis.summary import describe, name_of
from archbuilder.comparison.parts import Part
from archbuilder.comparison.structure import WIDTH, Structure, follows, given_to, is_expression, said, told
from archbuilder.graph.graph import INPUT, Graph, Node, Output, Tap, Value, children
from archbuilder.graph.op import Op


class Change(NamedTuple):
    """What differs between two parts: `what` is a word of the spec ("depth", "width", "stride", "block", "from") or "name".

    It `follows` where it is so because of something else that differs: what comes in, or what the block around was told.
    """

    what: str
    before: Any
    after: Any
    follows: bool = False


@dataclass
class Context:
    """Two graphs whose steps are compared, one after the other.

    `places` has which step of `a` is which of `b`, by their numbers. `shifted` says whether one of the two has had more steps
    so far, so that numbers may differ; `repeated` whether both are the repeats of one step.
    """

    a: Graph
    b: Graph
    places: Mapping[int, int]
    structure: Structure
    repeated: bool = False
    shifted: bool = False

    def is_left_out(self, a: Part | None, b: Part | None) -> bool:
        """Whether a step that one graph has stands in the other one too, left out there for the same reason."""
        part, others = (b, self._left_out[0]) if a is None else (a, self._left_out[1])
        if part is None or part.is_section:
            return False
        node = part.nodes[0]
        if node.origin is None:
            return False
        if self._is_told_otherwise and (node.origin.turns or not node.origin.own):
            return True  # a turn of a loop, or what stands in a slot
        others_said = (other.origin for other in (others.get(key) for key in _keys(node)) if other is not None)
        return any(said and (said.when, said.block) == (node.origin.when, node.origin.block) for said in others_said)

    def is_in_slot(self, a: Node, b: Node) -> bool:
        """Whether two steps stand in a slot of a block that was told something else."""
        return self._is_told_otherwise and not any(node.origin is None or node.origin.own for node in (a, b))

    @cached_property
    def _is_told_otherwise(self) -> bool:
        """Whether both are the same block, which was told something else."""
        return self.a.definition == self.b.definition != "" and _given(self.a) != _given(self.b)

    def place(self, value: Value) -> Value | None:
        """The value of the second graph that belongs to one of the first."""
        place = self.places.get(value.node)
        return None if place is None else Value(place, value.item)

    def are_matched(self, ours: Iterable[Value], theirs: Iterable[Value]) -> bool:
        """Whether each of some values of the first graph, and of the second, has one that belongs to it."""
        return all(each.node in self.places for each in ours) and all(each.node in self._matched for each in theirs)

    @property
    def is_reduced_otherwise(self) -> bool:
        """Whether a step gives a map of another size, as seen from the input."""
        heights = (
            tuple(getattr(shape, "height", 1) for shape in (graph.input, graph.nodes[number].shape))
            for pair in self.places.items()
            for graph, number in zip((self.a, self.b), pair, strict=True)
            if INPUT not in pair
        )
        return any(one[0] * other[1] != one[1] * other[0] for one, other in zip(heights, heights, strict=True))

    @cached_property
    def _matched(self) -> frozenset[int]:
        return frozenset(self.places.values())

    @cached_property
    def _left_out(self) -> tuple[dict[Hashable, Node], dict[Hashable, Node]]:
        ours, theirs = (
            {key: node for node in graph.nodes if node.body is None for key in _keys(node)}
            for graph in (self.a, self.b)
        )
        return ours, theirs


def _keys(node: Node) -> Iterator[Hashable]:
    """What a step may be found by in another graph: its name, and the one that is written, with the turns of its loops."""
    yield node.name.partition("~")[0]
    if node.origin is not None:
        yield node.origin.key, tuple(turn.number for turn in node.origin.turns)


def changes_of_networks(context: Context, pictures: Sequence[Mapping[str, Any]]) -> Iterator[Change]:
    """What differs between two networks as a whole; `pictures` is what each expects of a picture, in the words of its `input`."""
    a, b = context.a, context.b
    if a.input != b.input:
        yield Change("input", str(a.input), str(b.input))
    before, after = pictures
    yield from (Change(f"input.{name}", before[name], after[name]) for name in before if before[name] != after[name])
    for name, value in a.bindings.items():
        if name in b.bindings and value != b.bindings[name] and not (name in a.formulas and name in b.formulas):
            yield Change(name, value, b.bindings[name])
    yield from _changes_of_order(a, b)
    yield from _changes_of_values(context, "features", a.taps, b.taps)
    yield from _changes_of_values(context, "outputs", a.outputs, b.outputs)


def _changes_of_order(a: Graph, b: Graph) -> Iterator[Change]:
    """Whether `register` puts the children that both have into another order."""
    ours, theirs = children(a), children(b)
    if a.register != b.register and [each for each in ours if each in theirs] != [
        each for each in theirs if each in ours
    ]:
        yield Change("register", [*a.register] or None, [*b.register] or None)


def _changes_of_values(
    context: Context, what: str, a: Sequence[Tap | Output], b: Sequence[Tap | Output]
) -> Iterator[Change]:
    """Whether other values are given; that follows where others are the last ones of their resolution."""
    ours, theirs = ([graph.source_of(each.value) for each in of] for graph, of in ((context.a, a), (context.b, b)))
    if [context.place(value) for value in ours] != theirs:
        before, after = (", ".join(each.name for each in of) or None for of in (a, b))
        yield Change(what, before, after, follows=context.shifted or context.is_reduced_otherwise)


def changes_of_steps(context: Context, a: Node, b: Node) -> Iterator[Change]:
    """What differs between two steps."""
    names = a.shown_names()[0], b.shown_names()[0]
    if names[0] != names[1]:
        numbers = [sub(r"\d+", "0", name) for name in names]
        yield Change("name", *names, (context.shifted or context.repeated) and numbers[0] == numbers[1])
    if not context.structure.are_same(a.body, b.body):
        for change in _changes_of_bodies(context, a, b):
            yield change._replace(follows=change.follows or context.is_in_slot(a, b))
    if a.count != b.count:
        yield Change("repeats", a.count, b.count, context.repeated)
    ours, theirs = ([graph.source_of(each) for each in node.inputs] for graph, node in ((context.a, a), (context.b, b)))
    if context.are_matched(ours, theirs) and [context.place(value) for value in ours] != theirs:
        written = [node.origin.inputs if node.origin is not None else None for node in (a, b)]
        same = written[0] is not None and written[0] == written[1]
        yield Change("from", _called(context.a, ours), _called(context.b, theirs), same)


def _called(graph: Graph, values: Iterable[Value]) -> str:
    named = (("input" if node == INPUT else graph.nodes[node].shown_names()[-1], item) for node, item in values)
    return ", ".join(name if item is None else f"{name}.{item}" for name, item in named)


def _changes_of_bodies(context: Context, a: Node, b: Node) -> Iterator[Change]:
    """What differs between what two steps do."""
    one, other = a.body, b.body
    if isinstance(one, Graph) and isinstance(other, Graph) and one.definition == other.definition:
        depths = depth_of(one), depth_of(other)
        if None not in depths and depths[0] != depths[1]:
            yield Change("depth", *depths, is_same_expression(_depth_said(one), _depth_said(other)))
        yield from _changes_of_order(one, other)
        if one.definition:
            for change in _changes(a, b, _given(one), _given(other)):
                yield _as_written(change, a, b) if context.repeated else change
    elif isinstance(one, Op) and isinstance(other, Op) and type(one) is type(other):
        yield from _changes_of_ops(context, a, b, one, other)
    else:
        before, after = (node.origin.block if node.origin is not None else None for node in (a, b))
        yield Change("block", _block(a), _block(b), is_same_expression(before, after))
        if isinstance(one, Graph) and isinstance(other, Graph):
            ours, theirs = _given(one), _given(other)
            common = [name for name in ours if name in theirs and not said(a, name) is said(b, name) is None]
            yield from _changes(a, b, *({name: values[name] for name in common} for values in (ours, theirs)))


def _block(node: Node) -> str:
    return name_of(node.body) if isinstance(node.body, Graph) else describe(node)


def depth_of(graph: Graph) -> int | None:
    """How many repeats a graph has that consists of those of one step."""
    origin = graph.nodes[0].origin if graph.listed and graph.nodes else None
    if origin is None or origin.depth is None or any(node.origin is not origin for node in graph.nodes):
        return None
    return sum(node.count for node in graph.nodes)


def _depth_said(graph: Graph) -> Any:
    origin = graph.nodes[0].origin
    return origin.depth if origin is not None else None


def _given(graph: Graph) -> dict[str, Any]:
    """What a block was told, or has as a plain default."""
    return {name: value for name, value in graph.bindings.items() if name not in graph.formulas}


def _changes(a: Node, b: Node, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[Change]:
    """The parameters that differ. One that is written as the same expression follows from what is in that."""
    for name in {**ours, **theirs}:
        before, after = ours.get(name), theirs.get(name)
        if before != after:
            yield Change(name, before, after, is_same_expression(said(a, name), said(b, name)))


def _as_written(change: Change, a: Node, b: Node) -> Change:
    """What differs in repeats, as it is written for all of them where that is an expression."""
    before, after = said(a, change.what), said(b, change.what)
    is_written = not change.follows and is_expression(before) and is_expression(after)
    return change._replace(before=before, after=after) if is_written else change


def _changes_of_ops(context: Context, a: Node, b: Node, one: Op, other: Op) -> Iterator[Change]:
    """The parameters of an op that differ, and what it knows of its input."""
    ours, theirs = told(a, one), told(b, other)
    for change in _changes(a, b, ours, theirs):
        unsaid = said(a, change.what) is None and said(b, change.what) is None
        by_default = unsaid and all(
            follows(change.what, values[change.what], op, given_to(graph, node))
            for graph, node, op, values in ((context.a, a, one, ours), (context.b, b, other, theirs))
        )
        yield change._replace(follows=change.follows or by_default)
    widths = ours.get(WIDTH), theirs.get(WIDTH)
    for name, before in vars(one).items():
        after = vars(other).get(name)
        if name not in ours and before != after and (before, after) != widths:
            yield Change(name, before, after, follows=True)


def is_same_expression(before: Any, after: Any) -> bool:
    """Whether a value is written as the same expression on both sides."""
    return before == after and is_expression(before)
