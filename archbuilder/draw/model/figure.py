"""What is to be seen of a network or a block, before any layout: boxes, and the values that go from one to the next.

A figure knows neither places nor colours, so that every layout and every output reads the same one. Its texts are a spec's own
words; who writes them somewhere escapes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, TypeAlias

from archbuilder.graph.graph import Graph
from archbuilder.graph.origin import Turn
from archbuilder.graph.shapes import Shape

Role = Literal[
    "input", "stem", "stage", "neck", "head", "convolution", "linear", "norm", "activation", "pool", "combine", "block",
    "attention", "other",
]  # fmt: skip
"""What a box stands for; it decides the colour."""

EdgeKind = Literal["main", "identity", "plain", "projection", "exchange"]
"""Whether an edge is a shortcut that hands on its value as it is, one that changes it without parameters, one that changes
it with parameters, what goes from one stream to another one, or none of these."""

SHORTCUTS: Final[dict[EdgeKind, str]] = {
    "identity": "identity shortcut",
    "plain": "shortcut without parameters",
    "projection": "projection shortcut",
}
"""What a legend calls the edges that are drawn in a way of their own."""

TAP: Final = "►"
"""What stands before the name of a value that can be taken out."""
_DIGITS: Final = "0123456789"
TAPS: Final = "a feature map to take out"
"""What a legend says of that."""


@dataclass(frozen=True)
class Band:
    """One line of a box; in a box of layers each band is a layer. `detail` is a second, smaller line: its channels."""

    text: str
    role: Role
    detail: str = ""


@dataclass(frozen=True)
class Box:
    """A step, a run of layers that follow each other, or a part of a network.

    `sign` is the symbol of a box that only combines values ("+"); "" for any other. An `end` is where values enter or leave a
    figure; where a figure was cut, it `stands_for` one of the values of a box in another piece. `inside` is the wiring of what
    a box stands for, `count` how often that is repeated; where `is_open` it is drawn in the box, else it is its thumbnail.
    `taps` are the names under which its values, or those of steps in it, can be taken out. `gives` is the shape of its value;
    with `in_training`, it is there in training only. `step` is its step as it is written, `turns` are those of the loops that
    made it; a box that `is_each` stands for what a loop makes of a step in all its turns. `nodes` are those that it stands for,
    by their numbers in the figure's graph, where each step is drawn by itself.
    """

    id: str
    role: Role
    name: str = ""
    bands: tuple[Band, ...] = ()
    count: int = 1
    sign: str = ""
    end: bool = False
    stands_for: tuple[str, int | None] | None = None
    inside: Figure | None = None
    is_open: bool = False
    definition: str = ""
    gives: Shape | None = None
    layers: int = 0
    in_training: bool = False
    taps: tuple[str, ...] = ()
    step: str = ""
    turns: tuple[Turn, ...] = ()
    is_each: bool = False
    nodes: tuple[int, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """What is written on it, line by line, where all are alike."""
        times = f" ×{self.count}" if self.count > 1 and self.role == "block" else ""
        told = (f"{band.text} {band.detail}".strip() + times for band in self.bands)
        return tuple(line for line in (self.name, *told, *self.tap_lines) if line)

    @property
    def tap_lines(self) -> tuple[str, ...]:
        """The names of its values that can be taken out; those that are numbered through are one line."""
        stems = {name.rstrip(_DIGITS) for name in self.taps}
        numbers = [int(name[len(stem) :] or -1) for name in self.taps for stem in stems] if len(stems) == 1 else []
        if len(numbers) > 2 and numbers == [*range(numbers[0], numbers[0] + len(numbers))]:
            return (f"{TAP}{self.taps[0]}–{numbers[-1]}",)
        return tuple(TAP + name for name in self.taps)


Single: TypeAlias = tuple[str, str, int | None, int]
"""A value on its way between two steps: the source, the target, which of the one's values, and which of the other's inputs."""


class Edge(NamedTuple):
    """A value on its way from one box to another.

    `item` says which of the source's values it is, None if it is the only one, or all; `position` which of the target's inputs;
    `label` is its shape, where that is news. Where it stands for what a loop makes, `each` has all of these.
    """

    source: str
    target: str
    item: int | None = None
    position: int = 0
    label: str = ""
    kind: EdgeKind = "main"
    each: tuple[Single, ...] = ()

    def singles(self) -> tuple[Single, ...]:
        """The values on their way that it stands for."""
        return self.each or ((self.source, self.target, self.item, self.position),)

    def is_like(self, other: Edge) -> bool:
        """Whether it carries the same value as another one."""
        return (self.source, self.item) == (other.source, other.item)


@dataclass(frozen=True)
class Figure:
    """Boxes in the order of execution, and edges. `graph` is what it shows, or a part of which."""

    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    graph: Graph | None = field(default=None, compare=False, repr=False)

    def wiring(self) -> tuple[object, ...]:
        """What tells how it is wired, and of what, from other figures, whatever its boxes are called."""
        numbers = {box.id: number for number, box in enumerate(self.boxes)}
        boxes = tuple(
            (
                box.role,
                box.bands or box.name,
                box.count,
                box.sign,
                box.end,
                box.definition,
                box.in_training,
                box.is_each,
                box.taps,
            )
            + ((box.inside.wiring(),) if box.is_open and box.inside is not None else ())
            for box in self.boxes
        )
        edges = tuple((numbers[each.source], numbers[each.target], *each[2:4], each.kind) for each in self.edges)
        return boxes, edges

    def main_path(self) -> tuple[str, ...]:
        """The boxes on the way from an entry to an exit with the most layers, in order; of equal ones the first inputs'."""
        into: dict[str, list[Edge]] = {box.id: [] for box in self.boxes}
        for edge in self.edges:
            into[edge.target].append(edge)
        best: dict[str, tuple[int, int]] = {}
        before: dict[str, str] = {}
        for box in self.boxes:
            sources = [edge.source for edge in into[box.id]]
            longest = max(sources, key=lambda each: best[each], default=None)
            layers, length = best[longest] if longest is not None else (0, 0)
            if longest is not None:
                before[box.id] = longest
            from_entry = longest is not None or box.end
            best[box.id] = (layers + box.layers + (0 if from_entry else -1), length + 1)
        ends = [box.id for box in self.boxes if box.end and into[box.id] and not box.in_training]
        last = (ends or [max(best, key=lambda each: best[each])])[0] if best else None
        path: list[str] = []
        while last is not None:
            path.append(last)
            last = before.get(last)
        return tuple(reversed(path))


def every_box(boxes: Iterable[Box]) -> Iterator[Box]:
    """Some boxes, and what stands in those that are open."""
    for box in boxes:
        yield box
        if box.inside is not None and box.is_open:
            yield from every_box(box.inside.boxes)
