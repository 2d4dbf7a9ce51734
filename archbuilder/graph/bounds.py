"""How many steps of a graph can be read, and built: of equal steps it keeps one, so it may have more than anybody can."""

from __future__ import annotations

from typing import Final, Literal

from archbuilder.diagnostics import TooManyStepsError
from archbuilder.graph.graph import Graph

MAXIMUM_NODES: Final = 20_000
"""How many different steps a network has: repeats, and calls of equal blocks, count once."""
MAXIMUM_WRITTEN: Final = 20_000
"""How many steps are listed, drawn or written as source, each by itself."""
MAXIMUM_WALKED: Final = 10_000
"""How many steps a page tells of."""
MAXIMUM_BUILT: Final = 200_000
"""How many steps are built, with their repeats."""


Purpose = Literal["shown", "drawn", "told of", "written", "built"]
_WORDS: Final[dict[Purpose, tuple[str, int, str]]] = {
    "shown": ("at this depth", MAXIMUM_WRITTEN, "give a smaller one"),
    "drawn": ("as volumes, with all repeats,", MAXIMUM_WRITTEN, "draw a sheet"),
    "told of": ("on a page", MAXIMUM_WALKED, "draw a sheet of it"),
    "written": ("written out", MAXIMUM_WRITTEN, "use fewer blocks that drop their path"),
    "built": ("with all its repeats", MAXIMUM_BUILT, "use fewer blocks inside of blocks, or smaller depths"),
}


def refuse_too_many(count: int, purpose: Purpose) -> None:
    """Makes sure that there are not more steps than one can read, or build.

    Raises:
        TooManyStepsError: if there are.
    """
    how, maximum, advice = _WORDS[purpose]
    if count > maximum:
        raise TooManyStepsError(
            f"{how} this network has {count:,} steps, and at most {maximum:,} are {purpose}: {advice}"
        )


def steps_in(graph: Graph, *, repeated: bool = False) -> int:
    """How many steps a graph has on all levels, where each call has steps of its own; with `repeated` each repeat, too."""
    known: dict[Graph, int] = {}

    def count(graph: Graph) -> int:
        if graph not in known:
            inner = ((node.count, node.body) for node in graph.nodes)
            known[graph] = sum(
                (times if repeated else 1) * (1 + (count(body) if isinstance(body, Graph) else 0))
                for times, body in inner
            )
        return known[graph]

    return count(graph)


def refuse_to_build(graph: Graph) -> None:
    """Makes sure that a network can be built, and its weights named.

    Raises:
        TooManyStepsError: if it has too many steps.
    """
    refuse_too_many(steps_in(graph, repeated=True), "built")
