"""Tables of summaries: what they look like, and that what is printed adds up.

With ARCHBUILDER_GOLDEN=write in the environment the expected texts in `golden/` are written anew; read the diff.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

import archbuilder
from archbuilder.analysis import records, table
from archbuilder.analysis.numbers import in_one_unit, with_unit
from archbuilder.analysis.summary import DEPTHS, Depth, Summary

GOLDEN = Path(__file__).parent / "golden"
NETWORKS = ["resnet50", "cifar_resnet56", "res2net50_26w_4s", "resnet50d", "preact_resnet164"]


@cache
def summary_of(name: str) -> Summary:
    return archbuilder.summarize(archbuilder.lower(name))


@pytest.fixture(scope="module")
def resnet50() -> Summary:
    return summary_of("resnet50")


def columns(width: int | None) -> Callable[[Summary, Depth], str]:
    return lambda summary, depth: table.as_table(summary, depth, width)


@pytest.mark.parametrize(
    ("name", "depth", "write"),
    [
        ("stage.txt", "stage", columns(None)),
        ("stage-120.txt", "stage", columns(120)),
        ("stage-80.txt", "stage", columns(80)),
        ("stage-60.txt", "stage", columns(60)),
        ("block-80.txt", "block", columns(80)),
        ("layer.txt", "layer", columns(None)),
        ("block.md", "block", table.as_markdown),
        ("block.csv", "block", records.as_csv),
        ("stage.json", "stage", records.as_json),
        ("check.txt", "stage", lambda summary, _: table.stage_table(summary)),
    ],
)
def test_looks_as_agreed(name: str, depth: Depth, write: Callable[[Summary, Depth], str], resnet50: Summary) -> None:
    text = write(resnet50, depth) + "\n"
    path = GOLDEN / f"resnet50-{name}"
    if os.environ.get("ARCHBUILDER_GOLDEN") == "write":
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("name", ["resnet50", "res2net50_26w_4s"])
def test_no_line_is_wider_than_the_terminal(name: str, depth: Depth, width: int) -> None:
    lines = table.as_table(summary_of(name), depth, width).splitlines()
    assert max(len(line) for line in lines) <= width


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("name", NETWORKS)
def test_printed_columns_are_in_one_unit_and_add_up_to_the_printed_totals(name: str, depth: Depth) -> None:
    summary = summary_of(name)
    lines = table.as_table(summary, depth, 50).splitlines()
    header = next(line for line in lines if line.startswith("name"))
    body = [
        re.split(r"  +", line.strip())[-2:]
        for line in lines[lines.index(header) + 1 : lines.index("", lines.index(header))]
    ]
    levels = [row.level for row in summary.rows(depth)]
    assert re.search(r" [KM] params +[GM] MACs$", header)
    for column in (0, 1):
        *values, total = (0 if cells[column] in ("–", "<0.001") else float(cells[column]) for cells in body)
        for count in (sum_at(values, levels, 0), sum_of_leaves(values, levels)):
            assert count == pytest.approx(total, rel=0.01)


@pytest.mark.parametrize(
    ("counts", "total", "letter", "texts"),
    [
        ([9_536, 25_557_032], None, "M", [" 0.00954", "25.6    "]),
        ([0, 1, None, 999], None, "", ["–", "1", "?", "999"]),
        ([999, 999_499], 999_499, "K", ["  0.999", "999    "]),
        ([999_500, 100], 1_000_000, "M", ["1.00", "<0.001"]),
        ([1024, 18_272_256], 18_273_280, "M", [" 0.00102", "18.3    "]),
    ],
)  # fmt: skip
def test_a_column_has_one_unit_and_three_figures(
    counts: list[int | None], total: int | None, letter: str, texts: list[str]
) -> None:
    found = in_one_unit(counts, total)
    assert found[0] == letter
    assert [text.strip() for text in found[1]] == [text.strip() for text in texts]
    points = {len(text) - text.index(".") for text in found[1] if "." in text}
    assert len(points) <= 1  # one below the other, where columns are flush right


def numbers(text: str) -> set[str]:
    """The numbers in a table, but for the shares, of which narrow terminals get no tenths."""
    return set(re.findall(r"\d[\d,.]*", re.sub(r"\S+%", "", text)))


@pytest.mark.parametrize("width", [1, 20, 40, 50, 60, 80])
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("name", ["resnet50", "hrnet_w18", "pvt_v1_tiny"])
def test_numbers_are_whole_at_any_width(name: str, depth: Depth, width: int) -> None:
    summary = summary_of(name)
    whole = numbers(table.as_table(summary, depth)) | numbers(table.stage_table(summary))
    assert numbers(table.as_table(summary, depth, width)) <= whole
    assert numbers(table.stage_table(summary, width)) <= whole
    lines = table.as_table(summary, depth, width).splitlines()
    at = next(at for at, line in enumerate(lines) if line.startswith("name"))
    macs = in_one_unit([row.macs for row in summary.rows(depth)], summary.macs)[1]
    shown = lines[at + 1 : at + 1 + len(macs)]
    assert all(text.strip() in line.split() for text, line in zip(macs, shown, strict=True))


def sum_at(values: list[float], levels: list[int], level: int) -> float:
    return sum(value for value, each in zip(values, levels, strict=True) if each == level)


def sum_of_leaves(values: list[float], levels: list[int]) -> float:
    below = [*levels[1:], 0]
    return sum(value for value, level, after in zip(values, levels, below, strict=True) if after <= level)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("name", NETWORKS)
def test_exact_formats_add_up_exactly(name: str, depth: Depth) -> None:
    summary = summary_of(name)
    data = json.loads(records.as_json(summary, depth))
    rows = list(csv.DictReader(io.StringIO(records.as_csv(summary, depth))))
    assert [row["path"] for row in rows] == [row["path"] for row in data["rows"]]
    for count in ("parameters", "buffers", "macs", "activations", "training_memory"):
        assert data[count] == getattr(summary, count)
        levels = [row["level"] for row in data["rows"]]
        for values in ([row[count] for row in data["rows"]], [int(row[count]) for row in rows]):
            assert sum_at(values, levels, 0) == data[count]
            assert sum_of_leaves(values, levels) == data[count]


def counts(name: str, depth: Depth) -> dict[str, tuple[str, int]]:
    rows = json.loads(records.as_json(summary_of(name), depth))["rows"]
    written = list(csv.DictReader(io.StringIO(records.as_csv(summary_of(name), depth))))
    found = {row["path"]: (row["block"], row["count"]) for row in rows}
    assert found == {row["path"]: (row["block"], int(row["count"])) for row in written}
    return found


def test_programs_are_told_what_is_repeated_and_how_often() -> None:
    rows = counts("resnet50", "block")
    assert rows["layer1"] == ("bottleneck", 3)
    assert rows["layer1.0"] == ("bottleneck", 1)
    assert rows["layer1.1–2"] == ("bottleneck", 2)
    assert rows["stem"] == ("conv 7×7/2, max pool 3×3/2", 1)
    assert counts("mobilenet_v2", "stage")["features.5–features.6"] == ("inverted_residual", 2)


def test_repeats_inside_of_repeats_are_counted_once() -> None:
    rows = counts("hrnet_w18", "layer")
    assert rows["stage3"] == rows["stage3.0–3"] == ("hr_module", 4)
    assert rows["stage3.0–3.branches.0"] == rows["stage3.0–3.branches.0.0–3"] == ("basic", 16)
    shown = table.as_table(summary_of("hrnet_w18"), "layer")
    assert "basic ×16" in shown
    assert not re.search(r" ×\d+ ×\d", shown)


def test_markdown_adds_up(resnet50: Summary) -> None:
    lines = [line.split(" | ") for line in table.as_markdown(resnet50, "stage").splitlines() if line.startswith("| ")]
    header, _, *stages, total = lines
    assert (*header[4::2], header[9]) == ("M params", "G MACs", "M acts", "field |", "MB kept")
    for column in (4, 6, 9):
        summed = sum(float(cells[column]) for cells in stages)
        assert summed == pytest.approx(float(total[column].strip("*")), rel=0.01)


def test_says_what_is_counted(resnet50: Summary) -> None:
    counted = "4.09 GMACs (convolutions, linear layers, matrix products; 1 MAC = 2 FLOPs)"
    assert counted in table.as_table(resnet50, "stage")
    assert counted in table.as_markdown(resnet50, "stage")


def test_colours_only_where_asked_for(resnet50: Summary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\033" not in table.as_table(resnet50, "block", 80)
    assert "\033" in table.as_table(resnet50, "block", 80, colour=True)


HOSTILE = """
name: "[red]a\\u202eb[/red] \\x1b]0;x\\x07 | `c` <b>"
blocks:
  "[bold]|x|": {body: {c: {block: conv, width: 4, kernel: 3}}}
