"""What the tests of plugins share: files of Python in a folder of their own, forgotten after each test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from archbuilder import load_plugin
from archbuilder.plugin.registry import REGISTRY

START = """\
from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import BaseModel, Field, model_validator

from archbuilder.plugin import (
    Block, Builder, Channels, Construct, Expression, Map, Op, OpError, Parameter, Size, Streams, Tensor, Tokens, Value, Vector,
    block, module, op,
)

"""
"""The first lines of every plugin here; line 1 of a test's own text is the line behind them."""

Load = Callable[..., Path]


@pytest.fixture(autouse=True)
def forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Runs a test in a folder of its own, and forgets the plugins that it has loaded."""
    monkeypatch.chdir(tmp_path)
    entries, files, path, modules = dict(REGISTRY.entries), dict(REGISTRY.files), list(sys.path), set(sys.modules)
    yield
    REGISTRY.entries, REGISTRY.files = entries, files
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def write(tmp_path: Path) -> Load:
    """Writes a plugin."""

    def writer(text: str, name: str = "my_blocks.py", start: str = START) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(start + dedent(text).lstrip("\n"), "utf-8")
        return path

    return writer


@pytest.fixture
def load(write: Load) -> Load:
    """Writes a plugin and loads it."""

    def loader(text: str, name: str = "my_blocks.py", start: str = START) -> Path:
        path = write(text, name, start)
        load_plugin(path)
        return path

    return loader
