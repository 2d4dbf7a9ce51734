"""The reference is up to date, and leaves nothing out; the page on the language knows all its words."""

import inspect
import re
import subprocess
import sys
from typing import Any

import pytest
from pydantic import BaseModel

import archbuilder
from archbuilder.cli import app
from archbuilder.graph.table import OPS
from archbuilder.language.arithmetic import FUNCTIONS
from archbuilder.language.models import Architecture, Expect, Input, Reference, Step
from archbuilder.language.networks import network_names
from archbuilder.lowering.library import shipped_names
from archbuilder.parameters import INITIALISATIONS, SCALED_INITIALISATIONS, TYPES
from tests.docs.pages import FOLDER, ROOT, environment, fences

REFERENCE = FOLDER / "reference"


def headings(page: str) -> set[str]:
    return set(re.findall(r"(?m)^## (.+)$", (REFERENCE / page).read_text("utf-8")))


def test_is_what_would_be_written_today() -> None:
    words = [sys.executable, str(FOLDER / "generate.py"), "--check"]
    run = subprocess.run(words, env=environment(), capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_lists_every_block_and_op() -> None:
    assert headings("blocks.md") == set(shipped_names())
    assert headings("ops.md") == set(OPS)


def test_lists_every_network() -> None:
    listed = re.findall(r"(?m)^\| \[(\w+)\]", (REFERENCE / "zoo.md").read_text("utf-8"))
    assert sorted(listed) == network_names()


def test_lists_every_command() -> None:
    commands = {each.name or getattr(each.callback, "__name__", "") for each in app.registered_commands}
    assert headings("command.md") == commands


def test_lists_every_public_name() -> None:
    assert headings("python.md") == set(archbuilder.__all__)


def parameters(signature: inspect.Signature) -> list[tuple[str, object]]:
    return [(each.name, each.kind) for each in signature.parameters.values() if each.name != "self"]


def test_signatures_can_be_called_as_they_stand_there() -> None:
    """Written as a function, each has the parameters of the real one, of the same kinds: stars and slashes among them."""
    page = (REFERENCE / "python.md").read_text("utf-8")
    functions = [name for name in archbuilder.__all__ if inspect.isfunction(getattr(archbuilder, name))]
    assert functions
    for name in functions:
        shown = re.search(rf"(?s)^## {name}\n+```text\n{name}(\(.*?\)) -> [^\n]+\n```", page, re.MULTILINE)
        assert shown, name
        made: dict[str, Any] = {}
        exec(f"from __future__ import annotations\ndef {name}{shown[1]}: ...", made)
        assert parameters(inspect.signature(made[name])) == parameters(inspect.signature(getattr(archbuilder, name)))


def words() -> list[str]:
    models: list[type[BaseModel]] = [Architecture, Expect, Input, Reference]
    fields = [info.alias or name for model in models for name, info in model.model_fields.items()]
    return sorted({*fields, *Step.KEYS, *TYPES, *FUNCTIONS, *INITIALISATIONS, *SCALED_INITIALISATIONS} - {"list"})


@pytest.mark.parametrize("word", words())
def test_the_language_explains_every_word(word: str) -> None:
    assert re.search(rf"`[^`\n]*\b{word}\b[^`\n]*`", (FOLDER / "language.md").read_text("utf-8"))


def test_examples_on_pages_are_those_in_the_folder() -> None:
    shown = {fence.file: fence for page in FOLDER.rglob("*.md") for fence in fences(page) if fence.file}
    for path in sorted((ROOT / "examples").glob("*.yaml")):
        if path.name in shown:
            assert path.read_text("utf-8") == shown[path.name].text, f"{path.name} differs from {shown[path.name]}"


def test_reads_as_words_and_not_as_python_prints_objects() -> None:
    for path in REFERENCE.glob("*.md"):
        text = re.sub(r"(?ms)^```.*?^```", "...", path.read_text("utf-8"))
        assert re.findall(r"\b[A-Z]\w+\([a-z_]+=(?!\"tiny\")", text) == []  # but for the one example of an Architecture
        assert "dataclass" not in text
        assert "\n\n\n" not in text
