"""What is to be seen of a network, before any layout.

A picture holds boxes, groups of them and edges. It knows neither DOT nor pixels, so that every way of drawing (DOT, an
interactive page, Mermaid) reads the same one. Its texts are a spec's own words; who writes them somewhere escapes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from archbuilder.analysis.summary import Depth

Role = Literal[
    "input", "stem", "stage", "neck", "head", "convolution", "linear", "norm", "activation", "pool", "combine", "block",
    "other",
]  # fmt: skip
"""What a box stands for; it decides the colour."""

EdgeKind = Literal["main", "identity", "plain", "projection"]
"""Whether an edge is a shortcut that hands on its value as it is, one that changes it without parameters, one that changes
it with parameters, or none."""


@dataclass(frozen=True)
class Band:
    """One line of a box. In a box of layers each band is a layer."""

    text: str
    role: Role
    detail: str = ""


@dataclass(frozen=True)
class Load:
    """What a box costs, and the shares (0 to 1) of the largest such cost in the picture."""

    parameters: int
    macs: int | None
    parameter_share: float = 0.0
    mac_share: float = 0.0


@dataclass(frozen=True)
class Box:
    """A step, or a run of layers that follow each other; `count` is how often it is repeated.

    `sign` is the symbol of a box that only combines values ("+"); "" for any other.
    """

    id: str
    role: Role
    bands: tuple[Band, ...] = ()
    count: int = 1
    sign: str = ""
    load: Load | None = None


@dataclass(frozen=True)
class Group:
    """Boxes and further groups inside a frame.

    Where `has_entry`, what goes into the group goes to its header; the group's `id` as an end of an edge means that.
    """

    id: str
    role: Role
    name: str
    members: tuple[Item, ...]
    kind: str = ""
    count: int = 1
    facts: tuple[str, ...] = ()
    has_entry: bool = True


Item: TypeAlias = Box | Group


@dataclass(frozen=True)
class Edge:
    """A value on its way from one box to another. `label` is its shape, where that is news."""

    source: str
    target: str
    label: str = ""
    kind: EdgeKind = "main"


@dataclass(frozen=True)
class Picture:
    """A network as boxes in the order of execution, groups and edges."""

    name: str
    facts: tuple[str, ...]
    depth: Depth
    items: tuple[Item, ...]
    edges: tuple[Edge, ...]

    def boxes(self) -> Iterator[Box]:
        """Every box, in groups too."""
        return boxes_of(self.items)


def parts_of(items: Iterable[Item]) -> Iterator[Item]:
    """Some items and all that is in them, each group before its members."""
    for item in items:
        yield item
        if isinstance(item, Group):
            yield from parts_of(item.members)


def frames_of(items: Iterable[Item], outer: tuple[str, ...] = ()) -> dict[str, tuple[str, ...]]:
    """The groups that each part is in, from the outermost; a group's header is in the group itself."""
    found: dict[str, tuple[str, ...]] = {}
    for item in items:
        found[item.id] = outer if isinstance(item, Box) else (*outer, item.id)
        if isinstance(item, Group):
            found |= frames_of(item.members, found[item.id])
    return found


def boxes_of(items: Iterable[Item]) -> Iterator[Box]:
    """Every box of some items, in their groups too."""
    return (part for part in parts_of(items) if isinstance(part, Box))
