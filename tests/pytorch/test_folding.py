"""Lines of emitted source that are too long."""

from __future__ import annotations

import ast

import pytest

import archbuilder
from archbuilder.language.networks import network_names
from archbuilder.pytorch.folding import folded
from archbuilder.pytorch.layout import WIDTH
from archbuilder.pytorch.writer import docstring, sentence

LONG = "a" * 24


@pytest.mark.parametrize("name", network_names())
def test_no_line_is_too_long(name: str) -> None:
    assert [line for line in archbuilder.to_source(archbuilder.lower(name)).splitlines() if len(line) > WIDTH] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f"self.conv = nn.Conv2d({LONG}, {LONG}, kernel_size={LONG})",
            ["self.conv = nn.Conv2d(", f"    {LONG}, {LONG}, kernel_size={LONG}", ")"],
        ),
        (
            f"x = call({LONG}, call({LONG}), *({LONG} for _ in range(3)))",
            ["x = call(", f"    {LONG},", f"    call({LONG}),", f"    *({LONG} for _ in range(3)),", ")"],
        ),
        (
            f"    x = call({LONG}) + call({LONG})[0] + call({LONG}, 1)",
            ["    x = (", f"        call({LONG})", f"        + call({LONG})[0]", f"        + call({LONG}, 1)", "    )"],
        ),
        (
            f"return call({LONG}) if self.{LONG} else call({LONG}, 1, 2)",
            ["return (", f"    call({LONG})", f"    if self.{LONG}", f"    else call({LONG}, 1, 2)", ")"],
        ),
        (
            f'[\n    ("a(b, c) + d", Block({LONG}, {LONG}, {LONG})),\n]',
            ["[", '    ("a(b, c) + d", Block(', f"        {LONG}, {LONG}, {LONG}", "    )),", "]"],
        ),
        (
            f"[\n    call({LONG}, {LONG}, 1) for _ in range({LONG})\n]",
            ["[", f"    call({LONG}, {LONG}, 1)", f"    for _ in range({LONG})", "]"],
        ),
        (f'x = "{LONG}, ({LONG}) + {LONG}, {LONG}"', [f'x = "{LONG}, ({LONG}) + {LONG}, {LONG}"']),
        (f'"""\n{LONG}, {LONG}, {LONG}, ({LONG})"""', ['"""', f'{LONG}, {LONG}, {LONG}, ({LONG})"""']),
    ],
)  # fmt: skip
def test_what_is_too_long_is_folded(text: str, expected: list[str]) -> None:
    head = "def f(self):\n    " if "return" in text else ""
    assert folded(text).splitlines() == expected
    assert ast.dump(ast.parse(head + text.strip())) == ast.dump(ast.parse(head + folded(text).strip()))
    assert folded(folded(text)) == folded(text)


def test_a_docstring_is_a_sentence_in_lines_that_fit() -> None:
    text = " ".join(["two words"] * 20)
    lines = docstring(sentence(text), 4).splitlines()
    assert lines[0].startswith('"""Two words')
    assert lines[-1].endswith('words."""')
    assert all(len(line) <= WIDTH - 4 * (number == 0) for number, line in enumerate(lines))
    assert " ".join(ast.literal_eval(docstring(text, 4)).split()) == text
    assert [sentence(each) for each in ("Yes!", "1x1 (fig. 2)", "and so on ...", "über")] == [
        "Yes!", "1x1 (fig. 2).", "And so on ...", "Über.",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ['"""', "\\", 'a\\"""b', '"', "\u202e\x07", "\\N{DIGIT ONE}", "a" * 300])
def test_nothing_ends_a_docstring(text: str) -> None:
    for full in (text, f"{'word ' * 30}{text} {'word ' * 30}{text}"):
        assert " ".join(ast.literal_eval(docstring(full, 4)).split()) == full
