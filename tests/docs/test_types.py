"""Type checkers agree with what the documentation shows: mypy and pyright read all Python on the pages and what users say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, fences
from tests.fetched import from_npm

pytestmark = pytest.mark.slow

PYRIGHT = "pyright@1.1.414"
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
built: archbuilder.Network = model
print(model.feature_info.channels(), model.num_classes + 1, model.pretrained_cfg["mean"], model.out_channels + 1)
model.reset_parameters()
model.reset_classifier(3)
classifier: torch.nn.Module = model.get_classifier()
report: archbuilder.Report = archbuilder.load_checkpoint(model, "net.pth", head="new", channels="adapt", partial=True)
keys: list[str] = report.loaded + report.adapted + report.new + report.left_out
archbuilder.save(model, Path("net.safetensors"))
again: archbuilder.Network = archbuilder.build("net.safetensors")
weight: torch.Tensor = model.layer1.conv1.weight
maps = model(torch.rand(1, 3, 32, 64))
others: list[torch.nn.Module] = [
    archbuilder.build({"name": "net", "stages": {"a": "norm"}}),
    archbuilder.build(spec="resnet18"),
    archbuilder.build(Path("net.yaml"), features=["layer1"], channels=1),
    archbuilder.build(text="name: net", features={1: "out"}),
    archbuilder.build(net, features=[0, -1, "layer1"], weights={"a": torch.zeros(1)}),
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


def write_page(page: Path, folder: Path) -> bool:
    """Writes the Python of a page: its files, and the rest as one session. Whether there is any."""
    blocks = [fence for fence in fences(page) if fence.language == "python"]
    folder.mkdir(exist_ok=True)
    for fence in blocks:
        if fence.file is not None:
            (folder / fence.file).write_text(fence.text, "utf-8")
    session = "\n".join(f"# {fence}\n{fence.text}" for fence in blocks if fence.file is None)
    if session:
        (folder / "session.py").write_text(session, "utf-8")
    return bool(blocks)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_python_of_a_page(page: Path, tmp_path: Path) -> None:
    assert not write_page(page, tmp_path) or complaints(tmp_path) == ""


def test_the_examples(tmp_path: Path) -> None:
    for example in (ROOT / "examples").glob("*.py"):
        (tmp_path / example.name).write_text(example.read_text("utf-8"), "utf-8")
    assert complaints(tmp_path) == ""


def test_what_python_may_say(tmp_path: Path) -> None:
    (tmp_path / "face.py").write_text(FACE, "utf-8")
    assert complaints(tmp_path, "--strict") == ""


def test_pyright_too(tmp_path: Path) -> None:
    """All at once: most of its time is its start."""
    for page in PAGES:
        write_page(page, tmp_path / page.stem)
    (tmp_path / "face.py").write_text(FACE, "utf-8")
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    settings = {"venvPath": str(Path(sys.prefix).parent), "venv": Path(sys.prefix).name, "extraPaths": [str(ROOT)]}
    settings["executionEnvironments"] = [{"root": each.name, "extraPaths": [str(ROOT)]} for each in tmp_path.iterdir()]
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings), "utf-8")
    program = ["node", from_npm(PYRIGHT) / "node_modules" / "pyright" / "index.js", "--project", tmp_path]
    run = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
