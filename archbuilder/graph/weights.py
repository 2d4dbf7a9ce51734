"""Whether two networks store the same tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from archbuilder.graph.graph import Child, Graph, Node, children
from archbuilder.graph.op import Op


def different_weight(usual: Graph, other: Graph, same: set[tuple[Graph, Graph]] | None = None) -> str | None:
    """The first key under which two networks store different tensors, or only one of them any; None if there is none.

    Graphs that are called in several places are compared once: `same` are pairs of them that were.
    """
    same = set() if same is None else same
    if usual is other or (usual, other) in same:
        return None
    ours, theirs = (dict(_nodes(children(graph), "")) for graph in (usual, other))
    for name in {**ours, **theirs}:
        key = _different(name, ours.get(name), theirs.get(name), same)
        if key is not None:
            return key
    same.add((usual, other))
    return None


def _nodes(level: Mapping[str, Child], prefix: str) -> Iterator[tuple[str, Node]]:
    """The modules of a graph under their names, those in containers too."""
    for name, child in level.items():
        if child.node is not None:
            yield prefix + name, child.node
        yield from _nodes(child.inner, f"{prefix}{name}.")


def _different(name: str, one: Node | None, other: Node | None, same: set[tuple[Graph, Graph]]) -> str | None:
    bodies = [node.body if node is not None else None for node in (one, other)]
    first, second = bodies
    if isinstance(first, Graph) and isinstance(second, Graph):
        key = different_weight(first, second, same)
        return f"{name}.{key}" if key is not None else None
    stored = [dict(body.state()) if isinstance(body, Graph) else _tensors(body) for body in bodies]
    found = [key for key in {**stored[0], **stored[1]} if stored[0].get(key) != stored[1].get(key)]
    return f"{name}.{found[0]}" if found else None


def _tensors(body: Op | None) -> dict[str, object]:
    return {tensor.name: tensor for tensor in body.state()} if body is not None else {}
