"""Reads, lowers and verifies a spec in one run, so that every mistake is reported together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

from archbuilder.analysis.bounds import report_giant
from archbuilder.analysis.expect import check_expectations
from archbuilder.analysis.summary import Summary, summarize
from archbuilder.diagnostics import Diagnostic, Place, Reporter, SpecError, suggest
from archbuilder.display import Shown
from archbuilder.graph.cut import alone
from archbuilder.graph.graph import Graph
from archbuilder.graph.shapes import Shape, Streams, images
from archbuilder.language.arithmetic import FormulaError
from archbuilder.language.dotted import UnknownNameError
from archbuilder.language.files import Files
from archbuilder.language.formula import Formula
from archbuilder.language.load import Spec, as_far_as_possible, load_architecture, load_block
from archbuilder.language.models import Architecture
from archbuilder.language.words import ALWAYS_VISIBLE
from archbuilder.lowering import lower_block
from archbuilder.lowering.network import lower_with_record
from archbuilder.parameters import describe
from archbuilder.tasks.sizes import Sizes, sizes_of

Inputs: TypeAlias = tuple[int, int, int] | Sequence[tuple[int, int, int]]
"""(channels, height, width) of one value, or of several."""


@dataclass(frozen=True, repr=False)
class Checked(Shown):
    """A network that holds together, and keeps what its author expects of it."""

    architecture: Architecture
    graph: Graph
    summary: Summary
    idle: tuple[Diagnostic, ...] = ()
    """What has no effect here and need have none: a base says it, or what a file says of all its variants."""

    def __repr__(self) -> str:
        return f"Checked({self.summary.line})"

    @cached_property
    def sizes(self) -> Sizes:
        """For which sizes of input the network is: `str` says it, and is empty where it takes any."""
        return sizes_of(self.architecture, self.graph)


def check(
    spec: Spec | None = None,
    overrides: Mapping[str, Any] | None = None,
    input: tuple[int, int, int] | None = None,
    text: str | None = None,
    files: Files | None = None,
) -> Checked:
    """A spec read, lowered and held against its `expect`.

    Args:
        spec: a path, a zoo name, an architecture, or a dict as YAML has it; None beside a text that has no name.
        overrides: what to set, by dotted path.
        input: (channels, height, width), if not the spec's.
        text: the spec's text, if it does not lie in a file.
        files: what has been read already, where several variants of a file are checked.

    Raises:
        SpecError: with every mistake found, in whichever part of the way.
        FileNotFoundError: if there is no such file or name.
    """
    reporter = Reporter()
    architecture = as_far_as_possible(lambda: load_architecture(spec, overrides, text, files), reporter)
    lowered = lower_with_record(architecture, input, reporter)
    graph = lowered.graph
    summary = summarize(graph)
    report_giant(summary, reporter)
    if architecture.expect is not None and not architecture.is_overridden and input is None:
        verify(architecture, summary, reporter)
    reporter.raise_if_any()
    return Checked(architecture, graph, summary, tuple(lowered.lowering.idle.diagnostics))


def idle_in_all(variants: Sequence[Checked]) -> list[Diagnostic]:
    """What a file says of all its variants, and what has no effect in any of them."""
    common, *others = ({each.place: each for each in variant.idle if each.place is not None} for variant in variants)
    own = next((variant.architecture.place for variant in variants), None)
    return [
        diagnostic
        for place, diagnostic in common.items()
        if own is not None and place.source == own.source and all(place in other for other in others)
    ]


def check_block(
    block: str,
    parameters: Mapping[str, Any] | None = None,
    input: Inputs = (64, 32, 32),
    spec: str | Path | None = None,
    text: str | None = None,
    *,
    tokens: bool = False,
) -> Checked:
    """One block by itself, shipped or of a spec's own.

    Args:
        block: its name.
        parameters: what it is told.
        input: (channels, height, width) of what goes in; a list of these, where the block takes several values.
        spec: a file that has the block.
        text: the spec's text, if it does not lie in a file; `spec` is then only its name in messages.
        tokens: whether the pixels of what goes in are tokens.

    Raises:
        SpecError: with every mistake found.
        FileNotFoundError: if there is no such file.
        TypeError: if `text` is no text, `spec` no name, or `tokens` no truth value.
        ValueError: if `input` is no size of an image.
    """
    _refuse_no_truth(tokens)
    reporter, shape = Reporter(), images(input, tokens=tokens)
    several = isinstance(shape, Streams)
    architecture = as_far_as_possible(
        lambda: load_block(block, parameters or {}, spec, text, several=several), reporter
    )
    try:
        graph = lower_alone(architecture, shape, reporter)
    except SpecError as error:
        raise SpecError(_by_sizes(each, input) for each in error.diagnostics) from None
    summary = summarize(graph)
    report_giant(summary, reporter)
    reporter.raise_if_any()
    return Checked(architecture, graph, summary)


def _refuse_no_truth(tokens: object) -> None:
    """Refuses what is no truth value, which may be meant for a parameter of a block that is called `tokens`."""
    if not isinstance(tokens, bool):
        help = "a parameter that is called so is set in the spec itself: {block: mine, tokens: ...}"
        raise TypeError(f"`tokens` is true or false, got {describe(tokens)}; {help}")


def _by_sizes(mistake: Diagnostic, input: Inputs) -> Diagnostic:
    """The mistake; where a block by itself takes other values, no step of a spec gives them, but sizes do."""
    wanted = re.search(r"takes (\d+)", mistake.message)
    if mistake.code != "bad-input" or mistake.place is not None or wanted is None:
        return mistake
    given: list[Any] = [each for each in input if not isinstance(each, int)] or [input]
    sizes = [given[min(number, len(given) - 1)] for number in range(int(wanted[1]))]
    words = ",".join("x".join(map(str, each)) for each in sizes)
    help = f"give the size of each: `--input {words}`, in Python `input=[{', '.join(map(str, sizes))}]`"
    return replace(mistake, help=help)


def lower_alone(architecture: Architecture, input: Shape, reporter: Reporter | None = None) -> Graph:
    """The typed graph of a block by itself.

    Args:
        architecture: a network that is nothing but one use of it.
        input: what goes into it.
        reporter: mistakes that are known already, to be raised together with those found here.

    Raises:
        SpecError: with every mistake found.
    """
    return alone(lower_block(architecture, input, reporter or Reporter()))


def verify(architecture: Architecture, summary: Summary, reporter: Reporter) -> None:
    """Holds a summary against what the architecture expects."""
    expect = architecture.expect
    if expect is None:
        return
    wanted: dict[str, Any] = {}
    scope: dict[str, Any] = dict.fromkeys(ALWAYS_VISIBLE, summary.graph.input)
    for name, value in architecture.parameters.items():
        scope[name] = _computed(value, scope)
    places: dict[str, Place | None] = {}
    for name in type(expect).model_fields:
        value = getattr(expect, name)
        if value is None:
            continue
        places[name] = expect.place_at(name)
        try:
            wanted[name] = _computed(value, scope)
        except UnknownNameError as error:
            message = f"`{error.name}` is not known in this expression"
            reporter.error("unknown-name", message, places[name], help=suggest(error.name, architecture.parameters))
        except FormulaError as error:
            reporter.error("bad-expression", str(error), places[name])
    check_expectations(wanted, places, summary, reporter)


def _computed(value: Any, scope: Mapping[str, Any]) -> Any:
    """A value with its expressions computed, those in a list too."""
    if isinstance(value, list):
        return [_computed(each, scope) for each in value]
    return value.evaluate(scope) if isinstance(value, Formula) else value
