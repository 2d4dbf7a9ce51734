"""The receptive field, held against known figures and against gradients: from which pixels one comes to a pixel of the output."""

from __future__ import annotations

import json

import pytest
import torch

import archbuilder
from archbuilder.analysis import records, table
from archbuilder.analysis.receptive import Reach
from archbuilder.graph.ops.combine import Softmax
from tests.networks import HEAD, lowered

BRANCHES = """
  a: {block: conv, kernel: 3}
  b: {block: conv, from: input, kernel: 5}
  c: {block: add, from: [a, b]}"""
BESIDE = """
  a: {block: pad_pixels, above: 3, below: -3}
  b: {block: pad_pixels, from: input, above: -3, below: 3}
  c: {block: add, from: [a, b]}"""
"""What the one sees above, the other sees below."""
UP_AND_DOWN = """
  a: {block: conv, kernel: 3, stride: 2}
  b: {block: upsample, factor: 4}
  c: {block: conv, kernel: 3, stride: 2}
  d: {block: add, from: [c, input]}"""
TOKENS = """
  a: {block: conv, kernel: 3}
  b: to_tokens
  c: {block: linear, width: 4}
  d: to_map
  e: {block: conv, kernel: 3}"""
KNOWN = [
    ("alone", "{a: {block: conv, kernel: 3}}", 3),
    ("chain", "{a: {block: conv, kernel: 3}, b: {block: conv, kernel: 3}}", 5),
    ("stride", "{a: {block: conv, kernel: 3, stride: 2}, b: {block: conv, kernel: 3}}", 7),
    ("stride of a pool", "{a: {block: avg_pool, kernel: 2, stride: 2}, b: {block: conv, kernel: 3}}", 6),
    ("dilation", "{a: {block: conv, kernel: 3, dilation: 2}, b: {block: conv, kernel: 3, dilation: 3}}", 11),
    ("stride before dilation", "{a: {block: avg_pool, kernel: 2, stride: 2}, b: {block: conv, kernel: 3, dilation: 2}}", 10),
    ("sides", "{a: {block: conv, kernel: [1, 5], stride: [1, 2]}, b: {block: conv, kernel: 3}}", (3, 9)),
    ("repeats", "{a: {block: conv, kernel: 3, depth: 7}}", 15),
    ("strided repeats", "{a: {block: basic, width: 8, stride: 2, depth: 3}}", 23),
    ("branches", BRANCHES, 5),
    ("a shortcut that is strided", "{a: {block: basic, width: 8, stride: 2}}", 7),
    ("branches beside each other", BESIDE, (7, 1)),
    ("padding by size", "{a: {block: conv, kernel: 4, stride: 2, padding: same}, b: {block: conv, kernel: 3}}", 8),
    ("subsample", "{a: {block: conv, kernel: 3}, b: {block: subsample, stride: 2}, c: {block: conv, kernel: 3}}", 7),
    ("nearest", "{a: {block: avg_pool, kernel: 2, stride: 2}, b: upsample, c: {block: conv, kernel: 3}}", 4),
    ("nearest, 1 pixel", "{a: {block: avg_pool, kernel: 2, stride: 2}, b: upsample, c: {block: conv, kernel: 1}}", 2),
    ("bilinear", "{a: {block: avg_pool, kernel: 2, stride: 2}, b: {block: upsample, kind: bilinear}}", 4),
    ("bilinear, by 3", "{b: {block: upsample, kind: bilinear, factor: 3}, c: {block: conv, kernel: 3}}", 3),
    ("bicubic", "{b: {block: upsample, kind: bicubic, factor: 2}}", 4),
    ("up and down again", UP_AND_DOWN, 5),
    ("parts", "{a: {block: split, parts: 3}, b: {block: conv, from: a.1, kernel: 3}, c: {block: concat, from: [a.0, b]}}", 3),
    ("tokens", TOKENS, 5),
]  # fmt: skip


