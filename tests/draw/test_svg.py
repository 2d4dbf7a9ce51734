"""The SVG of a scene: compared as a whole once, then read back."""

from __future__ import annotations

import os
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archbuilder.diagnostics import printable
from archbuilder.draw.fonts import width
from archbuilder.draw.options import THEMES, Theme
from archbuilder.draw.outputs.svg import to_svg
from archbuilder.draw.scene import Circle, Line, Part, Rectangle, Scene, Text
from archbuilder.draw.theme import inks
from tests.draw.scenes import HOSTILE, SMALL, demo, saying

GOLDEN = Path(__file__).parent / "golden"
SPACE = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("theme", ["light", "auto"])
def test_a_small_scene_as_a_whole(theme: Theme) -> None:
    expected = GOLDEN / f"small-{theme}.svg"
    if os.environ.get("ARCHBUILDER_GOLDEN") == "write":
        expected.write_text(to_svg(SMALL, theme), "utf-8")
    assert to_svg(SMALL, theme) == expected.read_text("utf-8")


def drawn(scene: Scene, theme: Theme = "light") -> ET.Element:
    """The root of a scene's SVG, which holds what is known, and nothing that acts or loads."""
    root = ET.fromstring(to_svg(scene, theme))
    names = {"svg", "title", "desc", "style", "pattern", "g", "rect", "circle", "path", "text"}
    assert {element.tag.removeprefix(SPACE) for element in root.iter()} <= names
    attributes = {key for element in root.iter() for key in element.attrib}
    assert not [key for key in attributes if key.startswith("on") or key.endswith("href") or key == "style"]
    return root


@pytest.mark.parametrize("theme", THEMES)
def test_it_says_how_large_it_is_and_what_it_shows(theme: Theme) -> None:
    root = drawn(SMALL, theme)
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == ("120pt", "60pt", "0 0 120 60")
    assert root.get("role") == "img"
    by_name = {element.get("id"): element.text for element in root}
    assert [by_name[name] for name in root.get("aria-labelledby", "").split()] == ["small", "One box."]


def test_what_is_not_said_is_not_named() -> None:
    root = drawn(Scene(10, 10, ()))
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") is None
    assert [element.tag for element in root] == [f"{SPACE}rect"]


def test_a_drawing_can_be_read_back() -> None:
    inner = Part((Circle(5, 5, 2, fill="pool"),), title="inner", facts=(("sum-of", "a & b"),))
    outer = Part((inner, Text(1, 9, "c", 5)), title="outer", facts=(("box", '"<x>"'), ("count", "3")))
    (group,) = drawn(Scene(10, 10, (outer,))).findall(f"{SPACE}g")
    assert (group.get("data-box"), group.get("data-count")) == ('"<x>"', "3")
    assert [child.tag.removeprefix(SPACE) for child in group] == ["title", "g", "text"]
    assert [child.text for child in group.iter(f"{SPACE}title")] == ["outer", "inner"]
    assert group[1].get("data-sum-of") == "a & b"


@pytest.mark.parametrize("key", ["", "From", "from to", "x='1' onload", "-a", "a-", "1a", "é", "a:b", "a\n"])
def test_a_fact_with_a_name_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="a part has a fact named"):
        to_svg(Scene(10, 10, (Part((), facts=((key, "x"),)),)))


def test_a_fact_is_said_once() -> None:
    with pytest.raises(ValueError, match="a part has a fact named 'a'"):
        to_svg(Scene(10, 10, (Part((), facts=(("a", "1"), ("a", "2"))),)))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:20])
def test_a_hostile_text_is_only_text(text: str, theme: Theme) -> None:
    check(text, theme)


@settings(max_examples=100)
@given(st.text(max_size=30), st.sampled_from(THEMES))
def test_no_text_is_more_than_text(text: str, theme: Theme) -> None:
    check(text, theme)


def check(text: str, theme: Theme) -> None:
    root = drawn(saying(text), theme)
    shown = printable(text)
    assert [element.text for element in root.iter(f"{SPACE}text")] == [shown] * (3 if shown.strip() else 0)
    assert [element.text for element in root.iter(f"{SPACE}title")] == [shown] * (2 if shown else 0)
    assert [element.text for element in root.iter(f"{SPACE}desc")] == [shown] * bool(shown)
    (group,) = root.iter(f"{SPACE}g")
    assert group.attrib == {"data-said": shown}
    for element in root.iter(f"{SPACE}text"):
        size, bold = float(element.get("font-size", "")), element.get("font-weight") == "bold"
        length = float(element.get("textLength", "0"))
        assert length == pytest.approx(width(text, size, bold=bold), abs=0.01)
    # But for what a text says itself, a drawing is the same.
    plain = drawn(saying("plain"), theme)
    if shown.strip():
        assert [element.tag for element in root.iter()] == [element.tag for element in plain.iter()]


