"""What holds for every output of a scene."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from archbuilder.draw.options import THEMES, Theme
from archbuilder.draw.outputs.pdf import to_pdf
from archbuilder.draw.outputs.png import to_png
from archbuilder.draw.outputs.svg import to_svg
from archbuilder.draw.outputs.tikz import to_tikz
from archbuilder.draw.scene import Circle, Line, Polygon, Rectangle, Scene, Shape, Text
from tests.draw.scenes import SMALL, demo

REPO = Path(__file__).parents[2]

Output = Callable[[Scene, Theme], str | bytes]

every_output = pytest.mark.parametrize("output", [to_svg, to_png, to_pdf, to_tikz])
every_theme = pytest.mark.parametrize("theme", THEMES)


@every_theme
@every_output
@pytest.mark.parametrize(
    "shape",
    [
        Rectangle(0, 0, 9, 9, fill="mauve"),
        Rectangle(0, 0, 9, 9, line="mauve"),
        Circle(0, 0, 9, fill="mauve"),
        Polygon(((0, 0), (9, 0), (9, 9)), line="mauve"),
        Line(((0, 0), (9, 0)), ink="mauve"),
        Text(0, 0, "x", 9, ink="mauve"),
    ],
    ids=lambda shape: type(shape).__name__,
)
def test_an_unknown_ink_is_an_error(shape: Shape, output: Output, theme: Theme) -> None:
    with pytest.raises(KeyError, match="mauve"):
        output(Scene(10, 10, (shape,)), theme)


@every_output
def test_the_same_scene_is_the_same_file(output: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    before = output(demo(), "light")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 5000)
    assert output(demo(), "light") == before


@pytest.mark.parametrize("output", [to_png, to_pdf, to_tikz])
def test_what_cannot_ask_its_reader_is_light(output: Output) -> None:
    assert output(SMALL, "auto") == output(SMALL, "light")


@every_output
def test_themes_differ(output: Output) -> None:
    assert len({output(SMALL, theme) for theme in ("light", "dark", "print")}) == 3


@every_output
def test_an_empty_scene_is_drawn(output: Output) -> None:
    assert output(Scene(10, 10, ()), "light")


@every_output
def test_lines_that_lead_nowhere_and_corners_without_room_are_no_matter(output: Output) -> None:
    shapes = (
        Line(()),
        Line(((1, 1),), arrow=True),
        Line(((1, 1), (1, 1)), arrow=True, radius=3),
        Line(((1, 1), (1, 1.5)), arrow=True),
        Line(((0, 0), (5, 0), (0, 0)), radius=9, arrow=True),
        Rectangle(1, 1, 0, 0, fill="macs", hatched=True),
        Rectangle(1, 1, 4, 2, fill="stage", radius=50, hatched=True),
        Rectangle(1, 1, 4, 2),
    )
    assert output(Scene(10, 10, shapes), "light")


@pytest.mark.parametrize(
    ("module", "needed"),
    [
        ("fonts", []),
        ("theme", []),
        ("outputs.svg", []),
        ("outputs.tikz", []),
        ("outputs.png", ["resvg_py"]),
        ("outputs.pdf", ["PIL", "fontTools", "fpdf"]),
    ],
)
def test_a_library_is_imported_only_for_its_format(module: str, needed: list[str]) -> None:
    code = f"""
import sys
import archbuilder.draw.{module}
print([name for name in ("PIL", "fontTools", "fpdf", "resvg_py") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True)
    assert done.stdout == f"{needed}\n"
