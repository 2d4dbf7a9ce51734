"""Texts that are no specs, by chance or with intent: each gives diagnostics or a network, within a second, in little memory,
and nothing else is ever raised."""

# ruff: noqa: RUF001 -- characters that look like others are what is tried here

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn

import archbuilder
from archbuilder import SpecError
from archbuilder.graph.graph import Graph
from archbuilder.language import zoo
from archbuilder.language.arithmetic import FormulaError
from archbuilder.language.formula import Formula
from archbuilder.tasks.checking import Checked
from tests.properties.judge import judge, judged
from tests.properties.test_valid import main_of

HEAD = "name: net\ninput: {channels: 3, size: 16}\n"
GOOD = f"{HEAD}stages: {{a: {{block: bottleneck, width: 16}}}}\n"

OWN_BLOCKS = """\
name: own
parameters: {classes: 10, wide: $(classes + 6)}
input: {channels: 3, size: [17, 33]}
defaults: {activation: silu, norm: {kind: group, groups: 4}, drop_path: {rate: 0.2, schedule: constant}}
blocks:
  gate:
    help: a gate
    parameters: {squeeze: {type: channels, default: "$(max(1, input.channels // 4))"}, kind: {choices: [sigmoid, tanh]}}
    body: [{block: global_pool, keep: true}, {block: conv, width: $squeeze, kernel: 1}, {block: activation, kind: $kind}]
  ladder:
    parameters: {width: channels, parts: {type: int, default: 2, min: 2, max: 8}, between: {type: steps, default: null}}
    let: {part: $(width // parts)}
    register: [acts]
    body:
      conv: {block: conv, width: $width, kernel: [1, 3]}
      split: {block: split, parts: $parts}
      for i in 1 .. parts:
        convs.$i: {block: conv_norm_act, width: $part, from: split.$i}
        acts.$i: activation
      all: {block: concat, from: [split.0, acts.*]}
      between: {body: $between, inline: true}
      out: {block: add, from: [between, conv]}
stem:
  conv1: {block: conv, width: $wide, kernel: 3, stride: [1, 2]}
stages:
  one: {block: ladder, width: 16, depth: 3, names: rung$repeat, between: {drop: {block: dropout, rate: 0.1}}}
  two: {block: basic, width: 16, stride: 2, rename: {downsample: shortcut}, after_last_norm: {se: squeeze_excite}}
  three: {body: {a: norm, b: {block: add, from: [a, input]}}, depth: 2}
neck: [norm, activation, {block: gate, kind: tanh}]
head:
  pool: global_pool
  fc: {block: linear, width: $classes}
features: [one, two]
expect: {output: [10]}
variants: {small: {parameters: {classes: 2}, stages: {three: null, four: {block: norm, after: two}}}}
"""
"""Every construct of the language once, to be broken."""

SPECS = [OWN_BLOCKS, *(path.read_text("utf-8") for path in zoo.all_files())]


def test_what_is_broken_below_is_good() -> None:
    for text in (GOOD, *SPECS):
        assert isinstance(judge(text), Checked)


# ---- texts that are broken with intent ---------------------------------------------------------------------------


def in_stages(step: str) -> str:
    return f"{HEAD}stages: {{a: {step}}}\n"


def in_parts(step: str) -> str:
    """A step behind one that gives three values."""
    return f"{HEAD}stages:\n  parts: {{block: split, parts: 3}}\n  a: {step}\n"


def with_block(definition: str, use: str = "b") -> str:
    return f"{HEAD}blocks: {{b: {definition}}}\nstages: {{a: {use}}}\n"


