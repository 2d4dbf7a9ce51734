"""Several networks beside each other: as a table, in Markdown, CSV and JSON, and in LaTeX as papers have it.

With ARCHBUILDER_GOLDEN=write in the environment the expected texts in `golden/` are written anew; read the diff.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

import archbuilder
from archbuilder import Summary
from archbuilder.analysis import side_by_side
from archbuilder.analysis.paper import as_latex
from archbuilder.analysis.records import as_data
from archbuilder.analysis.summary import DEPTHS, Depth

GOLDEN = Path(__file__).parent / "golden"
RESNETS = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]
MIXED = ["resnet50", "convnext_tiny", "densenet121"]


@cache
def summary_of(name: str) -> Summary:
    return archbuilder.summarize(archbuilder.lower(name))


def compared_with_golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("ARCHBUILDER_GOLDEN") == "write":
        path.write_text(f"{text}\n", "utf-8")
    assert f"{text}\n" == path.read_text("utf-8")


def test_the_table() -> None:
    compared_with_golden("side-by-side.txt", side_by_side.as_text([summary_of(name) for name in MIXED], "stage"))


def test_the_table_in_markdown() -> None:
    compared_with_golden("side-by-side.md", side_by_side.as_markdown([summary_of(name) for name in MIXED], "stage"))


def test_the_table_in_latex() -> None:
    compared_with_golden("resnets.tex", as_latex([summary_of(name) for name in RESNETS]))


def test_names_keep_their_order() -> None:
    merged = side_by_side.merged_names([["stem", "a", "b", "head"], ["stem", "x", "b", "y", "head"], ["z", "head"], []])
    assert merged == ["z", "stem", "x", "a", "b", "y", "head"]


@pytest.mark.parametrize("depth", DEPTHS)
def test_json_has_each_network_as_it_is_alone(depth: Depth) -> None:
    found = json.loads(side_by_side.as_json([summary_of(name) for name in MIXED], depth))
    assert found == [json.loads(json.dumps(as_data(summary_of(name), depth))) for name in MIXED]


def test_csv_says_of_each_row_whose_it_is() -> None:
    rows = list(csv.DictReader(io.StringIO(side_by_side.as_csv([summary_of(name) for name in MIXED], "stage"))))
    for name in MIXED:
        own = [row for row in rows if row["network"] == name]
        assert sum(int(row["parameters"]) for row in own) == summary_of(name).parameters


def test_a_narrow_terminal_shortens_what_things_are_and_no_number() -> None:
    text = side_by_side.as_text([summary_of(name) for name in RESNETS], "stage", 78)
    assert max(map(len, text.splitlines())) <= 78
    assert re.search(r"total +11\.7 +21\.8 +25\.6 +44\.5 +60\.2", text)


NAME = '<script>alert("1")</script> \\input{/etc/passwd} %& _^~# |` \\\\ end{document}'


def hostile() -> Summary:
    spec = {"name": f"{NAME}\u202e{'x' * 10_000}", "stages": {"a": {"block": "conv", "kernel": 3, "width": 8}}}
    return archbuilder.summarize(archbuilder.lower(spec))


def test_a_hostile_name_stays_text() -> None:
    networks = [hostile(), summary_of("resnet18")]
    ways = (side_by_side.as_text, side_by_side.as_markdown, side_by_side.as_csv)
    for text in (*(way(networks, "stage") for way in ways), as_latex(networks)):
        assert "\u202e" not in text
    assert "<script>" not in side_by_side.as_markdown(networks, "stage")
    assert max(map(len, side_by_side.as_text(networks, "stage").splitlines())) < 300
    latex = as_latex(networks)
    assert "\\input" not in latex
    assert latex.count("\\end{document}") == 1


def tex(folder: Path, name: str, text: str) -> str:
    """Compiles a document; what a PDF reader finds in it."""
    if shutil.which("pdflatex") is None and shutil.which("apt-get") is not None:
        packages = ["texlive-latex-base", "texlive-latex-recommended", "texlive-latex-extra", "texlive-pictures"]
        subprocess.run(
            ["apt-get", "install", "-y", "--no-install-recommends", *packages], check=True, capture_output=True
        )
    assert shutil.which("pdflatex"), "this test needs pdflatex with standalone: Debian's texlive-latex-extra"
    (folder / f"{name}.tex").write_text(text, "utf-8")
    command = ["pdflatex", "-interaction", "nonstopmode", "-halt-on-error", f"{name}.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    log = done.stdout.decode("latin-1")
    assert done.returncode == 0, log[-2000:]
    return log


@pytest.mark.slow
@pytest.mark.parametrize("names", [RESNETS, MIXED, ["hrnet_w18", "googlenet", "pvt_v2_b0", "seresnet50"]])
def test_latex_compiles_it(tmp_path: Path, names: list[str]) -> None:
    log = tex(tmp_path, "table", as_latex([summary_of(name) for name in names]))
    assert "Overfull" not in log
    assert "(1 page" in log


@pytest.mark.slow
def test_latex_compiles_hostile_names(tmp_path: Path) -> None:
    tex(tmp_path, "hostile", as_latex([hostile(), summary_of("resnet18")]))