def field_by_gradient(text: str) -> tuple[int, int]:
    """From how many pixels a gradient comes to one in the middle of the output, at most, with weights that cancel nothing out."""
    model = archbuilder.build("net", text=text).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.abs_().add_(0.1)
    size = [0, 0]
    x = torch.rand(1, 3, 32, 32, requires_grad=True)
    found = model(x)
    middle = [side // 2 for side in found.shape[2:]]
    for row in range(middle[0] - 2, middle[0] + 2):
        for column in range(middle[1] - 2, middle[1] + 2):
            (gradient,) = torch.autograd.grad(found[0, :, row, column].sum(), x, retain_graph=True)
            seen = gradient[0].abs().sum(0) > 0
            for axis, others in ((0, 1), (1, 0)):
                at = seen.any(others).nonzero()
                size[axis] = max(size[axis], int(at.max() - at.min()) + 1)
    return size[0], size[1]


@pytest.mark.parametrize(("steps", "field"), [each[1:] for each in KNOWN], ids=[each[0] for each in KNOWN])
def test_a_field_is_what_gradients_come_from(steps: str, field: int | tuple[int, int]) -> None:
    text = f"{HEAD}stages: {steps}"
    summary = archbuilder.summarize(lowered(text))
    assert summary.receptive_field == field
    assert field_by_gradient(text) == (field if isinstance(field, tuple) else (field, field))


UP = "block: upsample, align_corners: true, kind:"


def smaller(factor: int, steps: str) -> str:
    """Steps behind a map that is so many times smaller, each pixel a mean of its own."""
    return f"{{a: {{block: avg_pool, kernel: {factor}, stride: {factor}, padding: 0}}, {steps}}}"


ALIGNED = [
    ("by 3", smaller(3, f"b: {{{UP} bilinear, factor: 3}}, c: {{block: conv, width: 2, kernel: 3, stride: 3}}"), 9),
    ("by 4", smaller(4, f"b: {{{UP} bilinear, factor: 4}}, c: {{block: conv, width: 2, kernel: 3, stride: 4}}"), 12),
    ("bicubic", smaller(3, f"b: {{{UP} bicubic, factor: 3}}, c: {{block: conv, width: 2, kernel: 3, stride: 3}}"), 15),
    ("by 2", smaller(2, f"b: {{{UP} bilinear}}, c: {{block: conv, kernel: 2, stride: 2, padding: 0}}"), 6),
    ("by 2, a pixel on", smaller(2, f"b: {{{UP} bilinear}}, c: {{block: conv, kernel: 2, stride: 2, padding: 1}}"), 4),
    ("sides", smaller(6, f"b: {{{UP} bilinear, factor: [3, 1]}}, c: {{block: conv, kernel: [3, 1], stride: [3, 1]}}"), (18, 6)),
    ("alone", f"{{b: {{{UP} bilinear}}}}", 2),
    ("after each other", smaller(6, f"b: {{{UP} bilinear, factor: 3}}, c: {{block: conv, kernel: 3}}, d: {{{UP} bilinear}}"), 18),
    ("beside itself", smaller(3, f"b: {{{UP} bilinear, factor: 3}}, c: {{block: basic, width: 3}}"), 12),
    ("beside what was before", f"""
  a: {{block: conv, kernel: 3}}
  b: {{block: avg_pool, kernel: 3, stride: 3, padding: 0}}
  c: {{{UP} bilinear, factor: 3}}
  d: {{block: add, from: [a, c]}}
  e: {{block: conv, width: 2, kernel: 3, stride: 3}}""", 11),
]  # fmt: skip
"""Where corners are aligned, pixels drift: no two parts of a map see alike, and a small map may have no place that sees most."""


def field_anywhere(text: str) -> tuple[int, int]:
    """From how many pixels along each axis a gradient comes to a row or a column of the output, at most."""
    model = archbuilder.build("net", text=text).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.abs_().add_(0.1)
    height, width = archbuilder.check("net", text=text).graph.input[1:]
    x = torch.rand(1, 3, height, width, dtype=torch.float64, requires_grad=True)
    found, size = model(x), [0, 0]
    for axis in (0, 1):
        for line in found.sum(3 - axis).sum((0, 1)):
            (gradient,) = torch.autograd.grad(line, x, retain_graph=True)
            at = (gradient[0].abs().sum((0, 2 - axis)) > 1e-12).nonzero()
            size[axis] = max(size[axis], int(at.max() - at.min()) + 1)
    return size[0], size[1]


@pytest.mark.parametrize(("steps", "field"), [each[1:] for each in ALIGNED], ids=[each[0] for each in ALIGNED])
def test_a_field_behind_aligned_corners_is_that_of_the_place_that_sees_most(
    steps: str, field: int | tuple[int, int]
) -> None:
    for size in ("48", "[60, 96]", "12"):
        text = f"name: net\ninput: {{channels: 3, size: {size}}}\nstages: {steps}"
        assert archbuilder.summarize(lowered(text)).receptive_field == field
        found, most = field_anywhere(text), field if isinstance(field, tuple) else (field, field)
        assert found == most if size != "12" else max(found) <= max(most)


@pytest.mark.parametrize(
    ("name", "stages", "field"),
    [
        ("resnet50", [11, 35, 91, 267, 427, "all"], 427),
        ("vgg16_bn", [6, 16, 44, 100, 212, "all"], 212),
        ("resnet18", [11, 43, 99, 211, 435, "all"], 435),
        ("seresnet50", [11, "all", "all", "all", "all", "all"], "all"),  # gates are made of whole maps
    ],
)
def test_fields_of_known_networks(name: str, stages: list[int | str], field: int | str) -> None:
    summary = archbuilder.check(name).summary
    assert [row.receptive_field for row in summary.rows()] == stages
    assert summary.receptive_field == field


def test_dilation_keeps_the_field_of_the_stride_that_it_stands_for() -> None:
    usual, dilated = (archbuilder.check("resnet50", {"output_stride": each}).summary for each in (32, 8))
    assert dilated.receptive_field == usual.receptive_field == 427


def test_a_row_has_the_field_of_its_last_repeat() -> None:
    rows = {row.path: row.receptive_field for row in archbuilder.check("resnet50").summary.rows("layer")}
    assert [rows[f"layer1.{each}"] for each in ("0", "0.conv1", "0.conv2", "1–2", "1–2.conv1", "1–2.conv2")] == [
        19,
        11,
        19,
        35,
        27,
        35,
    ]


WHOLE = "stages: {a: {block: conv, kernel: 3}, b: {block: global_pool, keep: true}, c: {block: multiply, from: [a, b]}}"
ATTENDED = "stages: {a: to_tokens, b: {block: attention, from: [a, a, a]}, c: to_map}"


@pytest.mark.parametrize("text", [WHOLE, ATTENDED])
def test_what_sees_the_whole_map(text: str) -> None:
    summary = archbuilder.summarize(lowered(text))
    assert summary.receptive_field == "all"
    assert "field        the whole input is seen at the output" in str(summary)


def test_what_an_op_does_not_say_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Softmax, "is_known", False)
    text = "stages: {a: {block: softmax, from: [input, input]}, b: {block: add, from: [a.0, a.1]}}"
    summary = archbuilder.summarize(lowered(text))
    assert summary.receptive_field is None
    assert "field        not known" in str(summary)
    assert " ?" in table.as_table(summary, "block").splitlines()[3]
    assert json.loads(records.as_json(summary, "stage"))["rows"][0]["receptive_field"] is None


