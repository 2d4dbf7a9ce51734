"""What the tests of the command share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from archbuilder.cli import app

GOOD = """\
name: tiny
parameters: {classes: 10}
input: {channels: 3, size: 32}
stem:
  conv1: {block: conv, width: 8, kernel: 3}
stages:
  layer1: {block: basic, width: 8, depth: 2}
head:
  avgpool: global_pool
  fc: {block: linear, width: $classes}
"""

BAD = """\
name: bad
stages:
  layer1: {block: basik, width: 8}
  layer2: {block: basic, widht: 8}
"""

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments, input=None: CliRunner().invoke(app, [str(each) for each in arguments], input=input)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(GOOD, "utf-8")
    return path


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.yaml"
    path.write_text(BAD, "utf-8")
    return path
