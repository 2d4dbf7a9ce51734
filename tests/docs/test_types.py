"""Type checkers agree with what the documentation shows: mypy reads all Python on the pages, and what a user may say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, fences

pytestmark = pytest.mark.slow

CONFIGURATION = "[mypy]\n[mypy-sklearn.*]\nignore_missing_imports = True\n"  # scikit-learn says nothing of its types

FACE = """
from pathlib import Path

import archbuilder
import torch

net = archbuilder.Architecture(
    name="net",
    input={"channels": 3, "size": [32, 64]},
    parameters={"classes": 10},
    stages={"layer1": {"block": "basic", "width": 16}},
    head={"pool": "global_pool"},
    expect={"layers": 2},
)
model = archbuilder.build(net, classes=10, features={"layer1": "out"})
for info in model.feature_info:
    print(info["num_chs"] + 1, info["reduction"], info["module"])
named: str = model.spec.name
weight: torch.Tensor = model.layer1.conv1.weight
maps = model(torch.rand(1, 3, 32, 64))
others: list[torch.nn.Module] = [
    archbuilder.build({"name": "net", "stages": {"a": "norm"}}),
    archbuilder.build(spec="resnet18"),
    archbuilder.build(Path("net.yaml"), features=["layer1"], channels=1),
    archbuilder.build(text="name: net"),
    archbuilder.block("basic", width=64),
]
loaded: archbuilder.Architecture = archbuilder.load(text="name: net", classes=3)
checked: archbuilder.Checked = archbuilder.check(loaded, {"classes": 10}, (3, 32, 32))
summary: archbuilder.Summary = archbuilder.summarize(archbuilder.lower(loaded))
print(f"{summary.parameters:,}", summary.macs is None or summary.macs > 0, summary.rows("block")[0].path)
drawing: bytes = archbuilder.render(checked.graph, format="svg", depth="stage")
entries: list[archbuilder.Entry] = archbuilder.catalogue()
"""


def complaints(folder: Path, *flags: str) -> str:
    """What mypy says of the files in a folder."""
    (folder / "mypy.ini").write_text(CONFIGURATION, "utf-8")
    words = [
        sys.executable,
        "-m",
        "mypy",
        "--config-file",
        "mypy.ini",
        "--cache-dir",
        str(ROOT / ".mypy_cache"),
        *flags,
    ]
    files = sorted(path.name for path in folder.glob("*.py"))
    environment = {**os.environ, "MYPYPATH": str(ROOT)}
    run = subprocess.run([*words, *files], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return "" if run.returncode == 0 else run.stdout + run.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_python_of_a_page(page: Path, tmp_path: Path) -> None:
    blocks = [fence for fence in fences(page) if fence.language == "python"]
    for fence in blocks:
        if fence.file is not None:
            (tmp_path / fence.file).write_text(fence.text, "utf-8")
    session = "\n".join(f"# {fence}\n{fence.text}" for fence in blocks if fence.file is None)
    if session:
        (tmp_path / "session.py").write_text(session, "utf-8")
    assert not blocks or complaints(tmp_path) == ""


def test_the_examples(tmp_path: Path) -> None:
    for example in (ROOT / "examples").glob("*.py"):
        (tmp_path / example.name).write_text(example.read_text("utf-8"), "utf-8")
    assert complaints(tmp_path) == ""


def test_what_python_may_say(tmp_path: Path) -> None:
    (tmp_path / "face.py").write_text(FACE, "utf-8")
    assert complaints(tmp_path, "--strict") == ""