def test_patterns_that_are_too_long_are_not_known() -> None:
    steps = ", ".join(f"up{each}: {{block: upsample, factor: 2}}" for each in range(11))
    summary = archbuilder.summarize(lowered(f"name: net\ninput: {{channels: 1, size: 1}}\nstages: {{{steps}}}"))
    assert [row.receptive_field for row in summary.rows()] == [1] * 10 + [None]


def test_a_field_is_that_of_the_network_whatever_the_size_of_its_input() -> None:
    for size in (32, 64, 225):
        summary = archbuilder.summarize(archbuilder.lower("resnet50", (3, size, size)))
        assert [row.receptive_field for row in summary.rows()] == [11, 35, 91, 267, 427, "all"]


def test_reaches_follow_each_other_exactly() -> None:
    pair = Reach(((0, 0), (0, 0)), 1)  # every pixel twice
    three = Reach(((-1, 1),), 1)
    assert three.behind(pair) == Reach(((-1, 0), (0, 1)), 1)
    assert pair.behind(three) == Reach(((-1, 1), (-1, 1)), 1)
    assert Reach(((0, 1),), 2).behind(pair) == Reach(((0, 0),), 1)
    assert three.with_other(Reach(((0, 4),), 1)) == Reach(((-1, 4),), 1)
    assert three.with_other(Reach(((0, 4),), 2)) is None
