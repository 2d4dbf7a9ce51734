"""Which part of one network is which of another: a tree of pairs, from the network over its stages and blocks to its layers.

What is the same in two networks has no pairs inside: its parts correspond one to one, under the same names. Two graphs that are
held against each other in several places are compared once, and the pairs inside are the same objects there; so a part says its
name only, and whoever goes down the tree knows the path.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, Final, Literal, TypeAlias

from archbuilder.comparison.changes import Change, Context, changes_of_networks, changes_of_steps, depth_of
from archbuilder.comparison.parts import Part, parts_of_network, steps_in, steps_of
from archbuilder.comparison.sequences import Item, match
from archbuilder.comparison.structure import Structure
from archbuilder.graph.graph import INPUT, Graph

Kind: TypeAlias = Literal["same", "changed", "only in a", "only in b"]
"""Whether two parts compute and store the same (for whatever size of input), or what is on one side only."""


@dataclass(frozen=True)
class Pair:
    """Two parts that belong together, or one that the other network does not have.

    `changes` are those of the part as a whole; `inner` has what is inside, in order, where something there differs and it is
    worth a comparison. What is there on one side only `follows` where a block leaves it out because of what it was told.
    """

    a: Part | None
    b: Part | None
    kind: Kind
    changes: tuple[Change, ...] = ()
    inner: tuple[Pair, ...] = field(default=(), repr=False)
    follows: bool = False


_UNLIKE: Final = 8
"""By which factor two graphs may differ in size for their steps to be compared."""

_Tree: TypeAlias = "list[tuple[Part | None, Part | None, _Tree]]"
"""Parts that belong together, with the steps in those that are sections."""


def align(a: Graph, b: Graph, pictures: Sequence[Mapping[str, Any]] = ({}, {})) -> Pair:
    """Which part of a network is which of another one: matched by name, then by structure.

    The pairs inside that of the networks are the sections and stages that a summary has rows for; inside these are steps, in
    steps that are blocks their steps, and so on.
    """
    alignment = _Alignment()
    tree = alignment.matched(parts_of_network(a), parts_of_network(b))
    context = Context(a, b, dict(_places(tree)), alignment.structure)
    inner = tuple(alignment.pairs(context, tree))
    ours, theirs = (Part(graph.name, graph, 0, len(graph.nodes), is_section=True) for graph in (a, b))
    return _pair(ours, theirs, tuple(changes_of_networks(context, pictures)), inner)


class _Alignment:
    """The comparison of two networks; graphs that are held against each other in several places are compared once."""

    def __init__(self) -> None:
        self.structure = Structure()
        self._known: dict[tuple[Graph, Graph], tuple[Pair, ...]] = {}

    def matched(self, ours: Iterable[Part], theirs: Iterable[Part]) -> _Tree:
        """Which of some parts of one graph are which of another."""
        ours, theirs = list(ours), list(theirs)
        found: _Tree = []
        for one, other in match(list(map(self._item, ours)), list(map(self._item, theirs))):
            a, b = None if one is None else ours[one], None if other is None else theirs[other]
            sections = a is not None and b is not None and a.is_section and b.is_section
            found.append((a, b, self.matched(steps_of(a), steps_of(b)) if sections and a and b else []))
        return found

    def _item(self, part: Part) -> Item:
        graph, start, stop = part.graph, part.start, part.stop
        exact, own = (of(graph, start, stop) for of in (self.structure.exact, self.structure.own))
        kind = part.section or "steps" if part.is_section else self.structure.kind(graph, start, stop)
        return Item(part.name, exact, own, kind)

    def inside(self, a: Graph, b: Graph) -> tuple[Pair, ...]:
        """The pairs of the steps of two graphs; none where both are the same, or too unlike."""
        if (a, b) not in self._known:
            sizes = sorted((len(a.nodes), len(b.nodes)))
            is_idle = self.structure.are_same(a, b) or sizes[1] > _UNLIKE * (sizes[0] + 4)
            self._known[a, b] = () if is_idle else self._inside(a, b)
        return self._known[a, b]

    def _inside(self, a: Graph, b: Graph) -> tuple[Pair, ...]:
        repeated = depth_of(a) is not None and depth_of(b) is not None
        if repeated:  # the first of one is the first of the other, whatever they are
            tree: _Tree = [(one, other, []) for one, other in zip_longest(steps_in(a), steps_in(b))]
        else:
            tree = self.matched(steps_in(a), steps_in(b))
        return tuple(self.pairs(Context(a, b, dict(_places(tree)), self.structure, repeated), tree))

    def pairs(self, context: Context, tree: _Tree) -> Iterator[Pair]:
        """The pairs that parts of two graphs make, with what differs."""
        for a, b, steps in tree:
            if a is None or b is None:
                context.shifted = True
                follows = context.repeated or context.is_left_out(a, b)
                yield Pair(a, b, "only in b" if a is None else "only in a", follows=follows)
            elif a.is_section or b.is_section:
                name = [Change("name", a.name, b.name)] if a.name != b.name else []
                kind = [] if a.is_section and b.is_section else [Change("block", a.words(), b.words())]
                yield _pair(a, b, (*name, *kind), tuple(self.pairs(context, steps)))
            else:
                changes = tuple(changes_of_steps(context, a.nodes[0], b.nodes[0]))
                context.shifted |= a.count != b.count
                one, other = a.body, b.body
                inner = self.inside(one, other) if isinstance(one, Graph) and isinstance(other, Graph) else ()
                yield _pair(a, b, changes, inner)


def _pair(a: Part, b: Part, changes: tuple[Change, ...], inner: tuple[Pair, ...]) -> Pair:
    same = not changes and all(pair.kind == "same" for pair in inner)
    return Pair(a, b, "same" if same else "changed", changes, () if same else inner)


def _places(tree: _Tree) -> Iterator[tuple[int, int]]:
    """Which step is which, by their numbers; the input is the input."""
    yield INPUT, INPUT
    for a, b, steps in tree:
        yield from _places(steps)
        if a is not None and b is not None and not (a.is_section or b.is_section):
            yield a.start, b.start
