"""A real notebook runs the cells that the page on notebooks shows: what it stores as their outputs."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import archbuilder
from tests.docs.pages import FOLDER, ROOT, Fence, agree, fences

pytestmark = pytest.mark.slow  # starts a kernel, which imports torch

PAGE = FOLDER / "howto" / "notebook.md"
TEXT, TABLE, PICTURE = "text/plain", "text/html", "image/svg+xml"


@pytest.fixture(autouse=True)
def nothing_of_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels read no settings of who runs the tests, and write nothing there."""
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]))


def shown(cells: list[str], folder: Path) -> list[dict[str, Any]]:
    """The data that each cell of a notebook shows in the end; what a kernel sends is what is stored."""
    import nbformat  # here, since the everyday tests have no use for it
    from nbclient import NotebookClient

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    client.execute()
    nbformat.validate(notebook)
    stored = nbformat.reads(nbformat.writes(notebook), as_version=4)
    for cell in stored.cells:
        assert all(output.output_type == "execute_result" for output in cell.outputs), cell.outputs
    return [dict(cell.outputs[-1].data) if cell.outputs else {} for cell in stored.cells]


def examples() -> list[tuple[Fence, Fence]]:
    """The cells of the page, and what stands below each: the text that it shows."""
    page = fences(PAGE)
    return [(cell, below) for cell, below in pairwise(page) if cell.language == "python"]


def said(below: Fence, data: dict[str, Any]) -> bool:
    return agree(below, below.text, data[TEXT])


def test_the_page_shows_what_a_notebook_shows(tmp_path: Path) -> None:
    cells = examples()
    assert len(cells) == 6
    found = shown([cell.text for cell, _ in cells], tmp_path)
    wrong = [f"{below}: {data[TEXT]}" for (_, below), data in zip(cells, found, strict=True) if not said(below, data)]
    assert not wrong, "\n".join(wrong)
    assert [sorted(data) for data in found] == [
        *([PICTURE, TEXT], [PICTURE, TEXT], [TABLE, TEXT], [PICTURE, TEXT]),
        *([TEXT], [TEXT]),  # a model that was changed, an architecture that does not hold
    ]
    assert found[0][PICTURE] == archbuilder.render(archbuilder.lower("resnet50")).decode()
    assert "<pre>net " in found[2][TABLE]
    assert "layer3" in found[3][PICTURE]
    assert "layer4" not in found[3][PICTURE]


def test_ipythons_terminal_shows_a_line_and_draws_nothing(tmp_path: Path) -> None:
    code = """
import archbuilder.notebook
archbuilder.notebook.render = None  # whoever calls it fails
archbuilder.build("resnet18")
"""
    command = [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", "--colors=nocolor", "-c", code]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.stderr == ""
    assert (
        run.stdout.strip()
        == "Out[0]: ResNet(resnet18: 18 layers, 11,689,512 parameters, 1.81 GMACs, 3×224×224 -> 1000)"
    )
