"""Which Graphviz is taken, and what is said where none of them can do it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from archbuilder.draw.engine import DrawingError, lay_out

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are shell scripts")


def script(folder: Path, name: str, body: str) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The folder beside the running Python, and the only one on PATH; both are empty."""
    beside, on_path = tmp_path / "venv", tmp_path / "path"
    for folder in (beside, on_path):
        folder.mkdir()
    monkeypatch.setattr(sys, "executable", str(beside / "python"))
    monkeypatch.setenv("PATH", str(on_path))
    return beside, on_path


def test_the_one_beside_python_comes_first(folders):
    beside, on_path = folders
    script(beside, "graphviz-pure", "echo beside")
    script(on_path, "graphviz-pure", "echo path")
    script(on_path, "dot", "echo dot")
    assert lay_out("digraph {}", "svg") == b"beside\n"


def test_then_comes_path(folders):
    script(folders[1], "graphviz-pure", "echo path")
    script(folders[1], "dot", "echo dot")
    assert lay_out("digraph {}", "svg") == b"path\n"


def test_then_comes_the_system(folders):
    script(folders[1], "dot", 'echo "$@"')
    assert lay_out("digraph {}", "svg") == b"-Kdot -Tsvg\n"
    assert lay_out("digraph {}", "png") == b"-Kdot -Tpng -Gdpi=144\n"


def test_the_system_steps_in_where_the_first_fails(folders):
    script(folders[0], "graphviz-pure", "echo panic >&2; exit 101")
    script(folders[1], "dot", "echo dot")
    assert lay_out("digraph {}", "svg") == b"dot\n"


def test_the_text_goes_in_as_it_is(folders):
    text = 'digraph { "é × $(touch x) `y` \\" " }'
    script(folders[1], "dot", 'while IFS= read -r line || [ -n "$line" ]; do printf \'%s\' "$line"; done')
    assert lay_out(text, "svg").decode() == text


def test_without_any_it_says_what_to_install(folders):
    with pytest.raises(DrawingError, match=r"there is no Graphviz .* `pip install graphviz-pure`.*the format `dot`"):
        lay_out("digraph {}", "svg")


def test_every_failure_is_told(folders):
    script(folders[0], "graphviz-pure", "echo Warning: fonts >&2; echo first line >&2; echo out of luck >&2; exit 3")
    script(folders[1], "dot", "exit 0")
    with pytest.raises(DrawingError) as caught:
        lay_out("digraph {}", "svg")
    assert "graphviz-pure` failed (exit code 3): first line out of luck; " in str(caught.value)
    assert str(caught.value).endswith("dot` failed (exit code 0): it gave nothing")


def test_one_that_hangs_is_given_up(folders):
    script(folders[1], "dot", "while :; do :; done")
    with pytest.raises(DrawingError, match=r"took longer than 0\.2 s"):
        lay_out("digraph {}", "svg", timeout=0.2)


def test_one_that_cannot_run_is_told(folders):
    path = folders[1] / "dot"
    path.write_bytes(b"\x00\x01")
    path.chmod(0o755)
    with pytest.raises(DrawingError, match="cannot be run: Exec format error"):
        lay_out("digraph {}", "svg")
