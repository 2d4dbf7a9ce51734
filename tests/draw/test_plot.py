"""The plot of networks: where marks and names are, and what is said of each."""

from __future__ import annotations

from functools import cache
from itertools import combinations

import pytest

import archbuilder
from archbuilder import DrawingError, Summary
from archbuilder.draw import compare
from archbuilder.draw.fonts import width
from archbuilder.draw.options import THEMES, WIDTHS, Width
from archbuilder.draw.plot import plot
from archbuilder.draw.scene import Circle, Part, Scene, Text
from archbuilder.language.load import network_names
from tests.draw.looks import faults

RESNETS = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnet50d"]


@cache
def summary_of(name: str) -> Summary:
    return archbuilder.summarize(archbuilder.lower(name))


def named(name: str, channels: int = 8) -> Summary:
    spec = {"name": name, "stages": {"a": {"block": "conv", "kernel": 3, "width": channels}}}
    return archbuilder.summarize(archbuilder.lower(spec))


def marks(scene: Scene) -> dict[str, tuple[float, float]]:
    """Where the networks are."""
    found = {}
    for part in scene.parts():
        facts = dict(part.facts)
        if "network" in facts:
            (circle,) = (shape for shape in part.shapes if isinstance(shape, Circle))
            found[facts["network"]] = circle.x, circle.y
    return found


@pytest.mark.parametrize("wide", WIDTHS)
def test_it_looks_as_a_drawing_has_to(wide: Width) -> None:
    scene = plot([summary_of(name) for name in RESNETS], wide)
    assert faults(scene) == []
    assert scene.width == WIDTHS[wide]


def test_more_of_something_is_farther_on() -> None:
    found = marks(plot([summary_of(name) for name in RESNETS]))
    for one, other in combinations(RESNETS, 2):
        (x, y), (other_x, other_y) = found[one], found[other]
        assert (x < other_x) == (summary_of(one).parameters < summary_of(other).parameters)
        assert (y > other_y) == ((summary_of(one).macs or 0) < (summary_of(other).macs or 0))


@pytest.mark.parametrize(
    ("names", "logarithmic"), [(["resnet50", "resnet101"], False), (["cifar_resnet20", "vgg16"], True)]
)
def test_an_axis_is_logarithmic_where_it_has_to_be(names: list[str], logarithmic: bool) -> None:
    texts = [shape.text for shape in plot([summary_of(name) for name in names]).flat() if isinstance(shape, Text)]
    assert ("parameters (logarithmic)" in texts) == logarithmic
    assert ("MACs (logarithmic)" in texts) == logarithmic


@pytest.mark.slow
def test_all_names_of_the_zoo_have_room() -> None:
    scene = plot([summary_of(name) for name in network_names()])
    assert faults(scene) == []
    assert len(marks(scene)) == len(network_names())


def test_equal_networks_have_names_of_their_own() -> None:
    scene = plot([named(f"net{number}") for number in range(20)])
    assert faults(scene) == []
    assert len(marks(scene)) == 20


def test_what_is_not_known_is_not_drawn_but_told() -> None:
    known = summary_of("resnet18")
    unknown = archbuilder.summarize(archbuilder.lower("resnet34"))
    object.__setattr__(unknown, "macs", None)
    scene = plot([known, unknown])
    assert list(marks(scene)) == ["resnet18"]
    assert "their MACs are not known: resnet34" in scene.description
    with pytest.raises(DrawingError, match="the MACs of none of these networks are known"):
        plot([unknown])


def test_networks_without_parameters_or_computations() -> None:
    spec = {"name": "pool", "stages": {"a": {"block": "max_pool", "kernel": 2}}}
    nothing = archbuilder.summarize(archbuilder.lower(spec))
    assert faults(plot([nothing])) == []
    assert faults(plot([nothing, summary_of("resnet18")])) == []


HOSTILE = "<script>alert('1')</script> \\input{x} & \u202e"


@pytest.mark.parametrize("format", ["svg", "png", "pdf", "tikz"])
def test_a_hostile_name_stays_text(format: str) -> None:
    drawing = compare([named(HOSTILE + "x" * 10_000), named("b", 64)], format=format)  # type: ignore[arg-type]
    assert drawing.format == format
    if format == "svg":
        assert b"<script>" not in drawing
        assert "\u202e".encode() not in drawing
    if format == "tikz":
        lines = [line for line in drawing.split(b"\n") if not line.startswith(b"%")]
        assert not any(b"\\input{" in line for line in lines)


def test_a_long_name_is_cut() -> None:
    scene = plot([named("x" * 10_000)], "column")
    assert max(width(shape.text, shape.size) for shape in scene.flat() if isinstance(shape, Text)) < WIDTHS["column"]


@pytest.mark.parametrize("theme", THEMES)
def test_each_theme_has_its_colours(theme: str) -> None:
    assert compare([summary_of("resnet18")], theme=theme).startswith(b"<svg")  # type: ignore[arg-type]


def test_what_is_for_graphs_alone_is_refused() -> None:
    with pytest.raises(DrawingError, match="mermaid is for graphs, and a plot is none"):
        compare([summary_of("resnet18")], format="mermaid")
    with pytest.raises(ValueError, match="unknown theme 'pink'"):
        compare([summary_of("resnet18")], theme="pink")  # type: ignore[arg-type]


def test_a_program_can_read_it_back() -> None:
    (part,) = [part for part in plot([summary_of("resnet50")]).parts() if isinstance(part, Part) and part.facts]
    assert dict(part.facts) == {"network": "resnet50", "parameters": "25557032", "macs": "4089184256"}
    assert part.title == "resnet50: 25.6 M parameters, 4.09 GMACs"
