"""What an op needs in emitted source: which names its texts make known, and which of a network's ops have any."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from archbuilder.graph.graph import Graph, Node, graphs_in
from archbuilder.graph.op import Op


def names_bound(text: str) -> set[str]:
    """The names that an import line or a definition makes known.

    Raises:
        SyntaxError: if it is no Python.
    """
    names: set[str] = set()
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in statement.names}
        elif isinstance(statement, ast.ClassDef | ast.FunctionDef):
            names.add(statement.name)
        elif isinstance(statement, ast.Assign):
            names |= {target.id for target in statement.targets if isinstance(target, ast.Name)}
    return names


def ops_of(graph: Graph) -> Iterator[tuple[Graph, Node, Op]]:
    """The nodes of ops, with the graphs that they stand in; each graph is looked through once."""
    for around in graphs_in(graph):
        for node in around.nodes:
            if isinstance(node.body, Op):
                yield around, node, node.body


def needy_ops(graph: Graph) -> Iterator[tuple[Graph, Node, Op]]:
    """The nodes whose ops need source of their own, with the graphs that they stand in."""
    return (found for found in ops_of(graph) if found[2].needs)
