"""What differs between two networks, in few statements: what is so in every repeat, or in several stages, is said once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from archbuilder.comparison.align import Pair
from archbuilder.comparison.changes import Change, depth_of
from archbuilder.diagnostics import printable, shorten
from archbuilder.graph.bounds import refuse_too_many
from archbuilder.graph.graph import Graph
from archbuilder.graph.op import Op, shown


class Statement(NamedTuple):
    """One thing that differs, in the part at `place`: a path as seen from the stage ("" for the stage itself). `of` is the op or
    the block that it is said of."""

    place: str
    change: Change
    of: str = ""

    def __str__(self) -> str:
        text = in_words(self.change)
        return f"{shorten(printable(self.place))}: {text}" if self.place else text


ADDED: Final = "added"
REMOVED: Final = "removed"
MOVED: Final = "moved"


def in_words(change: Change) -> str:
    """A change in a few words: "depth 6 -> 23"."""
    what, before, after, _ = change
    before, after = value_in_words(before), value_in_words(after)
    if what in (ADDED, REMOVED):
        return f"{what} ({before if what == REMOVED else after})"
    if what == MOVED:
        return f"stride moved from {before} to {after}"
    if what == "name":
        return f"called {before} -> {after}"
    return f"{before} -> {after}" if what == "block" else f"{shorten(printable(what))} {before} -> {after}"


def value_in_words(value: Any) -> str:
    """A value as a spec has it, in a few words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return shorten(printable(value))
    if isinstance(value, dict | list):
        return shorten(printable(_steps_in_words(value)))
    return shown(value)


def _steps_in_words(value: Any) -> str:
    """What stands in a slot: the names of the blocks, with what they are told."""
    if isinstance(value, list):
        return ", ".join(map(_steps_in_words, value))
    if isinstance(value, dict):
        if "block" not in value:
            return ", ".join(map(_steps_in_words, value.values())) or "nothing"
        told = " ".join(f"{name}={value_in_words(each)}" for name, each in value.items() if name != "block")
        return f"{value['block']} {told}".strip()
    return str(value)


def statements_of(pair: Pair, *, every: bool = False) -> tuple[Statement, ...]:
    """What differs in a stage, and follows from nothing else; with `every` what follows, too.

    Raises:
        TooManyStepsError: if there is too much to be read.
    """
    refuse_too_many(_count(pair, {}), "shown")
    return tuple(_with_moves(list(_own(pair, every=every))))


def _count(pair: Pair, known: dict[int, int]) -> int:
    """How many pairs there are in a pair, on all levels."""
    if id(pair.inner) not in known:
        known[id(pair.inner)] = sum(1 + _count(inner, known) for inner in pair.inner)
    return known[id(pair.inner)]


def only(pair: Pair) -> Change:
    """What is there on one side only, as a change."""
    if pair.a is None:
        return Change(ADDED, None, pair.b and pair.b.words(), pair.follows)
    return Change(REMOVED, pair.a.words(), None, pair.follows)


def _own(pair: Pair, *, every: bool) -> Iterator[Statement]:
    """What differs in a pair, the pair itself first."""
    if pair.a is None or pair.b is None:
        if every or not pair.follows:
            yield Statement("", only(pair))
        return
    own = [change for change in pair.changes if every or not change.follows]
    of = name_of_body(pair.b.body)
    yield from (Statement("", change, of) for change in own)
    if any(change.what == "block" for change in pair.changes):
        return  # what is in another block is other steps
    inside = [(inner, list(_own(inner, every=every))) for inner in pair.inner]
    bodies = pair.a.body, pair.b.body
    if all(isinstance(body, Graph) and depth_of(body) is not None for body in bodies):
        yield from _of_repeats(inside)
        return
    for inner, found in inside:
        name = _name(inner)
        yield from (each._replace(place=f"{name}.{each.place}".rstrip(".")) for each in found)


def name_of_body(body: Op | Graph | None) -> str:
    """The block or the op that a step is."""
    return body.definition if isinstance(body, Graph) else body.name if body is not None else ""


def _name(pair: Pair) -> str:
    part = pair.a or pair.b
    return part.name if part is not None else ""