stages:
  layer1: {block: "[bold]|x|"}
"""


@pytest.mark.parametrize("depth", DEPTHS)
def test_what_a_spec_says_is_escaped(depth: Depth) -> None:
    try:
        summary = archbuilder.check("hostile.yaml", text=HOSTILE).summary
    except archbuilder.SpecError as error:
        pytest.skip(f"such names are refused: {error.diagnostics[0].message}")
    for text in (
        table.as_table(summary, depth, 80),
        table.as_markdown(summary, depth),
        records.as_csv(summary, depth),
        records.as_json(summary, depth),
        table.stage_table(summary),
        table.in_brief(summary.name, summary),
    ):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert "[bold]|x|" in table.as_table(summary, depth)  # not taken for markup
    assert all(line.count(" | ") == 10 for line in table.as_markdown(summary, depth).splitlines() if line[:2] == "| ")


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (999, "999 MACs"),
        (1000, "1.00 KMACs"),
        (40_551_040, "40.6 MMACs"),
        (11 * 10**12, "11.0 TMACs"),
        (999_500, "1.00 MMACs"),
    ],
)
def test_units(count: int, text: str) -> None:
    assert with_unit(count, "MACs") == text


@pytest.mark.parametrize("width", [40, 44, 50, 60, 80])
def test_stages_in_narrow_terminals_lose_blocks_first(resnet50: Summary, width: int) -> None:
    lines = table.stage_table(resnet50, width).splitlines()
    assert max(map(len, lines)) <= width
    assert lines[0].split() == ["name", *(["block"] if width > 46 else []), "repeats", "inner", "width", "output"]
    for line, row in zip(lines[1:], resnet50.stages, strict=True):
        name, block, *others = table._stage_cells(row)
        words = line.split()
        assert [words[0], *words[-4:]] == [name, *others]
        assert width < 47 or words[1][:4].rstrip("…") == block[:4].rstrip("…")[: len(words[1][:4].rstrip("…"))]


def test_columns_are_aligned_and_cut() -> None:
    text = table.aligned(("a", "number"), [("x", "1"), ("longer", "23")], right=(1,))
    assert text == "a       number\nx            1\nlonger      23"
    assert table.aligned(("a", "b"), [("12", "y" * 20)], width=10, cut=(1,)).splitlines()[1] == "12  yyyyy…"
    assert table.aligned(("a", "b"), [("12", "y" * 20)], width=3, cut=(1,)).splitlines()[1] == "12  yyyy…"


DECODER = """
name: decoder
extends: resnet18
neck:
  deep: {block: conv, width: 64, kernel: 1}
  larger: {block: upsample, factor: 2}
  shallow: {block: conv, from: layer3, width: 64, kernel: 1}
  joined: {block: concat, from: [larger, shallow]}
  finest: {block: avg_pool, from: layer2, kernel: 2, stride: 2}
  all: {block: concat, from: [joined, finest]}
head: {avgpool: global_pool}
"""


def test_a_row_has_all_that_goes_into_it() -> None:
    summary = archbuilder.check("decoder.yaml", text=DECODER).summary
    given = {row.path: str(row.input_shape) for row in summary.rows("block")}
    assert given["neck"] == "512×7×7 + 256×14×14 + 128×28×28"
    assert given["all"] == "128×14×14 + 128×14×14"
    assert given["head"] == given["avgpool"] == "256×14×14"
    assert json.loads(records.as_json(summary, "stage"))["rows"][5]["input"] == [
        [512, 7, 7],
        [256, 14, 14],
        [128, 28, 28],
    ]
    assert "2 of 128×14×14" in table.as_table(summary, "block")
