"""The parts of a network that are compared: sections, stages, blocks and layers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from archbuilder.analysis.summary import describe, joint_label
from archbuilder.comparison.structure import is_there
from archbuilder.graph.graph import Graph, Node, Section
from archbuilder.graph.op import Op


@dataclass(frozen=True)
class Part:
    """Some steps of a graph, `graph.nodes[start:stop]`: a section of a network, or one step with its repeats.

    `name` is what it is called there: "stem", "layer1", of repeats "1–5".
    """

    name: str
    graph: Graph = field(repr=False)
    start: int
    stop: int
    is_section: bool = False

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The steps."""
        return self.graph.nodes[self.start : self.stop]

    @property
    def body(self) -> Op | Graph | None:
        """What the one step does; None for a section."""
        return None if self.is_section else self.graph.nodes[self.start].body

    @property
    def section(self) -> str | None:
        """The section of a network that it is: "stem"; None for a stage and all else."""
        found = (section.name for section in self.graph.sections if section[:2] == (self.name, self.start))
        return next(found, None) if self.is_section else None

    @property
    def count(self) -> int:
        """How often it is there, one behind the other."""
        return 1 if self.is_section else self.graph.nodes[self.start].count

    def words(self) -> str:
        """What it is, in a few words."""
        return (self.is_section and joint_label(self.nodes)) or describe(self.nodes[0])


def parts_of_network(graph: Graph) -> Iterator[Part]:
    """The sections of a network, of the stages each by itself: those that a summary has rows for."""
    for section in graph.sections or (Section("", 0, len(graph.nodes)),):
        if section.name != "stages":
            if section.start < section.stop:
                yield Part(section.name, graph, section.start, section.stop, is_section=True)
            continue
        for piece in graph.pieces(section):
            if piece.name:
                yield Part(piece.name, graph, piece.start, piece.stop, is_section=True)
            else:
                yield from _steps(graph, piece.start, piece.stop)


def steps_of(part: Part) -> Iterator[Part]:
    """The steps of a section."""
    return _steps(part.graph, part.start, part.stop)


def steps_in(graph: Graph) -> Iterator[Part]:
    """The steps of a graph."""
    return _steps(graph, 0, len(graph.nodes))


def _steps(graph: Graph, start: int, stop: int) -> Iterator[Part]:
    """Steps that do something, each as a part."""
    for number in range(start, stop):
        node = graph.nodes[number]
        if is_there(node):
            names = node.shown_names()
            yield Part(names[0] if len(names) == 1 else f"{names[0]}–{names[-1]}", graph, number, number + 1)