def _of_repeats(inside: Sequence[tuple[Pair, list[Statement]]]) -> Iterator[Statement]:
    """What differs in repeats: what does in all of them, or in the first, belongs to the step that they are repeats of."""
    matched = [pair for pair, _ in inside if pair.a is not None and pair.b is not None]
    places: dict[str, tuple[Statement, list[Pair]]] = {}
    for pair, found in inside:
        for statement in found:
            places.setdefault(str(statement), (statement, []))[1].append(pair)
    for statement, pairs in places.values():
        if len(pairs) == len(matched) or pairs[0] is matched[0]:
            yield statement
        else:
            names = ", ".join(map(_name, pairs))
            yield statement._replace(place=f"{names}.{statement.place}".rstrip("."))


def _with_moves(found: list[Statement]) -> Iterator[Statement]:
    """The statements of a stage, where a stride that one step loses and another one gets is one of them."""
    strides = [each for each in found if each.change.what == "stride"]
    moved = _opposite(strides)
    for each in found:
        if each not in moved:
            yield each
        elif each == moved[0]:
            before, after = _from_and_to(moved)
            yield Statement("", Change(MOVED, before or "the stage", after or "the stage"))


def _opposite(strides: list[Statement]) -> list[Statement]:
    """The two statements of a stride that moves, if there are just two that say so."""
    if len(strides) != 2:
        return []
    (_, one, _), (_, other, _) = strides
    return strides if (one.before, one.after) == (other.after, other.before) else []


def _from_and_to(moved: Sequence[Statement]) -> tuple[str, str]:
    """Where the larger stride was, and where it is."""
    first, second = moved
    return (first.place, second.place) if _larger(first.change) else (second.place, first.place)


def _larger(change: Change) -> bool:
    before, after = (max(each) if isinstance(each, tuple) else each for each in (change.before, change.after))
    return bool(before > after)


def with_moves_between(stages: Sequence[tuple[str, tuple[Statement, ...]]]) -> list[tuple[Statement, ...]]:
    """The statements of all stages, where a stride that one stage loses and another one gets is the same statement in both."""
    strides = [Statement(name, each.change) for name, found in stages for each in found if is_stride_of_stage(each)]
    moved = _opposite(strides)
    if not moved:
        return [found for _, found in stages]
    before, after = _from_and_to(moved)
    said = Statement("", Change(MOVED, before, after))
    return [tuple(said if is_stride_of_stage(each) else each for each in found) for _, found in stages]


def is_stride_of_stage(statement: Statement) -> bool:
    """Whether it says that a stage has another stride."""
    return statement.change.what == "stride" and not statement.place


class Repeated(NamedTuple):
    """What differs in the same way in several steps of one kind: how many, and in which stages."""

    change: Change
    of: str
    times: int
    stages: tuple[str, ...]

    def __str__(self) -> str:
        return f"{shorten(printable(self.of))}, {self.times} times: {in_words(self.change)}"


_OFTEN: Final = 3


def without_repeated(
    names: Sequence[str], stages: Sequence[tuple[Statement, ...]]
) -> tuple[tuple[Repeated, ...], list[tuple[Statement, ...]]]:
    """What differs in the same way in several steps of a stage, or inside of stages in which other things differ too; and the
    other statements."""
    groups: dict[tuple[str, str], list[tuple[int, Statement]]] = {}
    for number, found in enumerate(stages):
        for each in found:
            if each.place and each.change.what not in (ADDED, REMOVED, MOVED, "name"):
                groups.setdefault((each.of, in_words(each.change)), []).append((number, each))
    pulled: dict[tuple[str, str], Repeated] = {}
    said = [tuple(map(str, found)) for found in stages]
    for key, places in groups.items():
        in_stages = Counter(number for number, _ in places)
        crowded = max(in_stages.values()) >= _OFTEN
        if crowded or (len(places) >= _OFTEN and len({said[number] for number in in_stages}) > 1):
            where = tuple(names[number] for number in in_stages)
            pulled[key] = Repeated(places[0][1].change, key[0], len(places), where)
    left = [
        tuple(each for each in found if not each.place or (each.of, in_words(each.change)) not in pulled)
        for found in stages
    ]
    return tuple(pulled.values()), left
