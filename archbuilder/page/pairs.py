"""Two networks side by side: which step of the one is which of the other, for a page that shows both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from archbuilder.analysis.measures import Where
from archbuilder.comparison.align import Kind, Pair, align
from archbuilder.comparison.changes import Change
from archbuilder.comparison.parts import Part
from archbuilder.diagnostics import printable
from archbuilder.draw.model.figure import Figure
from archbuilder.explain.words import written
from archbuilder.page.facts import Step, graph_of, steps_in

Row: TypeAlias = tuple[int, int, int, str, list[tuple[str, str, str, int]], int]
"""How deep a pair is, the numbers of both steps (-1: there is none), its kind, what differs between them (a word, before, after,
and whether it follows from something else), and whether it is on one side only because of what a block was told."""

Known: TypeAlias = Mapping[tuple[Where, bool], int]

_WORDS: Final[dict[Kind, str]] = {"same": "same", "changed": "changed", "only in a": "gone", "only in b": "new"}


def rows_of(one: Figure, other: Figure) -> list[Row]:
    """A row for each pair of steps that differ, the outer ones first; what is in those that are the same is alike one by one."""
    pair = align(graph_of(one), graph_of(other))
    ours, theirs = ({_key(step): number for number, step in enumerate(steps_in(figure))} for figure in (one, other))
    changes = [_change(change) for change in pair.changes]
    return [(0, -1, -1, _WORDS[pair.kind], changes, 0), *_rows(pair.inner, 1, ours, theirs, (), ())]


def _key(step: Step) -> tuple[Where, bool]:
    return step.where, step.is_part


def _rows(pairs: tuple[Pair, ...], depth: int, ours: Known, theirs: Known, a: Where, b: Where) -> Iterator[Row]:
    for pair in pairs:
        one, other = _where(a, pair.a), _where(b, pair.b)
        found = [-1 if key is None else known.get(key, -1) for key, known in ((one, ours), (other, theirs))]
        changes = [_change(change) for change in pair.changes]
        yield depth, found[0], found[1], _WORDS[pair.kind], changes, int(pair.follows)
        inside = [around if key is None or key[1] else key[0] for around, key in ((a, one), (b, other))]
        yield from _rows(pair.inner, depth + 1, ours, theirs, inside[0], inside[1])


def _where(around: Where, part: Part | None) -> tuple[Where, bool] | None:
    """Where a part is, and whether it is a section, whose steps are no deeper in the network than itself."""
    return None if part is None else ((*around, (part.graph, part.start, part.stop)), part.is_section)


def _change(change: Change) -> tuple[str, str, str, int]:
    what, before, after = (printable(each) for each in (change.what, _said(change.before), _said(change.after)))
    return what, before, after, int(change.follows)


def _said(value: Any) -> str:
    return "–" if value is None else written(value)
