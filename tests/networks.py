"""Small networks for tests: lowered from a text, and looked into."""

from collections.abc import Iterator
from textwrap import dedent
from typing import Any

from archbuilder import Graph, SpecError, check
from archbuilder.graph.graph import Node
from archbuilder.graph.op import Op
from archbuilder.graph.ops.activation import DropPath

HEAD = "name: net\ninput: {channels: 3, size: 32}\n"


def lowered(text: str, **overrides: Any) -> Graph:
    """The graph of a spec; where it does not begin with a name, one for pictures of 3×32×32."""
    text = dedent(text).lstrip("\n")
    return check("net.yaml", overrides, text=text if text.startswith("name:") else HEAD + text).graph


def mistakes(text: str, **overrides: Any) -> list[str]:
    """What is wrong with a spec, each as "line: message"; lines count from the first of `text`."""
    text = dedent(text).lstrip("\n")
    full = text if text.startswith("name:") else HEAD + text
    try:
        check("net.yaml", overrides, text=full)
    except SpecError as error:
        shift = full.count("\n") - text.count("\n")
        return [f"{(d.place.line if d.place else 0) - shift}: {d.message}" for d in error.diagnostics]
    return []


def node_at(graph: Graph, path: str) -> Node:
    """The node of the module at a dotted path."""
    for node in graph.nodes:
        for name in node.all_names():
            if path == name:
                return node
            if path.startswith(f"{name}.") and isinstance(node.body, Graph):
                return node_at(node.body, path.removeprefix(f"{name}."))
    raise KeyError(path)


def op_at(graph: Graph, path: str) -> Any:
    """The op of the module at a dotted path."""
    body = node_at(graph, path).body
    assert isinstance(body, Op)
    return body


def modules(graph: Graph, prefix: str = "") -> list[str]:
    """The path of each op, in the order of execution, repeats one by one."""
    paths = []
    for node in graph.nodes:
        for name in node.all_names():
            if isinstance(node.body, Graph):
                paths += modules(node.body, f"{prefix}{name}.")
            elif node.body is not None:
                paths.append(prefix + name)
    return paths


def outline(graph: Graph) -> list[str]:
    """Each step of a graph as one line: "name: what it is -> shape"; steps that were left out do not show."""
    lines = []
    for node in graph.nodes:
        if node.body is not None:
            what = node.body.label() if isinstance(node.body, Op) else node.body.definition or "steps"
            lines.append(f"{node.name}: {what} -> {node.shape}")
    return lines


def fingerprint(graph: Graph) -> list[str]:
    """All that a graph says of its network: names, wiring, shapes, what is computed, stored and drawn at first.

    The values of parameters are left out: they are what is turned, and only what follows from them counts.
    """
    return [*_lines(graph, ""), *(f"state {key} {tensor.shape} {tensor.trained}" for key, tensor in graph.state())]


def _lines(graph: Graph, indent: str) -> Iterator[str]:
    yield f"{indent}{graph.definition} {graph.input} -> {graph.output} layers {graph.layers} register {graph.register}"
    for node in graph.nodes:
        inputs = " ".join(f"{value.node}.{value.item}" for value in node.inputs)
        yield f"{indent}{' '.join(node.all_names())} <- {inputs} = {node.shape}"
        if isinstance(node.body, Graph):
            yield from _lines(node.body, indent + "  ")
        elif node.body is not None:
            yield f"{indent}  {_of_op(node.body)}"


def _of_op(op: Op) -> str:
    rates = [op.rate_at(number, 4) for number in range(4)] if isinstance(op, DropPath) else ""
    return f"{op.emit()} {op.initialise()} {rates}"
