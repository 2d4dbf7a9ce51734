"""What is said of why a parameter has its value: the places that set it, as data and in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from archbuilder.diagnostics import Place, printable, shorten
from archbuilder.graph.shapes import Streams
from archbuilder.parameters import REQUIRED

Kind: TypeAlias = Literal[
    "repeat", "use", "body", "slot", "defaults", "inside", "around", "parameter", "let", "default"
]
"""What wrote a value: that the stride belongs to the first repeat, the use itself, a block's body, a slot's own use, the
network's `defaults` (`inside`: what they say of the inside of a block), a use around, the network's `parameters`, a block's
`let`, the definition's default."""


@dataclass(frozen=True)
class Candidate:
    """A value that a parameter could have had: as it is written, where, and what wrote it. `whose` is the block, or the path
    of the use, that `kind` speaks of. `won` says whether it is the one that counts, `replaced` that a later text overwrote
    it: a variant, a spec that extends this one, `--set`."""

    kind: Kind
    text: Any
    place: Place | None = None
    whose: str = ""
    won: bool = False
    replaced: bool = False


@dataclass(frozen=True)
class Remark:
    """What happened to a value after it was chosen, in words."""

    text: str
    place: Place | None = None


@dataclass(frozen=True, repr=False)
class Why:
    """Why `name` (of the block or op `block` that stands at `path`) has this value.

    `candidates` are all that was written for it, the strongest first; `variables` explains each name in the expressions of
    the one that won.
    """

    name: str
    value: Any
    block: str = ""
    path: str = ""
    candidates: tuple[Candidate, ...] = ()
    remarks: tuple[Remark, ...] = ()
    variables: tuple[Why, ...] = ()

    def __repr__(self) -> str:
        return f"Why({_title(self, nested=False)} = {written(self.value)})"

    def __str__(self) -> str:
        return as_text(self)

    @property
    def winner(self) -> Candidate | None:
        """The candidate that counts; None for what nobody writes, such as the shape that comes in."""
        return next((candidate for candidate in self.candidates if candidate.won), None)


def as_text(why: Why, seen_from_here: Callable[[Place], Place] = lambda place: place) -> str:
    """An explanation in words.

    Args:
        why: what to say.
        seen_from_here: how places are written, relative to a folder for example.
    """
    return "\n".join(_Writer(seen_from_here).explanation(why, ""))


class _Writer:
    def __init__(self, seen_from_here: Callable[[Place], Place]) -> None:
        self.seen_from_here = seen_from_here
        self.told: set[tuple[str, str, str]] = set()

    def explanation(self, why: Why, indent: str) -> Iterator[str]:
        """A line for what it is, one for each candidate, and the same, further in, for the variables of the winner."""
        key = (why.path, why.block, why.name)
        again = key in self.told and bool(why.candidates)
        yield f"{indent}{_title(why, nested=bool(indent))} is {written(why.value)}{' (see above)' if again else ''}"
        if again:
            return
        self.told.add(key)
        rows = [self._row(candidate) for candidate in why.candidates]
        widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
        for candidate, row in zip(why.candidates, rows, strict=True):
            cells = "  ".join(cell.ljust(width) for cell, width in zip(row, (*widths, 0), strict=True) if width or cell)
            yield f"{indent}  {'→' if candidate.won else ' '} {cells}".rstrip()
        for remark in why.remarks:
            where = f" ({self._place(remark.place)})" if remark.place is not None else ""
            yield f"{indent}    {remark.text}{where}"
        for variable in why.variables:
            yield from self.explanation(variable, indent + "    ")

    def _row(self, candidate: Candidate) -> tuple[str, str, str]:
        return written(candidate.text), self._place(candidate.place), who(candidate)

    def _place(self, place: Place | None) -> str:
        if place is None:
            return ""
        if place.source.name.startswith("--set "):
            return shorten(printable(f"--set {place.source.text}"))
        return printable(str(self.seen_from_here(place)))


def _title(why: Why, *, nested: bool) -> str:
    """What it is: `layer3.0.conv2.stride`, or further in `stride` of `bottleneck` at layer3.0."""
    if not nested:
        return f"{why.path}.{why.name}" if why.path else why.name
    of = f" of `{why.block}`" if why.block else ""
    return f"`{why.name}`{of}" + (f" at {why.path}" if why.path else "")


def who(candidate: Candidate) -> str:
    """What wrote a candidate, in words."""
    whose = candidate.whose
    words = {
        "repeat": "only the first repeat has the stride",
        "use": "the use itself",
        "body": f"fixed in the body of `{whose}`",
        "slot": "with the block in the slot",
        "defaults": "the network's `defaults`",
        "inside": "`defaults`, for what is inside a block",
        "around": f"the use around, {whose}" if whose else "a use around",
        "parameter": "the network's `parameters`",
        "let": f"derived in `{whose}`",
        "default": f"the default of `{whose}`",
    }[candidate.kind]
    return f"{words}, replaced" if candidate.replaced else words


def written(value: Any) -> str:
    """A value in YAML, short."""
    return printable(shorten(_as_yaml(value), 72))


def _as_yaml(value: Any) -> str:
    if value is None or value is REQUIRED:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_as_yaml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list) or (isinstance(value, tuple) and type(value) is tuple):
        return "[" + ", ".join(_as_yaml(each) for each in value) + "]"
    if isinstance(value, Streams):
        return ", ".join(str(each) for each in value)
    return str(value)
