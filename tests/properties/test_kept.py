"""What is kept from one call to the next is right for every user: no text changes what is said of another one, or of itself."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest

import archbuilder
from archbuilder import SpecError
from archbuilder.diagnostics import Reporter
from archbuilder.language.blocks import shipped_files, shipped_table
from archbuilder.language.files import Files
from archbuilder.language.networks import network_names
from archbuilder.language.table import Items, Table
from archbuilder.language.zoo import all_files
from archbuilder.lowering.library import shipped_plan
from tests.fuzz.mutants import mutant

WRONG = sorted(
    path for room in ("language", "lowering") for path in (Path(__file__).parents[1] / room / "wrong").glob("*.yaml")
)
PATCHES = [  # each finds something wrong with a shipped block, in a network that uses it
    "{name: net, stages: {d: norm, a: {block: basic, width: 16, shortcut: identity}}, variants: {x: {}}}",
    "{name: net, stages: {a: {block: basic, width: 16, shortcut: identity}}}",
    "{name: net, stages: {a: {block: basic, width: 16, shortcut: {block: nothing}}}}",
    "{name: net, stages: {a: {block: basic, width: 16, after_last_norm: {x: nothing}}}}",
    "{name: net, stages: {a: {block: bottleneck, width: 10, groups: 3}}}",
    "{name: net, defaults: {conv: {kernel: [3, x]}, basic: {nothing: 1}}, stages: {a: {block: basic, width: 16}}}",
    "{name: net, blocks: {b: {extends: basic, body: {conv1: {nothing: 1}, x: null}}}, stages: {a: {block: b, width: 16}}}",
    "{name: net, blocks: {b: {extends: basic, body: {conv1: 5, relu: {body: 3}}}}, stages: {a: {block: b, width: 16}}}",
    "{name: net, blocks: {b: {extends: basic, parameters: {width: 1.5, more: 1}}}, stages: {a: {block: b, width: 16}}}",
    "{name: net, blocks: {project: {body: [norm]}, norm: {body: [conv]}}, stages: {a: {block: basic, width: 16}}}",
    "{name: net, stages: {a: {block: basic, width: 16, norm: {kind: nothing}, conv: null, activation: 7}}}",
    "{name: net, scale: {width: {by: x}}, stages: {a: {block: basic, width: $(1 / 0)}}}",
]


def said_of(text: str) -> str:
    try:
        return str(archbuilder.check("net.yaml", text=text).graph)
    except SpecError as error:
        return str(error)


def frozen(value: Any) -> Any:
    """Everything that is kept of a shipped text, its marks too."""
    if isinstance(value, Table):
        marks = (value.place, value.name_place, value.weak, value.broken, tuple(value.replaced))
        return (marks, tuple((key, frozen(each)) for key, each in value.items()))
    return tuple(map(frozen, value)) if isinstance(value, Items) else (type(value), value)


def test_what_is_shipped_stays_as_it_is() -> None:
    for text in PATCHES:  # what is marked when something is first used, is marked
        said_of(text)
    names = shipped_files()
    before = {name: frozen(shipped_table(name)) for name in names}
    plans = {name: str(shipped_plan(name).literal) for name in names}
    for text in (*PATCHES, *(path.read_text("utf-8", errors="replace") for path in WRONG[::4])):
        said_of(text)
    assert {name: frozen(shipped_table(name)) for name in names} == before
    assert {name: str(shipped_plan(name).literal) for name in names} == plans


EXTENDING = [
    "{name: net, extends: NAME, input: {size: 96}}",
    "{name: net, extends: NAME, stem: null, stages: {layer1: {width: 7, nothing: 3}, more: norm}}",
    "{name: net, extends: NAME, parameters: {classes: null}, defaults: {conv: {bias: 5}, norm: null}, head: null}",
    "{name: net, extends: NAME, variants: {a: {stages: {layer1: 5}}}, rename: {stem: 3}, expect: null}",
]
"""Specs that change, or spoil, what they are made of."""


def test_the_zoo_stays_as_it_is() -> None:
    def kept() -> dict[Path, Any]:
        return {path: frozen(Files().shipped(path, Reporter())) for path in all_files()}

    before, said = kept(), {name: said_of(f"{{name: net, extends: {name}}}") for name in network_names()[::3]}
    for name in said:
        for text in EXTENDING:
            said_of(text.replace("NAME", name))
        with suppress(SpecError):
            archbuilder.load(name, stages={"layer1": {"depth": 3}}, defaults={"conv": {"init": "zeros"}})
    assert kept() == before
    assert {name: said_of(f"{{name: net, extends: {name}}}") for name in said} == said


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)])
def test_the_same_is_said_again(seed: int) -> None:
    chance = Random(seed)
    texts = [
        *PATCHES,
        *(mutant(chance, text) for text in PATCHES),
        *(mutant(chance) for _ in range(100 if seed else 20)),
    ]
    texts += [path.read_text("utf-8", errors="replace") for path in (WRONG if seed else chance.sample(WRONG, 30))]
    first = {text: said_of(text) for text in texts}
    chance.shuffle(texts)
    assert {text: said_of(text) for text in texts} == first


def test_a_network_is_lowered_again_as_it_was() -> None:
    text = "{name: net, blocks: {b: {extends: basic, body: {relu2: null}}}, stages: {a: {block: b, width: 16}}}"
    for each in (text, *PATCHES):
        try:
            architecture = archbuilder.load_architecture("net.yaml", text=each)
        except SpecError:
            continue
        graphs = [said(architecture) for _ in range(3)]
        assert len(set(graphs)) == 1


def said(architecture: archbuilder.Architecture) -> str:
    try:
        return str(archbuilder.lower(architecture))
    except SpecError as error:
        return str(error)
