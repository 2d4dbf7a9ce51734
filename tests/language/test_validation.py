"""How often a spec is read, what is found in one run, and what is kept of the text."""

import copy
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from pydantic import ValidationError

from archbuilder import Architecture, SpecError, check, load
from archbuilder.language import models
from archbuilder.language.load import load_architecture
from archbuilder.language.models import Step
from tests import wrong_specs

ROOMS = [Path(__file__).parents[1] / room / "wrong" for room in ("language", "lowering")]
WRONG = [folder / name for folder in ROOMS for name in wrong_specs.names(folder)]


def told(text: str) -> list[tuple[int, str]]:
    """The line and the message of each mistake."""
    with pytest.raises(SpecError) as error:
        check("spec.yaml", text=text)
    return [(each.place.line if each.place else 0, each.message) for each in error.value.diagnostics]


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[models.Reading]]:
    """All readings of a text."""
    made: list[models.Reading] = []

    class Counted(models.Reading):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments)  # type: ignore[arg-type]
            made.append(self)

    monkeypatch.setattr(models, "Reading", Counted)
    return made


def test_a_right_spec_is_read_once(readings: list[models.Reading]) -> None:
    for name in ("resnet50", "mobilenet_v3_small"):
        readings.clear()
        load(name)
        assert len(readings) == 1


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.name)
def test_a_wrong_spec_is_read_at_most_twice(
    path: Path, readings: list[models.Reading], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    with suppress(SpecError):
        load_architecture(f"{path.name}.yaml")
    assert len(readings) <= 2
    assert not readings or not readings[-1].again


def test_no_mistake_hides_another() -> None:
    text = """\
name: net
clas: Net
input: {size: big, colour: red}
blocks:
  pair:
    parameters: {width: chanels, ratio: "$(1 +)"}
    body: {a: {block: norm, eps: "$("}, b: {body: [{block: norm, depth: 0}, 3]}}
    layers: many
    register: [a, 1, 2]
stages:
  a: {body: {b: {block: norm, depth: none, inline: 1}, c: {blok: norm}}, names: x}
  for i of 3: {d: norm}
  e: $(
  f:
features: [a, 3]
"""
    assert [line for line, _ in told(text)] == [2, 3, 3, 6, 6, 7, 7, 7, 8, 9, 9, 11, 11, 11, 11, 12, 13, 14, 15]


def test_what_is_unknown_is_not_taken_for_what_is_missing() -> None:
    """A key that is known elsewhere, where something must be, is a mistake all the same, and the rest is still read."""
    text = "name: net\nbody: 3\ninput: {body: 3}\nstages: {a: {block: conv, kernel: 3, widht: 8}}\n"
    assert [line for line, _ in told(text)] == [2, 3, 4]


def test_what_is_wrong_leads_to_nothing_else() -> None:
    assert told("name: net\nstages: {a: {block: conv, kernel: 3, depth: 0, names: x}}\n") == [
        (2, "`depth` must be a whole number, 1 or more, got 0")
    ]
    assert told("name: net\nstages: {a: $(, b: norm}\nfeatures: [a, b]\n")[1:] == []
    assert told("name: net\nblocks: {m: {body: 3}}\nstages: {a: m}\n") == [
        (2, "`body` must be a map or a list of steps, got 3")
    ]


def test_a_malformed_expression_may_stand_in_lists_of_lists() -> None:
    (mistake,) = told('name: net\nstages: {a: {block: conv, kernel: [[1, "$(1 +"]]}}\n')
    assert mistake == (2, "this expression lacks a closing `)`")


def test_a_step_behind_two_aliases_is_reported_once() -> None:
    text = "name: net\nstages:\n  a: &a {block: norm, depth: 0}\n  b: *a\n  c: {body: [*a]}\n"
    assert told(text) == [(3, "`depth` must be a whole number, 1 or more, got 0")]


def test_copies_have_no_place() -> None:
    architecture = load("resnet18")
    assert architecture.table is not None
    assert architecture.place is not None
    stem = architecture.sections()["stem"]["conv1"]
    for copied in (stem.model_copy(), copy.copy(stem), copy.deepcopy(stem), stem.with_arguments({"width": 3})):
        assert (copied.table, copied.place, copied.place_at("width"), copied.name_place) == (None, None, None, None)
    assert stem.with_arguments({"width": 3}).arguments == {"width": 3}
    assert stem.arguments != {"width": 3}
    assert stem.place is not None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"stages": {"a": {"block": "norm", "depth": 0}}}, "stages.map.a.depth\n  Value error, expected a whole number"),
        ({"stages": {"a": {"block": "norm", "eps": "$("}}}, "stages.map.a\n  Value error, `eps`: this expression lacks"),
        ({"stages": {"for i of 3": {}}}, "Value error, `stages`: a loop is written `for i in n:`"),
        ({"stages": 3}, "Value error, `stages` must be a map or a list of steps, got 3"),
        ({"blocks": {"b": {"body": [], "parameters": {"depth": 1}}}}, "blocks.b\n  Value error, `parameters`: `depth` is a word"),
        ({"steps": {}}, "steps\n  Extra inputs are not permitted"),
    ],
)  # fmt: skip
def test_mistakes_in_python_are_those_of_pydantic(words: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as error:
        Architecture(name="net", **words)
    assert message in str(error.value)


def test_steps_in_python_may_patch_those_of_a_base() -> None:
    assert Step(depth=2).is_patch
    assert Step(block=None).is_nothing
    with pytest.raises(ValueError, match="either `block` or `body`, not both"):
        Step(block="norm", body=["norm"])


def test_what_is_given_stays_as_it_is() -> None:
    given = {"block": "conv", "kernel": ["$(1 + 2)"], "after": {"a": {"width": "$w"}}}
    Step(**given)
    assert type(given["kernel"][0]) is str
    assert type(given["after"]["a"]["width"]) is str  # type: ignore[index]