NOT_A_SPEC = {
    "nothing": "",
    "blank": " \n\n",
    "comment": "# nothing here",
    "scalar": "resnet",
    "list": "[1, 2]",
    "null": "null",
    "two documents": GOOD + "---\n" + GOOD,
    "end of document": "...\n...\n",
    "directive": "%YAML 9.9\n---\n" + GOOD,
    "tag": "!!python/object/apply:os.system ['true']",
    "tag of a value": HEAD + "stages: {a: !!python/name:os.system ''}",
    "own tag": HEAD + "stages: !x {a: norm}",
    "tag of a key": HEAD + "!!str stages: {a: norm}",
    "merge key": "base: &base {stages: {a: norm}}\n" + HEAD + "<<: *base\n",
    "unknown alias": HEAD + "stages: {a: *nowhere}",
    "alias of itself": HEAD + "stages: &s {a: *s}",
    "alias as key": "name: &n net\n*n : 1",
    "map as key": HEAD + "{a: 1}: 2",
    "list as key": HEAD + "? [a]\n: 2",
    "null as key": HEAD + "stages: {? : norm}",
    "tab": HEAD + "stages:\n\ta: norm",
    "NUL": "name: a\0b\nstages: {a: norm}",
    "control characters": HEAD + "stages: {a\x07: norm}",
    "lone surrogate": "name: a\ud800b\nstages: {a: norm}",
    "only a surrogate": "\udfff",
    "byte-order mark inside": HEAD + "stages: {a\ufeff: norm}",
    "40,000 brackets": "name: " + "[" * 40_000,
    "40,000 braces": "{a: " * 40_000,
    "40,000 dashes": "- " * 40_000 + "a",
    "brackets, closed": HEAD + "stages: " + "[" * 20_000 + "]" * 20_000,
    "deep indentation": "".join(" " * depth + f"a{depth}:\n" for depth in range(500)),
    "1e999": in_stages("{block: norm, eps: 1e999}"),
    "minus 1e999": in_stages("{block: norm, eps: -1e999}"),
    "10 ** 5000": in_stages(f"{{block: conv, kernel: 3, width: 1{'0' * 5000}}}"),
    "long float": in_stages(f"{{block: norm, eps: 0.{'1' * 5000}}}"),
    "long hexadecimal": in_stages(f"{{block: conv, kernel: 3, width: 0x{'f' * 5000}}}"),
    "long hexadecimal as a name": f"name: 0x{'f' * 5000}\nstages: {{a: norm}}",
    "long hexadecimal as a key": HEAD + f"stages: {{0x{'f' * 5000}: norm}}",
    "long octal": f"name: net\ninput: {{channels: 0o{'7' * 9000}}}\nstages: {{a: norm}}",
    "not a number": in_stages("{block: norm, eps: .nan}"),
    "infinity": in_stages("{block: norm, eps: .inf}"),
}

