"""Steps with `depth`: equal repeats become one node with a count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from archbuilder.diagnostics import Place
from archbuilder.graph.graph import INPUT, Graph, Node, Value
from archbuilder.graph.op import Op
from archbuilder.graph.shapes import Shape

Repeat = Callable[[int, Shape], tuple[Op | Graph, Shape]]
"""Lowers one repeat: its number and what goes in; the body, and what comes out."""


@dataclass
class Run:
    """Equal repeats, one behind the other."""

    body: Op | Graph
    shape: Shape
    count: int = 1


def runs_of(depth: int, shape: Shape, repeat: Repeat, *, numbered: bool) -> list[Run]:
    """The repeats of a step, equal neighbours together.

    From the second repeat on all are equal, if the first of these keeps the shape and nothing speaks of the repeat's
    number (`numbered`): then no more than two are lowered, however many there are.
    """
    runs: list[Run] = []
    current, made = shape, 0
    while made < depth:
        body, after = repeat(made, current)
        same = made > 0 and not numbered and after == current
        count = depth - made if same else 1
        if runs and (runs[-1].body is body or (isinstance(body, Op) and runs[-1].body == body)):
            runs[-1].count += count
        else:
            runs.append(Run(body, after, count))
        current = after
        made += count
    return runs


def sequence_of(runs: list[Run], shape: Shape, names: tuple[str, ...], place: Place | None) -> Graph:
    """The runs as the graph of an `nn.Sequential`; without `names` the repeats are numbered."""
    return Graph("", shape, tuple(_nodes(runs, names, place)), Value(len(runs) - 1), listed=True)


def _nodes(runs: list[Run], names: tuple[str, ...], place: Place | None) -> Iterator[Node]:
    first = 0
    for number, run in enumerate(runs):
        own = names[first : first + run.count]
        before = Value(number - 1) if number else Value(INPUT)
        yield Node(own[0] if own else str(first), run.body, (before,), run.shape, place, run.count, own)
        first += run.count
