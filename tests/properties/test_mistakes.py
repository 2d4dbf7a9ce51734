"""Reports are true: one mistake in a right spec gives one diagnostic, on its line, with what was meant."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings

import archbuilder
from archbuilder import Diagnostic, SpecError
from archbuilder.cli.options import check_with_variants
from archbuilder.language import zoo
from tests.docs.pages import PAGES, complete, fences
from tests.properties.mistakes import KINDS, Mistake, Spec, mistakes
from tests.properties.specs import specs
from tests.properties.test_broken import OWN_BLOCKS

SEED = 11
ONE_REPORT = 0.97
RIGHT_SUGGESTION = 0.9


def reports(text: str, folder: Path) -> list[Diagnostic]:
    """What the command says of a text and of all its variants."""
    path = folder / "net.yaml"
    path.write_text(text, "utf-8")
    try:
        check_with_variants(str(path), {}, None)
    except SpecError as error:
        return error.diagnostics
    return []


@cache
def right_specs() -> list[Spec]:
    """Those of the zoo and of the docs that need no other file, and one with every construct of the language."""
    texts = {path.stem: path.read_text("utf-8") for path in zoo.all_files()} | {"own blocks": OWN_BLOCKS}
    for page in PAGES:
        for fence in fences(page):
            if fence.language == "yaml" and fence.kind in ("", "part"):
                texts[str(fence)] = complete(fence.text) if fence.kind == "part" else fence.text
    others = re.compile(r"(?m)^(use|plugins|extends): .*(\.yaml|\.py|my_resnet)")
    specs = [Spec(name, text).read() for name, text in texts.items() if not others.search(text)]
    assert len(specs) > 70
    return specs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("specs")


def judged(count: int, folder: Path) -> None:
    """Looks at what is said of so many mistakes."""
    missed: list[str] = []
    single = suggested = 0
    for spec, mistake in mistakes(right_specs(), count, SEED):
        found = reports(mistake.text, folder)
        is_single = [each.place is not None and each.place.line in mistake.lines for each in found] == [True]
        is_right = is_suggested(mistake, found)
        single, suggested = single + is_single, suggested + is_right
        if not (is_single and is_right):
            said = "\n".join(map(str, found)) or "accepted"
            missed.append(f"{mistake.kind} in {spec.name}, {mistake.what}, lines {sorted(mistake.lines)}:\n{said}")
    report = f"{single} of {count} once and in their place, {suggested} with what was meant\n\n" + "\n\n".join(missed)
    assert single >= ONE_REPORT * count, report
    assert suggested >= RIGHT_SUGGESTION * count, report


def is_suggested(mistake: Mistake, found: list[Diagnostic]) -> bool:
    said = " ".join(f"{each.message} {each.help or ''}" for each in found[:1])
    return bool(found) and (not mistake.wanted or any(word in said for word in mistake.wanted))


def test_some_mistakes(folder: Path) -> None:
    judged(len(KINDS), folder)


@pytest.mark.slow
def test_many_mistakes(folder: Path) -> None:
    assert not [spec.name for spec in right_specs() if reports(spec.text, folder)]
    judged(max(500, 16 * len(KINDS)), folder)


def test_there_are_twenty_kinds_inside_all_that_a_spec_has() -> None:
    places = {(name, each.where) for name, find in KINDS.items() for spec in right_specs() for each in find(spec)}
    assert len({name for name, _ in places}) >= 20
    assert {where for _, where in places} >= {"section", "block", "loop", "defaults", "variant", "slot", "top"}


def test_the_same_mistakes_each_time() -> None:
    first, second = ([mistake.text for _, mistake in mistakes(right_specs(), 40, SEED)] for _ in range(2))
    assert first == second


@given(specs())
@settings(max_examples=40)
def test_nothing_is_said_of_what_is_right(text: str) -> None:
    archbuilder.check("net.yaml", text=text)


@pytest.mark.slow
@given(specs())
@settings(max_examples=1500)
def test_nothing_is_said_of_much_that_is_right(text: str) -> None:
    archbuilder.check("net.yaml", text=text)