WRONG = {
    "too many": GOOD + "#" * 1_100_000,
    "too many in a scalar": HEAD + f"help: {'x' * 1_100_000}",
    "width 2 ** 53": in_stages("{block: conv, kernel: 3, width: 9007199254740993}"),
    "width 0": in_stages("{block: conv, kernel: 3, width: 0}"),
    "width -1": in_stages("{block: conv, kernel: 3, width: -1}"),
    "width true": in_stages("{block: conv, kernel: 3, width: true}"),
    "depth 10 ** 9": in_stages("{block: norm, depth: 1000000000}"),
    "depth computed": in_stages("{block: norm, depth: $(2 ** 40)}"),
    "depth 0": in_stages("{block: norm, depth: 0}"),
    "loop to 10 ** 9": HEAD + "stages:\n  for i in 1000000000: {a$i: norm}",
    "loop over 5000 digits": HEAD + f"stages:\n  ? for i in {'1' * 5000}\n  : {{a$i: norm}}",
    "loop over no digit": HEAD + "stages:\n  for i in ²: {a$i: norm}",
    "loop over nothing": HEAD + "stages:\n  for i in 3:\n",
    "loop over a word": HEAD + "stages:\n  for i in 3: norm\n",
    "loop over a number": HEAD + "stages:\n  for i in 3: 7\n",
    "loop over an expression": HEAD + "stages:\n  for i in 3: $slot\n",
    "loop over a use": HEAD + "stages:\n  for i in 3: {block: norm}\n",
    "loop variable twice": HEAD + "stages:\n  for i in 3:\n    for i in 2: {a$i: norm}\n",
    "loop without a variable": HEAD + "stages:\n  for in 3: {a: norm}\n",
    "malformed key": HEAD + "stages: {conv$: norm}",
    "malformed key, open": HEAD + "stages: {'conv$(': norm}",
    "key is an expression": HEAD + "stages: {$(1 / 0): norm}",
    "key is a shape": HEAD + "stages: {$input: norm}",
    "names malformed": in_stages("{block: norm, depth: 2, names: $(}"),
    "names of a shape": in_stages("{block: norm, depth: 2, names: $input}"),
    "when is a shape": in_stages("{block: norm, when: $input}"),
    "depth is a shape": in_stages("{block: norm, depth: $input}"),
    "block is a shape": in_stages("{block: $input}"),
    "block is a number": in_stages("{block: 5}"),
    "block is a list": in_stages("{block: [norm]}"),
    "body is a shape": in_stages("{body: $input}"),
    "from is a shape": in_stages("{block: norm, from: $input}"),
    "from is empty": in_stages("{block: norm, from: []}"),
    "from is a map": in_stages("{block: norm, from: {a: 1}}"),
    "part ²": in_parts("{block: norm, from: parts.²}"),
    "part ٣": in_parts("{block: norm, from: parts.٣}"),
    "part --1": in_parts("{block: norm, from: parts.--1}"),
    "part -": in_parts("{block: norm, from: parts.-}"),
    "part of 5000 digits": in_parts(f"{{block: norm, from: parts.{'1' * 5000}}}"),
    "second part of a map": in_parts("{block: norm, from: input.1}"),
    "part of a part of a map": in_parts("{block: norm, from: input.0.0}"),
    "activation of parts": in_parts("activation"),
    "dropout of parts": in_parts("dropout"),
    "drop path of parts": in_parts("{block: drop_path, rate: 0.5}"),
    "product of parts": in_parts("{block: multiply, from: [parts, parts]}"),
    "sum of parts": in_parts("{block: add, from: [parts, parts]}"),
    "window inside its margin": in_stages("{block: max_pool, kernel: 3, padding: 2}"),
    "window inside its margin, mean": in_stages("{block: avg_pool, kernel: [1, 3], padding: [1, 1]}"),
    "type is a map": with_block("{parameters: {w: {type: {a: 1}}}, body: [{block: conv, width: $w, kernel: 1}]}"),
    "type is a list of a map": with_block(
        "{parameters: {w: {type: [{a: 1}]}}, body: [{block: conv, width: $w, kernel: 1}]}"
    ),
    "type is a list of lists": with_block(
        '{parameters: {w: {type: [list]}}, body: [{block: conv, width: "$(w[0][0])", kernel: 1}]}',
        "{block: b, w: [[1]]}",
    ),
    "list of blocks": with_block(
        "{parameters: {w: {type: [block]}}, body: [{block: conv, width: $(len(w)), kernel: 1}]}",
        "{block: b, w: [{block: conv}]}",
    ),
    "choices is a number": with_block("{parameters: {w: {choices: 5}}, body: [{block: norm, kind: $w}]}"),
    "choices is a text": with_block("{parameters: {w: {choices: abc}}, body: [{block: norm, kind: $w}]}"),
    "choices of numbers": with_block(
        "{parameters: {w: {type: int, choices: [1, 2]}}, body: [{block: conv, width: $w, kernel: 1}]}",
        "{block: b, w: 3}",
    ),
    "choices of maps": with_block(
        "{parameters: {w: {choices: [{a: 1}]}}, body: [{block: norm, kind: $w}]}", "{block: b, w: x}"
    ),
    "bounds of a text": with_block(
        "{parameters: {w: {type: string, min: 1}}, body: [{block: norm, kind: $w}]}", "{block: b, w: batch}"
    ),
    "bounds of a list": with_block(
        '{parameters: {w: {type: [int], min: 1}}, body: [{block: conv, width: "$(w[0])", kernel: 1}]}',
        "{block: b, w: [0]}",
    ),
    "default of no type": with_block("{parameters: {w: [1]}, body: [norm]}"),
    "default malformed": with_block("{parameters: {w: $(}, body: [{block: conv, width: $w, kernel: 1}]}"),
    "default malformed inside": with_block("{parameters: {w: {type: steps, default: {a: $(}}}, body: {x: {body: $w}}}"),
    "body is a word": with_block("{body: norm}"),
    "body is a number": with_block("{body: 5}"),
    "body is null": with_block("{body: null}"),
    "body is an expression": with_block("{body: $x}"),
    "block is null": with_block("null"),
    "block uses itself": with_block("{body: [b]}"),
    "name of a derived value": with_block(
        '{parameters: {width: channels}, let: {"x: int): pass  #": $(width // 2)}, '
        "body: [{block: conv, width: $(width // 2), kernel: 1}]}",
        "{block: b, width: 8}",
    ),
    "register is a text": in_stages("{block: basic, width: 4, register: conv1}"),
    "rename is a list": in_stages("{block: basic, width: 4, rename: [conv1]}"),
    "rename to nothing": in_stages("{block: basic, width: 4, rename: {conv1: ''}}"),
    "rename to control characters": in_stages('{block: basic, width: 4, rename: {conv1: "\\e[31m"}}'),
    "expect malformed": GOOD + "expect: {layers: $(1 / 0)}",
    "expect is a list": GOOD + "expect: {layers: [1]}",
    "expect is a map": GOOD + "expect: {output: {a: 1}}",
    "features malformed": GOOD + "features: [$(]",
    "features of parts": in_parts("{block: concat, from: parts.*}") + "features: [parts]",
    "one value out of three": HEAD + "stages: {parts: {block: split, parts: 3}}",
    "defaults is a list": GOOD + "defaults: [norm]",
    "parameter is a shape": GOOD + "parameters: {a: $input}",
    "parameter of itself": GOOD + "parameters: {a: $a}",
    "parameter malformed": GOOD + "parameters: {a: $(}",
    "unknown base": "extends: nothing_of_the_kind\n" + GOOD,
    "base with a long name": f"extends: {'a' * 3000}.yaml\n" + GOOD,
    "base with a NUL": 'extends: "a\\0b.yaml"\n' + GOOD,
    "base is a folder": "extends: ./\n" + GOOD,
    "base is a device": "extends: /dev/zero\n" + GOOD,
    "no such variant": GOOD + "default: x",
    "default is a map": GOOD + "default: {a: 1}",
    "default is a list": GOOD + "variants: {x: {}}\ndefault: [x]",
    "variant is a word": GOOD + "variants: {x: y}\ndefault: x",
    "variants is a list": GOOD + "variants: [x]\ndefault: x",
    "name is a list": "name: [a]\nstages: {a: norm}",
    "name is malformed": "name: $(\nstages: {a: norm}",
    "input is a word": "name: net\ninput: 224\nstages: {a: norm}",
    "input of three sizes": "name: net\ninput: {size: [1, 2, 3]}\nstages: {a: norm}",
    "input is too large": "name: net\ninput: {size: 1048577}\nstages: {a: norm}",
    "class is no word": "class: 'import os'\n" + GOOD,
    "more weights than bytes can be counted": in_stages("{block: conv, kernel: 3, width: 9007199254740992}"),
    "wide, deep and large": "name: net\ninput: {channels: 1048576, size: 1048576}\n"
    "stages: {a: {block: conv, kernel: 3, width: 9007199254740992, depth: 10000}, b: {block: basic, width: 1048576}}\n"
    "head: {f: flatten, fc: {block: linear, width: 9007199254740992}}",
    "deep repeats of repeats": HEAD + "blocks:\n  b:\n    parameters: {n: int}\n    body:\n"
    "      more: {block: b, n: $(n - 1), depth: 10000, when: $(n > 0)}\n      conv: {block: conv, kernel: 3}\n"
    "stages: {a: {block: b, n: 12}}",
}

