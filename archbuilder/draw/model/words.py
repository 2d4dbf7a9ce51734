"""The words in a picture: names and counts, each as short as it can be."""

from __future__ import annotations

from archbuilder.graph.graph import Graph, Node


def span(node: Node) -> str:
    """The names of a node's repeats: "1–5"."""
    names = node.shown_names()
    return names[0] if len(names) == 1 else f"{names[0]}–{names[-1]}"


def repeats_of(node: Node) -> int:
    """How many blocks a stage has."""
    if isinstance(node.body, Graph) and not node.body.definition and node.body.listed:
        return node.count * sum(inner.count for inner in node.body.nodes if inner.body is not None)
    return node.count
