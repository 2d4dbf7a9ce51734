"""The steps of a block as they are written: their names, the loops around them, and the values that names stand for."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from archbuilder.graph.graph import INPUT, Graph, Node, Value
from archbuilder.graph.origin import Origin
from archbuilder.graph.shapes import Streams
from archbuilder.pytorch.constructor import CannotUnify
from archbuilder.pytorch.formulas import Tree, parse


def written_steps(graph: Graph) -> Iterator[Node]:
    """The nodes that steps have become: what gathers the values that a block returns is none."""
    for node in graph.nodes:
        if node.origin is not None:
            yield node


def values_named(name: str, numbers: dict[str, int], graph: Graph) -> Iterator[Value]:
    """The values that a name stands for."""
    whole, _, part = name.rpartition(".")
    if name == "input":
        yield Value(INPUT)
    elif name in numbers:
        yield Value(numbers[name])
    elif part == "*" and whole in numbers:
        shape = graph.nodes[numbers[whole]].shape
        yield from (Value(numbers[whole], at) for at in range(len(shape) if isinstance(shape, Streams) else 0))
    elif part == "*":
        yield from (Value(at) for each, at in numbers.items() if each.startswith(f"{whole}."))
    elif part.isdigit() and whole == "input":
        yield Value(INPUT, int(part)) if isinstance(graph.input, Streams) else Value(INPUT)
    elif part.isdigit() and whole in numbers:
        yield Value(numbers[whole], int(part))


def first_word(name: str) -> str:
    """The first word of a step's name, as it is written: `$` where that is a number."""
    first = name.partition(".")[0]
    return "$" if first.startswith("$") else first


def list_of(key: str) -> str:
    """The list in which what loops make stands, by the name of its step as it is written: `paths` for `paths.$i`."""
    return key.rpartition(".")[0] or "$"


def bounds_of(header: str) -> tuple[str, Tree, Tree]:
    """The variable of a loop, and the numbers from which and up to which it runs."""
    _, variable, _, bounds = header.split(None, 3)
    start, separator, stop = bounds.partition("..")
    trees = [parse(text.strip()) for text in ((start, stop) if separator else ("0", bounds))]
    if trees[0] is None or trees[1] is None:
        raise CannotUnify
    return variable, trees[0], trees[1]


def after_the_first(origin: Origin) -> list[Tree]:
    """That a turn of a loop is not the first: then the turn before it gives what it takes."""
    if origin.inputs is not None or not origin.turns:
        return []
    variable, start, _ = bounds_of(origin.turns[-1].loop)
    return [ast.Compare(ast.Name(variable, ast.Load()), [ast.Gt()], [start])]
