"""Why a parameter of a network has its value: reads and lowers it, and says in words what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from archbuilder.diagnostics import Place, Reporter, printable, shorten
from archbuilder.explain.why import Candidate, Why, explain
from archbuilder.graph.shapes import Streams
from archbuilder.language.load import Spec, as_far_as_possible, load_architecture
from archbuilder.lowering.network import lower_with_record
from archbuilder.parameters import REQUIRED


def explain_parameter(
    spec: Spec, path: str, overrides: Mapping[str, Any] | None = None, text: str | None = None
) -> Why:
    """Why a parameter has its value.

    Args:
        spec: a path, a zoo name or an architecture.
        path: a module's path, a dot and a parameter of the block or op that stands there; `depth` of a repeated step; or one
            of the network's parameters.
        overrides: what to set, by dotted path.
        text: the spec's text, if it does not lie in a file.

    Raises:
        SpecError: with every mistake in the spec, or because there is no such parameter.
        FileNotFoundError: if there is no such file or name.
    """
    reporter = Reporter()
    architecture = as_far_as_possible(lambda: load_architecture(spec, overrides, text), reporter)
    return explain(architecture, lower_with_record(architecture, reporter=reporter), path)


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
        yield f"{indent}{_title(why, nested=bool(indent))} is {_written(why.value)}{' (see above)' if again else ''}"
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
        return _written(candidate.text), self._place(candidate.place), _who(candidate)

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


def _who(candidate: Candidate) -> str:
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


def _written(value: Any) -> str:
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
