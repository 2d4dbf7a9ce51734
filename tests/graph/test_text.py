"""A graph as text: what reading it tells of the graph."""

import pytest

from archbuilder.graph.graph import Graph
from archbuilder.graph.op import shown
from archbuilder.graph.shapes import Held, Map
from tests.networks import lowered

PART = """
blocks:
  part:
    parameters: {width: channels, steps: 2, gate: false}
    let: {inner: $(width // 2)}
    body:
      for i in steps: {conv$i: {block: conv, width: $inner, kernel: [3, 1]}}
      gate: {block: activation, kind: sigmoid, when: $gate}
      parts: {block: split, parts: 2}
      joined: {block: concat, from: [parts.1, parts.0]}
      out: {block: conv, width: $width, kernel: 1}
stem: {conv: {block: conv, width: 8, kernel: 3, stride: 2}, drop: {block: drop_path}}
stages: {layer1: {block: part, width: 16, depth: 3}, layer2: {block: part, width: 32, gate: true}}
head: {pool: global_pool, fc: {block: linear, width: 10}}
"""

TEXT = """\
network net: 3×32×32 -> 10
  stem:
    conv: 8×16×16 = conv(input) in_channels=3 out_channels=8 kernel=3 stride=2 padding=1
    drop: 8×16×16 = conv (left out)
  stages:
    layer1: 16×16×16 = layer1(drop)
    layer2: 32×16×16 = part#3(layer1)
  head:
    pool: 32 = global_pool(layer2) kind=avg
    fc: 10 = linear(pool) in_channels=32 out_channels=10
  return fc
  features: layer2 /2

layer1 (list): 8×16×16 -> 16×16×16
  0: 16×16×16 = part#1(input)
  1 … 2 ×2: 16×16×16 = part#2(0)
  return 2

part#1: 8×16×16 -> 16×16×16
  width=16 steps=2 gate=False inner=8
  loops: 2
  conv0: 8×16×16 = conv(input) in_channels=8 out_channels=8 kernel=3×1 padding=1×0  # conv$i, i = 0
  conv1: 8×16×16 = conv(conv0) in_channels=8 out_channels=8 kernel=3×1 padding=1×0  # conv$i, i = 1
  gate: 8×16×16 = conv1 (left out)
  parts: 4×16×16 + 4×16×16 = split(gate) parts=2 dim=1
  joined: 8×16×16 = concat(parts.1, parts.0) dim=1
  out: 16×16×16 = conv(joined) in_channels=8 out_channels=16 kernel=1 padding=0
  return out
"""


def test_the_text_of_a_network() -> None:
    text = str(lowered(PART))
    assert text[: len(TEXT)] == TEXT
    assert text.endswith("out_channels=32 kernel=1 padding=0\n  return out\n")
    assert text.count("\n\n") == 4


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        (
            "stages: {a: {block: streams, from: [input, input]}, b: {block: add, from: a.*}}",
            "    b: 3×32×32 = add(a.0, a.1)",
        ),
        ("stages: {a: norm, b: {inline: true, body: {0: norm, s: {block: add, from: ['0', input]}}}}", "    b:"),
        (
            "stages: {a: {block: norm, when: false, else: identity}, b: norm}",
            "    a: 3×32×32 = input (left out, its place is kept)",
        ),
        (
            "stages: {a: norm, aux: {block: conv, kernel: 1, from: a, output: training}, b: {block: norm, from: a}}",
            "  outputs: aux (in training)",
        ),
        ("stages: {a: {block: conv, kernel: 1, init: {normal: 0.1}}}", " init=(normal, 0.1)"),
        ("stages: {a: {block: conv, kernel: 2, padding: same}}", "kernel=2\n"),
    ],
)
def test_what_else_a_line_says(spec: str, line: str) -> None:
    assert line in str(lowered(spec))


def test_a_name_that_comes_twice_has_a_mark() -> None:
    block = "{body: [{block: norm, when: $(input.channels == 4)}, norm]}"
    text = str(lowered(f"blocks: {{b: {block}}}\nstages: {{a: b}}"))
    assert "  0: 3×32×32 = input (left out)\n  0': 3×32×32 = norm(0) kind=batch channels=3\n  return 0'\n" in text


def test_a_graph_without_a_name() -> None:
    body = lowered("stages: {a: {body: [norm]}}").nodes[0].body
    assert isinstance(body, Graph)
    assert str(body).startswith("graph (list): 3×32×32 -> 3×32×32\n")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((3, 3), "3"),
        ((3, 1), "3×1"),
        (True, "True"),
        (None, "None"),
        (0.5, "0.5"),
        ("a b", "'a b'"),
        (Map(3, 4, 4), "3×4×4"),
        (Held((2,)), "[2]"),
        ([1, "relu"], "(1, relu)"),
        (object(), "..."),
    ],
)
def test_values_are_short(value: object, text: str) -> None:
    assert shown(value) == text
