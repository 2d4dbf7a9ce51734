"""How large what a step holds or gives may be."""

from __future__ import annotations

from typing import Final

from archbuilder.analysis.cost import Costs
from archbuilder.analysis.facts import Facts
from archbuilder.diagnostics import Reporter

MAXIMUM_NUMBERS: Final = 2**60
"""What a step may hold, and what it may put out: torch counts bytes in 64 bits."""


def report_giant(summary: Facts, reporter: Reporter) -> None:
    """Reports the first step of a network that no machine can address: mostly, a width or a ratio is mistyped."""
    largest = max((node.shape.elements for node in summary.graph.nodes), default=0)
    if max(summary.parameters, summary.activations or 0, largest) <= MAXIMUM_NUMBERS:
        return
    costs = Costs()
    for node in summary.graph.nodes:
        cost = costs.of_one(node)
        count = max(cost.parameters, cost.activations or 0, node.shape.elements)
        if count > MAXIMUM_NUMBERS:
            message = (
                f"`{node.shown_names()[0]}` holds or puts out {count:.1e} numbers, more than any machine can address"
            )
            reporter.error("too-large", message, node.place, help="make a width, a ratio or a size in it smaller")
            return
