"""Steps whose values nobody takes: in a network and in the blocks that it uses."""

from __future__ import annotations

from collections.abc import Sequence

from archbuilder.diagnostics import Reporter
from archbuilder.graph.graph import Graph, Node, Tap, Value, graphs_in


def report_idle_steps(network: Graph, taps: Sequence[Tap], reporter: Reporter) -> None:
    """Reports each step of the user's own that changes nothing: a mistake in the wiring, mostly a `from` that is missing.

    Args:
        network: the network.
        taps: the feature maps that its spec asks for.
        reporter: is told.
    """
    wanted = [network.output, *(output.value for output in network.outputs), *(tap.value for tap in taps)]
    _report(network, wanted, "list it in `features`, say `output`, ", reporter)
    for graph in graphs_in(network):
        if graph is not network and any(map(_is_own, graph.nodes)):
            _report(graph, [graph.output], "", reporter)


def _is_own(node: Node) -> bool:
    """Whether a step that is there was not written by this project."""
    return node.body is not None and (node.place is None or not node.place.source.shipped)


def _report(graph: Graph, wanted: Sequence[Value], ways: str, reporter: Reporter) -> None:
    idle = graph.idle(wanted)
    for number in sorted(idle):
        node = graph.nodes[number]
        if not _is_own(node):
            continue
        message = f"`{node.shown_names()[0]}` has no effect: nothing takes its value"
        help = f"name it in the `from` of a later step, {ways}or remove it"
        reporter.error("no-effect", message, node.place, help=help)
