"""A difference of networks that are larger by a factor takes about that factor longer, whatever differs in them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

import archbuilder
from archbuilder.comparison.difference import difference
from archbuilder.diagnostics import TooManyStepsError
from tests.properties.test_growth import HEAD, NETWORKS, RATIO, TEXTS, calls_of

CHANGES: dict[str, Callable[[str], str]] = {
    "nothing": lambda text: text,
    "a step before": lambda text: text.replace(
        "stages:\n", "stages:\n  zero: {block: conv, kernel: 3, width: 16}\n", 1
    ),
    "other names": lambda text: re.sub(r"\ba(\d+)", r"z\1", text),
    "numbers that go on": lambda text: re.sub(r"\ba(\d+)", lambda match: f"a{int(match[1]) + 1}", text),
    "other steps": lambda text: re.sub(r"(?m): norm$", ": {block: norm, eps: 0.5}", text).replace(
        "width: 8", "width: 16"
    ),
    "steps the other way round": lambda text: "\n".join([*text.split("\n")[:3], *reversed(text.split("\n")[3:])]),
    "every third step": lambda text: "\n".join(line for at, line in enumerate(text.split("\n")) if at < 3 or at % 3),
}


def graphs(kind: str, change: str, count: int) -> tuple[archbuilder.Graph, archbuilder.Graph]:
    text = TEXTS[kind](count)
    ours = archbuilder.lower(archbuilder.load("net.yaml", text=text))
    return ours, archbuilder.lower(archbuilder.load("net.yaml", text=CHANGES[change](text)))


def read(a: archbuilder.Graph, b: archbuilder.Graph) -> None:
    found = difference(a, b)
    str(found)
    found.to_dict()


def ratio(kind: str, change: str) -> float | None:
    """How many more calls twice the size takes; None where a text cannot be changed so."""
    try:
        small, large = (graphs(kind, change, count) for count in (150, 300))
    except archbuilder.SpecError:
        return None
    return calls_of(lambda: read(*large)) / calls_of(lambda: read(*small))


@pytest.mark.parametrize("change", CHANGES)
def test_calls_grow_as_the_network(change: str) -> None:
    found = ratio("steps", change)
    assert found is not None
    assert found <= RATIO


@pytest.mark.slow
@pytest.mark.parametrize("kind", NETWORKS)
def test_calls_grow_as_any_network(kind: str) -> None:
    found = {change: ratio(kind, change) for change in CHANGES}
    assert len([each for each in found.values() if each is not None]) >= 4
    assert [change for change, each in found.items() if each is not None and each > RATIO] == []


def doubled(levels: int, leaf: str) -> archbuilder.Graph:
    """A network of blocks of which each calls the one before twice."""
    blocks = [f"  b0: {{body: [{leaf}, norm]}}\n"]
    blocks += [f"  b{level}: {{body: [b{level - 1}, b{level - 1}]}}\n" for level in range(1, levels)]
    text = f"{HEAD}blocks:\n{''.join(blocks)}stages:\n  a: b{levels - 1}\n"
    return archbuilder.lower(archbuilder.load("net.yaml", text=text))


def test_what_differs_in_many_calls_of_a_block_is_told_once() -> None:
    lines = str(difference(doubled(7, "norm"), doubled(7, "activation"))).splitlines()
    assert lines[2] == "activation, 64 times: batch norm -> relu (a)"


def test_what_nobody_could_read_is_refused_before_it_is_made() -> None:
    a, b = doubled(20, "norm"), doubled(20, "activation")

    def refused() -> None:
        with pytest.raises(TooManyStepsError):
            str(difference(a, b))

    assert calls_of(refused) < 20_000
    assert str(difference(a, doubled(20, "norm"))) == "net -> net: no difference"


def test_keys_that_nobody_could_read_are_not_compared() -> None:
    text = f"{HEAD}stages:\n  a: {{block: [norm, norm, norm], depth: 9_000}}\n"
    text = text.replace("[norm, norm, norm]", "trio") + "blocks:\n  trio: {body: [norm, norm, norm]}\n"
    a, b = (archbuilder.lower(archbuilder.load(text=each)) for each in (text, text.replace("9_000", "9_001")))
    found = difference(a, b)
    assert "the keys of checkpoints were not compared: at this depth this network has 36,001 steps" in str(found)
    assert found.to_dict()["keys"] is None
