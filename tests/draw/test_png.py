"""The PNG of a scene: its size, and that something is seen where something stands."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from archbuilder.diagnostics import printable
from archbuilder.draw.options import THEMES, Theme
from archbuilder.draw.outputs import png
from archbuilder.draw.outputs.png import to_png
from archbuilder.draw.scene import Scene, Text
from archbuilder.draw.theme import inks
from tests.draw.scenes import HOSTILE, SMALL, demo, saying


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def color(name: str) -> tuple[int, ...]:
    return tuple(int(name[at : at + 2], 16) for at in (1, 3, 5))


@pytest.mark.parametrize(("dpi", "size"), [(72, (120, 60)), (144, (240, 120)), (192, (320, 160)), (100, (167, 83))])
def test_it_has_so_many_pixels_to_the_inch(dpi: float, size: tuple[int, int]) -> None:
    assert opened(to_png(SMALL, dpi=dpi)).size == size


def test_it_is_drawn_for_fine_screens() -> None:
    assert opened(to_png(SMALL)).size == (320, 160)


def test_a_huge_drawing_has_fewer_pixels_to_the_inch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "MAXIMUM_PIXELS", 10_000)
    width, height = opened(to_png(Scene(2000, 1000, SMALL.shapes))).size
    assert (width, height) == (141, 71)


@pytest.mark.parametrize("theme", THEMES)
def test_texts_are_seen_in_each_theme(theme: Theme) -> None:
    image = opened(to_png(SMALL, theme, dpi=720))
    assert color(inks(theme)["stage text"]) in {image.getpixel((x, 260)) for x in range(150, 650)}


@pytest.mark.parametrize("theme", THEMES)
def test_shapes_stand_where_they_were_placed(theme: Theme) -> None:
    table = inks(theme)
    image = opened(to_png(SMALL, theme, dpi=720))  # ten pixels to the point
    for place, ink in (((10, 590), "ground"), ((200, 150), "stage"), ((1100, 70), "combine"), ((850, 70), "pool")):
        assert image.getpixel(place) == color(table[ink]), ink
    assert image.getpixel((1000, 520)) == color(table["line"])  # the arrow's head
    bar = [image.getpixel((x, 490)) for x in range(110, 490)]
    assert bar.count(color(table["macs"])) > 100  # hatched: as much of it as of the ground, nearly
    assert bar.count(color(table["ground"])) > 50


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:20])
def test_a_text_is_seen_where_it_stands(text: str) -> None:
    image = opened(to_png(saying(text)))
    assert image.size == (320, 160)
    marked = any(character not in " \u0301" for character in printable(text))
    for top, bottom in ((10, 22), (28, 37), (42, 53)):
        shades = image.crop((0, top * 8 // 3, 320, bottom * 8 // 3)).getcolors(100_000)
        assert len(shades or ()) > 1 or not marked, (top, bottom)


def test_only_our_fonts_are_taken(capfd: pytest.CaptureFixture[str]) -> None:
    """A character that they lack is a box, even where the machine has a font for it: a drawing is the same everywhere."""
    drawn = [to_png(Scene(20, 20, (Text(5, 15, character, 10),))) for character in "日本"]
    assert drawn[0] != to_png(Scene(20, 20, ()))
    box, other = (opened(each) for each in drawn)
    assert box.tobytes() == other.tobytes()
    assert capfd.readouterr() == ("", "")


def test_the_whole_demo_is_drawn() -> None:
    shades = opened(to_png(demo(), dpi=96)).getcolors(1_000_000)
    found = {shade for _, shade in shades or ()}
    assert {color(inks("light")[ink]) for ink in ("stem", "stage", "neck", "head", "attention", "training")} <= found
