"""The summary of a network: its facts, and how they are shown."""

from __future__ import annotations

from archbuilder.analysis.cost import Costs
from archbuilder.analysis.facts import DEPTHS, Depth, Facts, Measured, Row, Rows, describe, joint_label, name_of
from archbuilder.analysis.numbers import with_unit
from archbuilder.analysis.table import as_table
from archbuilder.diagnostics import printable, shorten
from archbuilder.display import Shown
from archbuilder.graph.graph import Graph, expect_graph
from archbuilder.graph.shapes import dimensions


class Summary(Shown, Facts):
    """What a network is and costs, for one image of the size it was lowered for. `str` and notebooks show it as a table.

    `parameters` and `buffers` count elements, `macs` multiply-accumulates of convolutions, linear layers and matrix
    products, `activations` the elements that these put out, `layers` convolutions and linear layers on the longest way.
    `macs` and `activations` are None where an op of a plugin does not say its MACs.
    """

    @property
    def line(self) -> str:
        """The network in one line: name, layers, parameters, MACs and shapes."""
        name = shorten(printable(self.name or name_of(self.graph)))
        macs = "MACs not known" if self.macs is None else with_unit(self.macs, "MACs")
        maps = ", ".join(str(self.graph.shape_of(tap.value)) for tap in self.graph.returned)
        shapes = f"{self.graph.input} -> {maps or self.graph.output_shape}"
        return f"{name}: {self.layers} layers, {self.parameters:,} parameters, {macs}, {shapes}"

    def __repr__(self) -> str:
        return f"Summary({self.line})"

    def __str__(self) -> str:
        return as_table(self, "stage")


def summarize(graph: Graph) -> Summary:
    """The summary of a network's graph."""
    expect_graph(graph)
    costs, measured = Costs(), Measured(graph)
    total = costs.of_graph(graph)
    return Summary(
        name=graph.name,
        input_shape=dimensions(graph.input),
        output_shape=dimensions(graph.output_shape),
        layers=costs.layers.of(graph),
        parameters=total.parameters,
        buffers=total.buffers,
        macs=total.macs,
        activations=total.activations,
        stages=tuple(Rows(costs, measured).all(graph, "stage")),
        graph=graph,
        _measured=measured,
    )


__all__ = ["DEPTHS", "Depth", "Row", "Summary", "describe", "joint_label", "name_of", "summarize"]
