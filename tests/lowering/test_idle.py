"""What has an effect in some setting is no mistake, whichever the setting at hand; what has none in any is told."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from archbuilder import Diagnostic, SpecError, check, dump, load
from archbuilder.cli.options import check_with_variants
from tests.networks import fingerprint


def said(folder: Path, text: str, word: str = "net.yaml", **values: object) -> list[str]:
    """What the command says of a spec in a folder, each as "file:line: message"; with a name, of that spec alone."""
    (folder / "net.yaml").write_text(f"name: net\ninput: {{size: 32}}\n{dedent(text).strip()}\n", "utf-8")
    try:
        check_with_variants(str(folder / word), values, None)
    except SpecError as error:
        return [_in_short(each) for each in error.diagnostics]
    return []


def _in_short(mistake: Diagnostic) -> str:
    assert mistake.place is not None
    file = mistake.place.source.name.rpartition("/")[2]
    return f"{file}:{mistake.place.line - 2 * (file == 'net.yaml')}: {mistake.message}"


# ---- blocks ---------------------------------------------------------------------------------------------------------

NAMED = [
    "blocks: {my: {body: {a: norm}}, you: {extends: my}}\nstages: {a: you}",
    "blocks: {my: {body: {a: norm}}, you: {extends: my}, they: {extends: you}}\nstages: {a: they}",
    "parameters: {n: 2}\nblocks: {my2: {body: [norm]}}\nstages: {a: {block: my$n}}",
    "parameters: {n: 2}\nblocks: {my2: {body: [norm]}, my3: {body: [norm]}}\nstages: {a: {block: my$n}}",
    "blocks: {my0: {body: [norm]}, my1: {body: [norm]}}\nstages: {for i in 2: {a.$i: {block: my$i}}}",
    "parameters: {n: 2}\nblocks: {my2: {body: [norm]}}\nstages: {a: my$n}",
    "parameters: {s: my, n: 2}\nblocks: {my2: {body: [norm]}}\nstages: {a: {block: $s$n}}",
    "parameters: {n: 2, g: my$n}\nblocks: {my2: {body: [norm]}}\nstages: {a: {block: $g}}",
    "parameters: {n: 2}\nblocks: {my_2_x: {body: [norm]}}\nstages: {a: {block: my_$(n)_x, when: false}, b: norm}",
    (
        "parameters: {n: 2}\nblocks: {my2: {parameters: {width: 8, stride: 1}, body: [{block: conv, kernel: 1, width: $width, "
        "stride: $stride}]}}\nstages: {a: {block: basic, width: 8, shortcut: my$n}}"
    ),
]


@pytest.mark.parametrize("text", NAMED)
def test_a_block_is_used_that_a_text_may_come_to_name(text: str, tmp_path: Path) -> None:
    assert not said(tmp_path, text)
    again = load("again.yaml", text=dump(load(tmp_path / "net.yaml")))
    assert fingerprint(check(again).graph) == fingerprint(check(tmp_path / "net.yaml").graph)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("blocks: {my: {body: [norm]}, you: {extends: my}}\nstages: {a: norm}", "you"),
        ("parameters: {n: 2}\nblocks: {my2: {body: [norm]}, m2: {body: [norm]}}\nstages: {a: {block: my$n}}", "m2"),
        ("parameters: {n: norm}\nblocks: {my2: {body: [norm]}}\nstages: {a: {block: $n}}", "my2"),
    ],
)
def test_a_block_that_no_text_can_come_to_name(text: str, name: str, tmp_path: Path) -> None:
    assert [each.partition(": ")[2] for each in said(tmp_path, text)] == [
        f"the block `{name}` has no effect: nothing uses it"
    ]


# ---- names that no expression can speak of ----------------------------------------------------------------------------

WORDS = ["true", "null", "None", "True", "for", "if", "or", "lambda", "class"]


@pytest.mark.parametrize("word", WORDS)
def test_what_expressions_have_a_use_for_is_no_name(word: str, tmp_path: Path) -> None:
    use = f"{{block: basic, width: 8, shortcut: ${word}}}" if word in ("null", "None") else ""
    use = use or f"{{block: conv, kernel: 3, width: 8, bias: ${word}}}"
    parameter = f"parameters: {{'{word}': true}}\nstages: {{a: {use}}}"
    assert said(tmp_path, parameter) == [f"net.yaml:1: a parameter cannot be called `{word}`: `{word}` is a word of expressions"]
    for declared in ("parameters", "let"):
        block = f"blocks: {{my: {{{declared}: {{'{word}': true}}, body: [{use}]}}}}\nstages: {{a: my}}"
        assert said(tmp_path, block) == [f"net.yaml:1: `{word}` is a word of the language"]
    loop = f"stages:\n  for {word} in 3: {{a.${word}: norm}}"
    assert said(tmp_path, loop) == [f"net.yaml:2: `{word}` is a word of the language"]
