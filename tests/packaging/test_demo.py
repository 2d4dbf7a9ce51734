"""The first command of the README does what the Makefile says, with the environment there is in the place of a new one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="needs an environment with archbuilder in it")
def test_make_demo(tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(REPO / "examples")
    done_already = f"{sys.prefix}/.torch"  # the stamp of the set-up: `--old-file` takes it as it is, or is not
    command = ["make", f"--file={REPO / 'Makefile'}", "demo", f"VENV={sys.prefix}", f"--old-file={done_already}"]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    environment = {**inherited, "PYTHONPATH": str(REPO)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Installing" not in done.stdout
    assert "resnet50: fine, 25,557,032 parameters" in done.stdout
    assert (tmp_path / "build" / "resnet50.svg").read_bytes().startswith(b"<")
    assert (tmp_path / "build" / "resnet50.png").read_bytes().startswith(b"\x89PNG")
    assert done.stdout.count(" equal\n") == 3
    assert "output 1000 for still-life.png" in done.stdout