FINE = {
    "byte-order mark": "\ufeff" + GOOD,
    "carriage returns": GOOD.replace("\n", "\r\n"),
    "old Mac": GOOD.replace("\n", "\r"),
    "anchors on everything": "&a name: &b net\n&c input: &d {&e channels: &f 3, &g size: &h 16}\n&i stages: &j {&k x: &l norm}",
    "first part of a map": HEAD + "stages: {a: {block: norm, from: input.0}}",
    "shared step": HEAD + "stages: {a: &s {block: conv, kernel: 3}, b: *s, c: *s}",
    "name of a terminal's command": 'name: "\\e]0;x\\a\\u202e"\nstages: {a: norm}',
    "width 2 ** 24": in_stages("{block: conv, kernel: 3, width: 16777216, depth: 10}"),
}


@pytest.mark.parametrize("text", NOT_A_SPEC.values(), ids=NOT_A_SPEC)
def test_no_spec(text: str) -> None:
    assert isinstance(judge(text), SpecError)


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_wrong(text: str) -> None:
    assert isinstance(judge(text), SpecError)


@pytest.mark.parametrize("text", FINE.values(), ids=FINE)
def test_odd_but_fine(text: str) -> None:
    assert isinstance(judge(text), Checked)


EXPRESSIONS = [
    "2 ** 50 ** 50", "2 ** -1", "2 ** 0.5", "3 ** 3", "2 ** 2 ** 2 ** 2 ** 2", "'a' * 10 ** 9", "10 ** 9 * 'a'",
    "[1] * 10 ** 9",
    "().__class__", "''.join([])", "input.__class__", "input.channels.real", "__import__('os')", "open('x')",
    "lambda: 0",
    "[x for x in input]", "{1: 2}", "{1, 2}", "f'{input}'", "f'{1:>1000000000}'", "(x := 1)", "await x", "yield 1",
    "*input",
    "max(*[1, 2])", "max(key=1)", "max()", "min([])", "max([1, 'a'])", "len(5)", "len(input)", "len()", "log2(0)",
    "log2(-1)",
    "round_to(5, 0)", "round_to(5, 0.5)", "round_to(1, 2, 1e300)", "round_to(1e15, -3)", "floor(1e300)", "round('a')",
    "round(None)",
    "1 / 0", "1 // 0", "1 % 0", "1e308 * 10", "1e-308 / 1e308", "2 ** 50 * 2 ** 50", "9007199254740993", "1e999",
    "-1e999", "1j",
    "b'a'", "...", "1 < 'a'", "'a' < 'b'", "1 in 5", "1 in 'a'", "not", "1 if", "[1, 2][5]", "[1][1.0]", "[1][0:1]",
    "[][0]",
    "input[0]", "input[99999]", "[1, 2][-3]", "((1)", "1))", "'", '"', "\\", "'\\d'", "'\\ud800'", "'\\N{DIGIT ONE}'",
    "1if 1else 1",
    "1 is 1", "()()", "1()", "0x", "0777", "1_0_", "~1", "1 << 99", "1 @ 2", "1 | 2", "ｗidth", "a\0b", "\u202e1", "a;b",
    "here.tokens", "repeat", "$x", "$(1)", "null + 1", "true + true", "-true", "'a' + 'b'", "-'a'", "+null",
    "(" * 190 + "1" + ")" * 190, "-" * 390 + "1", "not " * 95 + "1", "[" * 150 + "]" * 150, "1 if 1 else " * 30 + "1",
    "1" + "+1" * 190, "max(" * 60 + "1" + ")" * 60, "x." * 190 + "x", "(" * 100_000, "-" * 100_000 + "1",
    "1" * 380, "1+" * 500_000 + "1",
]  # fmt: skip