@pytest.mark.parametrize("theme", THEMES)
def test_numbers_are_short(theme: Theme) -> None:
    scene = Scene(100 / 3, 200 / 3, (Line(((1 / 3, 1e-9), (-1e-9, 2 / 3), (30, 30)), radius=1 / 7, width=1 / 3),))
    attributes = (value for element in drawn(scene, theme).iter() for value in element.attrib.values())
    numbers = [number for value in attributes for number in re.findall(r"-?\d+\.\d+|-0\b", value)]
    assert "33.33" in numbers
    assert all(re.fullmatch(r"-?\d+\.\d{1,2}", number) for number in numbers)


def test_it_is_the_same_each_time() -> None:
    assert to_svg(demo()) == to_svg(demo())


def test_two_drawings_in_a_page_do_not_meet() -> None:
    """A page looks up names and styles in all of it: a drawing's own begin with a name that it has alone."""
    found = [to_svg(scene, theme) for scene in (SMALL, demo()) for theme in THEMES]
    names = [set(re.findall(r'\bid="([^"]*)"', svg)) for svg in found]
    assert len(set().union(*names)) == sum(map(len, names))
    for svg in found:
        (name,) = re.findall(r'<svg [^>]*\bid="([^"]*)"', svg)
        assert set(re.findall(r"(?m)^(#[\w-]+) \.", svg)) <= {f"#{name}"}
        assert all(each.startswith(name) for each in re.findall(r"url\(#([^)]*)\)", svg))


def test_auto_has_the_colours_of_both() -> None:
    svg = to_svg(demo(), "auto")
    light, dark = svg.split("@media (prefers-color-scheme: dark)")
    body = dark.partition("</style>")[2]
    assert re.findall("#[0-9a-f]{6}", body) == []
    assert {color for ink, color in inks("light").items() if ink == "stem line"} <= set(
        re.findall("#[0-9a-f]{6}", light)
    )
    assert inks("dark")["stem line"] in dark
    used = {name for names in re.findall(r'class="([^"]*)"', body) for name in names.split()}
    assert used == set(re.findall(r"\.([\w-]+) \{", light)) == set(re.findall(r"\.([\w-]+) \{", dark))


def test_a_hatched_shape_has_its_fill_beneath() -> None:
    bars = (Rectangle(0, 0, 9, 9, fill="macs", hatched=True), Rectangle(0, 10, 9, 9, line="line", hatched=True))
    root = drawn(Scene(20, 20, bars))
    fills = [element.get("fill", "none") for element in root.findall(f"{SPACE}rect")]
    assert [fill.partition("(")[0] for fill in fills] == ["#ffffff", inks("light")["macs"], "url", "none", "url"]
    patterns = {f"url(#{each.get('id')})": each[0].get("stroke") for each in root.iter(f"{SPACE}pattern")}
    assert [patterns[fill] for fill in fills if fill in patterns] == ["#ffffff", inks("light")["line"]]


def test_a_line_that_leads_nowhere_is_not_drawn() -> None:
    lines = (Line(()), Line(((1, 1),), arrow=True), Line(((1, 1), (1, 1)), arrow=True, radius=3))
    assert drawn(Scene(10, 10, lines)).findall(f"{SPACE}path") == []


def test_an_arrow_ends_where_its_line_leads() -> None:
    root = drawn(Scene(40, 40, (Line(((0, 10), (30, 10)), width=1, arrow=True),)))
    line, head = (element.get("d") for element in root.findall(f"{SPACE}path"))
    assert head == "M30 10L24.4 12.8L24.4 7.2Z"
    assert line == "M0 10L27.2 10"  # inside the head, whose tip it would blunt


def test_a_rectangle_is_no_rounder_than_there_is_room() -> None:
    shapes = (Rectangle(0, 0, 20, 6, fill="stem", radius=50), Rectangle(0, 0, 20, 6, fill="stem", radius=2))
    _, *rounded = drawn(Scene(20, 20, shapes)).findall(f"{SPACE}rect")
    assert [element.get("rx") for element in rounded] == ["3", "2"]


def test_corners_are_rounded_as_far_as_there_is_room() -> None:
    corner = Line(((0, 0), (10, 0), (10, 4)), radius=5)
    (path,) = drawn(Scene(20, 20, (corner,))).findall(f"{SPACE}path")
    assert path.get("d") == "M0 0L8 0C9.1 0 10 0.9 10 2L10 4"
