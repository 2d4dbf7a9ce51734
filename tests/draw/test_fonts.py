"""How wide texts are, and what of them is shown."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from archbuilder.diagnostics import printable
from archbuilder.draw.fonts import BOLD, FOLDER, REGULAR, clipped, table_of, width
from tests.draw.scenes import HOSTILE

REPO = Path(__file__).parents[2]


@pytest.mark.parametrize("font", [REGULAR, BOLD], ids=lambda font: font.stem)
def test_the_tables_say_what_the_fonts_say(font: Path) -> None:
    table = runpy.run_path(str(REPO / "docs" / "widths.py"))["table"]
    assert table_of(font).read_text("ascii") == table(font), "run python docs/widths.py"


def test_the_licence_lies_beside_the_fonts() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {
        "LICENSE",
        *(path.name for font in (REGULAR, BOLD) for path in (font, table_of(font))),
    }
    assert "SIL OPEN FONT LICENSE Version 1.1" in (FOLDER / "LICENSE").read_text()


@pytest.mark.parametrize(
    ("text", "regular", "bold"),
    [
        ("", 0, 0),
        (" ", 2.78, 2.78),
        ("Arial", 20.0, 22.23),
        ("iW", 11.66, 12.22),
        ("×→·²…–", 38.06, 38.06),
        ("é", 5.56, 5.56),
        ("e\u0301", 5.56, 5.56),  # what stands above a letter needs no room
        ("日本", 20, 20),  # what the font has not takes a square
        ("🙂", 10, 10),
    ],
)
def test_a_text_is_as_wide_as_in_arial(text: str, regular: float, bold: float) -> None:
    assert width(text, 10) == pytest.approx(regular, abs=0.01)
    assert width(text, 10, bold=True) == pytest.approx(bold, abs=0.01)
    assert width(text, 20) == pytest.approx(2 * width(text, 10))


def test_what_is_measured_is_what_is_shown() -> None:
    assert width("a\0", 10) == width("a\\u0000", 10)
    assert width("\u202e", 10) == width("\\u202e", 10)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:20])
@pytest.mark.parametrize("room", [0, 5, 10, 30, 200, 1e6])
@pytest.mark.parametrize("bold", [False, True])
def test_a_text_is_clipped_to_its_room(text: str, room: float, bold: bool) -> None:
    shown = printable(text)
    found = clipped(text, 10, room, bold=bold)
    if width(text, 10, bold=bold) <= room:
        assert found == shown
    else:
        assert found.endswith("…")
        assert shown.startswith(found[:-1])
        assert found == "…" or width(found, 10, bold=bold) <= room


def test_as_much_is_left_as_there_is_room_for() -> None:
    assert clipped("Hello, World", 10, 100) == "Hello, World"
    assert clipped("Hello, World", 10, width("Hello, World", 10)) == "Hello, World"
    assert clipped("Hello, World", 10, width("Hello…", 10)) == "Hello…"
    assert clipped("Hello, World", 10, width("Hello, …", 10)) == "Hello,…"


def test_measuring_needs_no_library() -> None:
    code = """
import sys, archbuilder.draw
before = set(sys.modules)
from archbuilder.draw.fonts import width
assert width("abc", 10) > 0
print([name for name in ("fontTools", "fpdf", "resvg_py", "PIL", "json") if name in sys.modules.keys() - before])
"""
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True).stdout == "[]\n"