@pytest.mark.parametrize(
    "place",
    [
        in_stages("{block: conv, kernel: 3, width: EXPRESSION}"),
        in_stages("{block: norm, when: EXPRESSION}"),
        f"{HEAD}stages: {{? EXPRESSION : norm}}",
        in_stages("{block: norm, from: EXPRESSION}"),
        with_block("{let: {x: EXPRESSION}, body: [{block: conv, kernel: 3, width: $x}]}"),
        f"{HEAD}stages: {{? 'for i in ' + EXPRESSION : {{a$i: norm}}}}",
    ],
    ids=["width", "when", "name", "from", "let", "loop"],
)
def test_odd_expressions(place: str) -> None:
    for expression in EXPRESSIONS:
        quoted = expression.replace("'", "''")
        judge(place.replace("' + EXPRESSION", f"$({quoted})'").replace("EXPRESSION", f"'$({quoted})'"))


@pytest.mark.parametrize("expression", ["'\\d'", "1if 1else 1", "1 is 1", "()()"])
def test_expression_says_nothing_on_the_side(expression: str) -> None:
    """Python's parser warns of some texts on standard error, in words that are not about specs."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        judge(in_stages("{block: conv, kernel: 3, width: '$(" + expression.replace("'", "''") + ")'}"))
    assert not caught


# ---- files and folders -------------------------------------------------------------------------------------------

BYTES = {
    "UTF-16": GOOD.encode("utf-16"),
    "UTF-16 without a mark": GOOD.encode("utf-16-le"),
    "UTF-32": GOOD.encode("utf-32"),
    "Latin-1": "name: é\nstages: {a: norm}".encode("latin-1"),
    "surrogate": "name: \ud800".encode("utf-8", "surrogatepass"),
    "zeros": bytes(1000),
    "all bytes": bytes(range(256)),
    "a megabyte of brackets": b"[" * 1_100_000,
    "100 MB": b"#" * 100_000_000,
}


@pytest.mark.parametrize("data", BYTES.values(), ids=BYTES)
def test_no_spec_in_a_file(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_bytes(data)
    assert isinstance(judged(lambda: archbuilder.check(path)), SpecError)


@pytest.mark.parametrize("data", [b"\xef\xbb\xbf" + GOOD.encode(), GOOD.replace("\n", "\r\n").encode()])
def test_spec_of_another_editor(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_bytes(data)
    assert isinstance(judged(lambda: archbuilder.check(path)), Checked)


def test_files_that_extend_each_other(tmp_path: Path) -> None:
    for number in range(3):
        text = f"name: net\nextends: ./net{(number + 1) % 3}.yaml\nstages: {{a{number}: norm}}\n"
        (tmp_path / f"net{number}.yaml").write_text(text, "utf-8")
    result = judged(lambda: archbuilder.check(tmp_path / "net0.yaml"))
    assert isinstance(result, SpecError)
    assert [diagnostic.code for diagnostic in result.diagnostics] == ["endless-extends"]


def test_a_long_chain_of_bases(tmp_path: Path) -> None:
    for number in range(100):
        text = f"name: net\nextends: ./net{number + 1}.yaml\nstages: {{a{number}: norm}}\n"
        (tmp_path / f"net{number}.yaml").write_text(text, "utf-8")
    (tmp_path / "net100.yaml").write_text(GOOD, "utf-8")
    assert isinstance(judged(lambda: archbuilder.check(tmp_path / "net0.yaml")), SpecError)
    assert isinstance(judged(lambda: archbuilder.check(tmp_path / "net95.yaml")), Checked)


# ---- texts that would take long, or much memory ------------------------------------------------------------------


def test_worst_texts() -> None:
    """In a process of their own, and there each in one, since running out of memory would end this one."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    root = Path(archbuilder.__file__).parents[1]
    words = [sys.executable, "-m", "tests.properties.worst"]
    done = subprocess.run(words, cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


# ---- texts that are broken by chance -----------------------------------------------------------------------------

TOKENS = re.compile(r"[A-Za-z_][A-Za-z_0-9]*|[0-9][0-9_.]*|\n *| +|.", re.DOTALL)

PIECES = [
        "null", "true", "~", "", "0", "1", "-1", "2", "0.5", "1e999", "1e-320", "9007199254740993", "[]", "{}",
        "[[]]", "{a: 1}", "''",
        '""', "$", "$x", "$(", "$(1 / 0)", "$(input)", "$input", "$(input.channels)", "$repeat", "&a", "*a", "<<",
        "!!python/none",
        "!x", "|", ">", "%", "@", "`", "---", "...", "? ", ": ", ":", "- ", ",", "\t", "\r", "\0", "\u2028", "\ufeff",
        "\u202e", "é", "𝕏",
        "\ud800", "#", "for i in 3", "for i in 1000000000", "block", "body", "from", "when", "else", "identity",
        "depth", "names",
        "inline", "rename", "register", "before", "after", "input", "here", "self", "norm", "conv", "split", "concat",
        "add", "multiply",
        "bottleneck", "res2net", "preact_basic", "squeeze_excite", "conv_norm_act", "global_pool", "linear",
        "flatten", "max_pool",
        "avg_pool", "drop_path", "subsample", "pad_channels", "dropout", "pad", "a.*", "parts.0", "parts.-1", "width",
        "kernel",
        "stride", "padding", "groups", "group_width", "dilation", "shortcut", "parameters", "defaults", "stages",
        "stem", "head",
        "features", "expect", "extends", "variants", "default", "blocks", "let", "class", "name", "[1, 7]", "[0, 0]",
        "10000",
    ]  # fmt: skip
HOSTILE = st.sampled_from(PIECES)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A good spec with a few pieces or lines deleted, doubled, swapped or replaced."""
    text = draw(st.sampled_from(SPECS))
    for _ in range(draw(st.integers(1, 4))):
        in_lines = draw(st.integers(0, 3)) == 0
        pieces = text.splitlines(keepends=True) if in_lines else TOKENS.findall(text)
        if not pieces:
            break
        at = draw(st.integers(0, len(pieces) - 1))
        other = draw(st.integers(0, len(pieces) - 1))
        match draw(st.sampled_from(["delete", "double", "swap", "move", "replace", "insert", "cut"])):
            case "delete":
                del pieces[at]
            case "double":
                pieces.insert(at, pieces[at])
            case "swap":
                pieces[at], pieces[other] = pieces[other], pieces[at]
            case "move":
                pieces.insert(other, pieces.pop(at))
            case "replace":
                pieces[at] = draw(HOSTILE)
            case "insert":
                pieces.insert(at, draw(HOSTILE))
            case "cut":
                del pieces[at:]
        text = "".join(pieces)
    return text


def holds_together(text: str) -> None:
    """A text is refused, or the network that it describes is what the analysis says. Run on the meta device: only shapes."""
    result = judge(text)
    if isinstance(result, SpecError) or not is_small(result.graph):
        return
    source = archbuilder.to_source(result.graph)
    compile(source, "source", "exec")
    with torch.device("meta"):
        module = archbuilder.build(result.architecture).eval()
        output = main_of(module(torch.empty(2, *result.summary.input_shape)))
    assert output.shape[1:] == result.summary.output_shape
    assert {key: tuple(value.shape) for key, value in module.state_dict().items()} == result.summary.state


def is_small(graph: Graph) -> bool:
    """Whether building it would take no time."""
    return modules_in(graph) < 3000 and sum(1 for _ in graph.state()) < 10_000 and max(graph.input) < 5000


def modules_in(graph: Graph) -> int:
    inner = (node.count * (modules_in(node.body) if isinstance(node.body, Graph) else 1) for node in graph.nodes)
    return sum(inner)


@given(mutated())
@settings(max_examples=120)
def test_mutated_spec(text: str) -> None:
    holds_together(text)


@pytest.mark.slow
@given(mutated())
@settings(max_examples=6000)
def test_mutated_spec_often(text: str) -> None:
    holds_together(text)


YAML_PIECES = st.lists(
    st.one_of(
        HOSTILE,
        st.sampled_from(["\n", "\n  ", "\n    ", " ", "a", "name: net", "stages: ", "stem: "]),
        st.text(max_size=5),
    ),
    max_size=40,
).map("".join)


@given(st.one_of(st.text(), YAML_PIECES, st.text().map(lambda text: GOOD + text)))
@example("\ud800")
@example("a: &a *a")
@settings(max_examples=200)
def test_random_text(text: str) -> None:
    judge(text)


@given(st.one_of(st.binary(), st.binary().map(lambda data: GOOD.encode() + data)))
@settings(max_examples=50)
def test_random_bytes_in_a_file(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "random.yaml"
    path.write_bytes(data)
    judged(lambda: archbuilder.check(path))


@given(st.one_of(st.text(max_size=30), st.text("()[]+-*/%<>=!.,'\"12ab \\{}:@~^&|;ifelsenotandor", max_size=40)))
@settings(max_examples=300)
def test_random_expression(text: str) -> None:
    """An expression is malformed, has no value, or has one: nothing else can happen, whatever the names mean."""
    scope = dict(zip("abcdefghi", [1, 0, -1.5, "x", None, True, [], [1, "y"], (2, 3)], strict=True))
    with suppress(FormulaError):  # the only exception that may come out
        Formula(f"$({text})").evaluate(scope)


# ---- a spec made in Python ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", [object(), {1: 2}, {"a": object()}, nn.ReLU, 1j, b"x", {1, 2}, float("nan"), [[[]]], lambda: 0]
)
@pytest.mark.parametrize("key", ["width", "from", "when", "depth", "rename", "block"])
def test_odd_values_from_python(key: str, value: object) -> None:
    """Values that YAML does not have are refused as well, by pydantic's error while the model is made or by ours."""
    step = {"block": "conv", "kernel": 3, key: value}
    with pytest.raises((SpecError, ValueError)):
        archbuilder.lower(archbuilder.Architecture(name="net", stages={"a": step}))
