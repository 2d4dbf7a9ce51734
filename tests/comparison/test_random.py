"""Of random networks: nothing differs from itself, and what differs is told; both ways round alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archbuilder
from archbuilder.comparison.align import Pair
from archbuilder.comparison.difference import difference
from tests.properties.specs import specs


def pairs(pair: Pair) -> Iterator[Pair]:
    yield pair
    for inner in pair.inner:
        yield from pairs(inner)


def compared(a: str, b: str) -> None:
    """Holds what is said of two networks against what they are."""
    ours, theirs = (archbuilder.lower(archbuilder.load("net.yaml", text=text)) for text in (a, b))
    found, turned = difference(ours, theirs), difference(theirs, ours)
    assert bool(found) == bool(turned)
    assert (found.keys.fit, found.keys.of_a) == (turned.keys.fit, turned.keys.of_b)
    for pair in pairs(found.pair):
        assert (pair.kind == "changed") == bool(pair.changes or pair.inner), "what changed has a reason"
        assert pair.kind.startswith("only") == (pair.a is None or pair.b is None)
    for summary, side in ((found.a, "before"), (found.b, "after")):
        if found.stages:
            assert sum(getattr(stage, side).parameters for stage in found.stages) == summary.parameters
    if found.pair.kind == "same":
        assert found.a.state == found.b.state
        assert (found.a.parameters, found.a.macs) == (found.b.parameters, found.b.macs)
    else:
        assert found.to_dict()["changes"], "a difference is told"
    str(found)


def nothing_differs(text: str) -> None:
    network = archbuilder.check("net.yaml", text=text)
    assert not archbuilder.diff(network.architecture, network.architecture)
    again = archbuilder.lower(archbuilder.load(text=archbuilder.dump(network.architecture)))
    assert not difference(network.graph, again)


@given(specs())
@settings(max_examples=12)
def test_nothing_differs_from_itself(text: str) -> None:
    nothing_differs(text)


@given(specs(), specs())
@settings(max_examples=12)
def test_what_differs_is_told(a: str, b: str) -> None:
    compared(a, b)


VALUE = re.compile(r"(?<![\w.$#])(\d+|true|false)(?![\w.])")


def told_if_it_counts(text: str, random: Random) -> None:
    """Changes one value of a spec; something differs just where what is emitted does."""
    match = random.choice(list(VALUE.finditer(text)) or [None])
    if match is None:
        return
    value = {"true": "false", "false": "true"}.get(match[0]) or str(2 * int(match[0]) or 1)
    other = f"{text[: match.start()]}{value}{text[match.end() :]}"
    try:
        a, b = (archbuilder.lower(archbuilder.load("net.yaml", text=each)) for each in (text, other))
    except archbuilder.SpecError:
        return
    sources = [archbuilder.to_source(graph).partition("\nclass ")[2] for graph in (a, b)]
    assert bool(difference(a, b)) == (sources[0] != sources[1] or a.input != b.input)
    compared(text, other)


@given(specs(), st.randoms(use_true_random=False))
@settings(max_examples=15)
def test_something_differs_where_other_source_is_emitted(text: str, random: Random) -> None:
    told_if_it_counts(text, random)


@pytest.mark.slow
@given(specs(), st.randoms(use_true_random=False))
@settings(max_examples=200)
def test_many_values(text: str, random: Random) -> None:
    told_if_it_counts(text, random)


@pytest.mark.slow
@given(specs(), specs())
@settings(max_examples=200)
def test_of_many(a: str, b: str) -> None:
    nothing_differs(a)
    compared(a, b)
