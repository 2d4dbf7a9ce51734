"""Two networks under each other: which stages are marked, and how."""

from __future__ import annotations

from functools import cache

import pytest

import archbuilder
from archbuilder import Difference, DrawingError
from archbuilder.draw import render_difference
from archbuilder.draw.differences import both
from archbuilder.draw.options import THEMES, WIDTHS, Width
from archbuilder.draw.scene import Rectangle, Scene, Text
from tests.draw.looks import faults


@cache
def difference(a: str, b: str) -> Difference:
    return archbuilder.diff(a, b)


def marks(scene: Scene) -> list[tuple[str, str]]:
    """The stages that are marked, in order, with what their marks say."""
    facts = (dict(part.facts) for part in scene.parts())
    return [(each["of"], each["mark"]) for each in facts if "mark" in each]


def test_what_changed_is_marked_in_both() -> None:
    assert marks(both(difference("resnet50", "resnet101"), "page")) == [("layer3", "changed")] * 2


def test_what_follows_is_marked_in_another_way() -> None:
    follows = "differs because of what changed elsewhere"
    found = [
        ("features.denseblock3", "changed"),
        ("features.transition3", follows),
        ("features.denseblock4", "changed"),
        ("neck", follows),
        ("head", follows),
    ]
    assert marks(both(difference("densenet121", "densenet169"), "page")) == found * 2


def test_what_is_on_one_side_only_is_marked_there() -> None:
    scene = both(difference("pvt_v1_tiny", "pvt_v2_b0"), "page")
    assert ("stage1", "only here") in marks(scene)
    assert ("stages.0", "only here") in marks(scene)
    signs = [shape.text for shape in scene.flat() if isinstance(shape, Text) and shape.text in ("+", "−", "≠")]
    assert (signs.count("−"), signs.count("+"), signs.count("≠")) == (5 + 1, 5 + 1, 2 + 1)  # and one each in the legend


def test_marks_differ_in_more_than_their_colour() -> None:
    scene = both(difference("densenet121", "densenet169"), "page")
    parts = [part for part in scene.parts() if "mark" in dict(part.facts)]
    ways = {dict(part.facts)["mark"]: part.shapes[0] for part in parts}
    dashes = {mark: frame.dash for mark, frame in ways.items() if isinstance(frame, Rectangle)}
    assert len(set(dashes.values())) == len(dashes) == 2


@pytest.mark.parametrize("wide", WIDTHS)
@pytest.mark.parametrize(
    "pair", [("resnet50", "resnet50d"), ("resnet50", "resnet50"), ("hrnet_w18_small", "hrnet_w18")]
)
def test_it_looks_as_a_drawing_has_to(wide: Width, pair: tuple[str, str]) -> None:
    scene = both(difference(*pair), wide)
    assert [fault for fault in faults(scene) if "≠" not in fault] == []


@pytest.mark.parametrize("theme", THEMES)
def test_each_theme_has_its_colours(theme: str) -> None:
    assert render_difference(difference("resnet50", "resnet101"), theme=theme).startswith(b"<svg")  # type: ignore[arg-type]


def test_what_is_for_graphs_alone_is_refused() -> None:
    with pytest.raises(DrawingError, match="dot is for graphs, and a difference is none"):
        render_difference(difference("resnet50", "resnet101"), format="dot")


def test_hostile_names_stay_text() -> None:
    name = "<script>alert(1)</script> \u202e" + "x" * 10_000
    spec = {"name": name, "stages": {"a": {"block": "conv", "kernel": 3, "width": 8}}}
    drawing = render_difference(archbuilder.diff(spec, "resnet18"))
    assert b"<script>" not in drawing
    assert "\u202e".encode() not in drawing
