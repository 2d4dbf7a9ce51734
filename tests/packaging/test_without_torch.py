"""Where torch is not installed, everything but building works, and building says what to install."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]

WITHOUT_TORCH = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "torchinfo", "torchvision", "safetensors"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
import archbuilder
"""

INSTALL = 'pip install "archbuilder-torch[torch]"'


def without_torch(code: str, cwd: Path) -> str:
    """What some Python code prints where torch cannot be imported."""
    environment = {**os.environ, "PYTHONPATH": str(REPO)}
    command = [sys.executable, "-c", WITHOUT_TORCH + code]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_public_name_is_there(tmp_path: Path) -> None:
    code = """
from archbuilder import *
assert issubclass(archbuilder.CheckpointError, ValueError)
print(sorted(set(archbuilder.__all__) - set(globals())))
"""
    assert without_torch(code, tmp_path) == "[]\n"


def test_everything_but_building_works(tmp_path: Path) -> None:
    code = """
graph = archbuilder.lower("resnet18")
print(archbuilder.summarize(graph).parameters, len(archbuilder.render(graph, format="dot")) > 0)
print("class ResNet(nn.Module)" in archbuilder.to_source(graph))
"""
    assert without_torch(code, tmp_path) == "11689512 True\nTrue\n"


@pytest.mark.parametrize(
    "call",
    [
        "build('resnet18')",
        "build('resnet18', features=['layer1'])",
        "block('basic', width=8)",
        "load_checkpoint(None, 'x.pth')",
    ],
)
def test_building_says_what_to_install(tmp_path: Path, call: str) -> None:
    code = f"""
try:
    archbuilder.{call}
except ModuleNotFoundError as error:
    print(error, error.name)
"""
    said = without_torch(code, tmp_path)
    assert "needs torch: " in said
    assert said.endswith(f"{INSTALL} torch\n")
