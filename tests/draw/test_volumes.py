"""Volumes: what a drawing shows of a network, and that it can be read, for every network and every width."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import combinations, pairwise
from typing import Any, NamedTuple

import pytest

import archbuilder
from archbuilder.analysis.summary import Summary
from archbuilder.draw.fonts import ASCENT, DESCENT, width
from archbuilder.draw.layout.wrap import joined_names, last_part
from archbuilder.draw.options import WIDTHS, Width
from archbuilder.draw.outputs.svg import to_svg
from archbuilder.draw.scene import Circle, Line, Part, Polygon, Rectangle, Scene, Shape, Text
from archbuilder.draw.volumes import volumes
from archbuilder.language.networks import network_names

NAMED = (
    "cifar_resnet20", "convnext_tiny", "densenet121", "efficientnet_b0", "examples/unet_resnet18.yaml", "googlenet",
    "hrnet_w18_small", "mobilenet_v2", "pvt_v2_b1", "regnet_y_800mf", "res2net50_26w_4s", "resnet50", "shufflenet_v2_x1_0",
    "squeezenet1_1", "vgg16_bn",
)  # fmt: skip
"""A network of each kind, which is looked at every day; the others of the zoo are as well where time is."""

CONV = {"block": "conv_norm_act"}
HEAD = {"pool": "global_pool", "fc": {"block": "linear", "width": 10}}


def unet() -> dict[str, Any]:
    """A decoder whose steps stand one by one."""
    stages: dict[str, Any] = {"down1": CONV | {"width": 16, "depth": 2}}
    for level in (2, 3):
        stages[f"pool{level}"] = {"block": "max_pool", "kernel": 2, "stride": 2}
        stages[f"down{level}"] = CONV | {"width": 16 * level, "depth": 2}
    for level in (2, 1):
        stages[f"larger{level}"] = "upsample"
        stages[f"joined{level}"] = {"block": "concat", "from": [f"down{level}", f"larger{level}"]}
        stages[f"up{level}"] = CONV | {"width": 16 * level, "depth": 2}
    head = {"out": {"block": "conv", "width": 2, "kernel": 1}}
    return {"name": "unet", "input": {"channels": 1, "size": [64, 96]}, "stages": stages, "head": head}


def pyramid() -> dict[str, Any]:
    """Maps of several sizes that are added up, and given too."""
    neck: dict[str, Any] = {
        f"side{at}": {"block": "conv", "from": f"layer{at}", "width": 64, "kernel": 1} for at in (4, 3, 2)
    }
    for at in (3, 2):
        neck[f"larger{at}"] = {"block": "upsample", "from": "side4" if at == 3 else "sum3"}
        neck[f"sum{at}"] = {"block": "add", "from": [f"side{at}", f"larger{at}"]}
    for at, source in ((4, "side4"), (3, "sum3"), (2, "sum2")):
        neck[f"out{at}"] = CONV | {"from": source, "width": 64}
    head = {"avgpool": None, "fc": None, "classes": {"block": "conv", "width": 10, "kernel": 1}}
    return {"name": "pyramid", "extends": "resnet18", "neck": neck, "head": head, "features": ["out4", "out3", "out2"]}


def many_skips() -> dict[str, Any]:
    """Values that go past many others, from above and from below into one step."""
    stages: dict[str, Any] = {f"c{at}": CONV | {"width": 8 + at} for at in range(10)}
    stages["all"] = {"block": "concat", "from": [f"c{at}" for at in range(10)]}
    return {"name": "many_skips", "input": {"channels": 1, "size": 32}, "stages": stages, "head": HEAD}


def long_names() -> dict[str, Any]:
    words = "name_that_is_much_longer_than_a_column_of_a_paper_could_ever_hold"
    stages = {
        f"a_{words}": {"block": "basic", "width": 8, "depth": 3},
        f"b_{words}": {"block": "basic", "width": 4096, "depth": 90},
    }
    return {"name": "long_names", "input": {"channels": 3, "size": [8, 200]}, "stages": stages, "head": HEAD}


OWN = {"unet": unet, "pyramid": pyramid, "many_skips": many_skips, "long_names": long_names}
OTHERS = sorted(set(network_names()) - set(NAMED))

ALL = [*NAMED, *OWN, *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS)]


class Area(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Area, by: float = 0.05) -> bool:
        apart = self.right <= other.left + by or other.right <= self.left + by
        return not apart and not (self.bottom <= other.top + by or other.bottom <= self.top + by)

    def is_in(self, other: Area) -> bool:
        inside = other.left <= self.left and self.right <= other.right
        return inside and other.top <= self.top and self.bottom <= other.bottom


def area_of(shape: Shape) -> Area:
    """Where a shape is; a letter may reach a little farther than most do."""
    if isinstance(shape, Part):
        areas = [area_of(each) for each in shape.shapes]
        return Area(*(choose(area[at] for area in areas) for at, choose in enumerate((min, min, max, max))))
    if isinstance(shape, Text):
        wide = width(shape.text, shape.size, bold=shape.bold)
        left = shape.x - wide * {"start": 0, "middle": 0.5, "end": 1}[shape.anchor]
        return Area(left, shape.y - ASCENT * shape.size * 0.82, left + wide, shape.y + DESCENT * shape.size * 0.9)
    if isinstance(shape, Circle):
        return Area(shape.x - shape.radius, shape.y - shape.radius, shape.x + shape.radius, shape.y + shape.radius)
    if isinstance(shape, Rectangle):
        return Area(shape.x, shape.y, shape.x + shape.width, shape.y + shape.height)
    xs, ys = zip(*shape.points, strict=True)
    return Area(min(xs), min(ys), max(xs), max(ys))


class Drawn(NamedTuple):
    """A scene taken apart."""

    scene: Scene
    texts: list[Text]
    boxes: dict[str, list[Part]]
    solids: dict[str, list[Part]]
    edges: list[Part]


@cache
def summary_of(name: str) -> Summary:
    return archbuilder.check(OWN[name]() if name in OWN else name).summary


@cache
def drawn(name: str, wide: Width) -> Drawn:
    scene = volumes(summary_of(name), width=wide)
    boxes: dict[str, list[Part]] = {}
    solids: dict[str, list[Part]] = {}
    edges: list[Part] = []
    for part in scene.parts():
        facts = dict(part.facts)
        if "box" in facts:
            boxes.setdefault(facts["box"], []).append(part)
            solids[facts["box"]] = [each for each in part.shapes if isinstance(each, Part)]
        if any(isinstance(shape, Line) and shape.arrow for shape in part.shapes):
            edges.append(part)
    return Drawn(scene, [each for each in scene.flat() if isinstance(each, Text)], boxes, solids, edges)


every = pytest.mark.parametrize("name", ALL)
widths = pytest.mark.parametrize("wide", WIDTHS)


@every
@widths
def test_texts_are_large_enough_and_on_the_sheet(name: str, wide: Width) -> None:
    scene, texts, *_ = drawn(name, wide)
    assert scene.width == WIDTHS[wide]
    assert min(text.size for text in texts) >= 6
    sheet = Area(0, 0, scene.width, scene.height)
    assert [text.text for text in texts if not area_of(text).is_in(sheet)] == []
    cut = [text.text for text in texts if "…" in text.text]
    assert (
        cut == [] or name == "long_names"
    )  # where a drawing goes on in the next row, only the beginning of such a name
    assert all(area_of(shape).is_in(sheet) for shape in scene.shapes)


@every
@widths
def test_nothing_overlaps(name: str, wide: Width) -> None:
    _, texts, boxes, solids, _ = drawn(name, wide)
    areas = [(text.text, area_of(text)) for text in texts]
    assert [(a, b) for (a, one), (b, two) in combinations(areas, 2) if one.overlaps(two)] == []
    bodies = [(key, body_of(part)) for key, parts in boxes.items() for part in parts if body_of(part)]
    assert [(a, b) for (a, one), (b, two) in combinations(bodies, 2) if one and two and one.overlaps(two)] == []
    parts = [area_of(solid) for found in solids.values() for solid in found]
    assert [text for text, area in areas for solid in parts if area.overlaps(solid)] == []


def body_of(part: Part) -> Area | None:
    """Where a box is without its texts."""
    shapes = tuple(shape for shape in part.shapes if not isinstance(shape, Text))
    return area_of(Part(shapes)) if shapes else None


@every
@widths
def test_lines_pass_no_box_and_no_text(name: str, wide: Width) -> None:
    _, texts, boxes, _, edges = drawn(name, wide)
    bodies = [(key, body_of(part)) for key, parts in boxes.items() for part in parts if body_of(part)]
    for edge in edges:
        facts = dict(edge.facts)
        ends = (facts["from"], facts["to"]) if facts else (edge.title.removesuffix(" goes on"),)
        for piece in pieces(edge):
            hit = [key for key, body in bodies if body and meets(piece, body) and key not in ends]
            assert hit == [], edge.title
            read = [text.text for text in texts if meets(piece, area_of(text))]
            assert read == [], edge.title


def pieces(edge: Part) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    for line in edge.shapes:
        if isinstance(line, Line):
            yield from pairwise(line.points)


def meets(piece: tuple[tuple[float, float], tuple[float, float]], area: Area) -> bool:
    """Whether a straight line goes through the inside of an area: it is cut by the area's sides, and something is left."""
    (x1, y1), (x2, y2) = piece
    start, stop = 0.0, 1.0
    across, down = (area.left + 0.1, area.right - 0.1), (area.top + 0.1, area.bottom - 0.1)
    for at, by, (low, high) in ((x1, x2 - x1, across), (y1, y2 - y1, down)):
        if by == 0:
            if not low < at < high:
                return False
            continue
        one, two = sorted(((low - at) / by, (high - at) / by))
        start, stop = max(start, one), min(stop, two)
    return start < stop


@every
@widths
def test_solids_grow_with_what_they_stand_for(name: str, wide: Width) -> None:
    measured = [measure(solid) for solids in drawn(name, wide).solids.values() for solid in solids]
    for (channels, size, thick, high), (others, other, thicker, higher) in combinations(measured, 2):
        assert (channels < others) == (thick < thicker - 1e-6), (channels, others)
        assert (size < other) == (high < higher - 1e-6), (size, other)


def measure(solid: Part) -> tuple[int, int, float, float]:
    """The channels and the height that a solid stands for, and how thick and high its front is."""
    said = dict(solid.facts)["map"]
    tokens = re.fullmatch(r"(\d+\+)?(\d+)×(\d+) tokens of (\d+)", said)
    sizes = [int(each) for each in ((tokens[4], tokens[2]) if tokens else (*said.split("×"), "1")[:2])]
    polygons = [shape for shape in solid.shapes if isinstance(shape, Polygon)]
    front = area_of(polygons[2])
    return sizes[0], sizes[1], front.right - front.left, front.bottom - front.top


@every
@widths
def test_every_stage_is_named(name: str, wide: Width) -> None:
    """By its name, alone or in a row of names; a layer by what it does; a section whose steps stand apart by theirs."""
    _, texts, boxes, *_ = drawn(name, wide)
    written = {text.text for text in texts}
    words = " ".join(text.text for text in texts)
    graph = summary_of(name).graph
    for row in summary_of(name).stages:
        steps = [
            graph.nodes[at].name
            for part in graph.sections
            if part.name == row.path
            for at in range(part.start, part.stop)
        ]
        is_named = any(is_among(each, text) for each in row.path.split("–") for text in written)
        is_named |= row.path in "".join(text.text for text in texts)  # in several lines
        assert is_named or row.label in words or any(step in boxes for step in steps), row.path


def is_among(path: str, text: str) -> bool:
    """Whether a text names a step, alone or in a row: "b4–b12" and "b4–12" name b9."""
    first, dash, last = text.partition("–")
    name = last_part(path)
    if not dash:
        return text == name
    last = first[: len(first) - len(first.lstrip("abcdefghijklmnopqrstuvwxyz_."))] + last if last[0].isdigit() else last
    return in_order(first) <= in_order(name) <= in_order(last)


def in_order(name: str) -> str:
    """A name that stands where numbers put it among others."""
    return re.sub(r"\d+", lambda found: found[0].zfill(4), name)


def test_names_in_a_row_are_shortened() -> None:
    names = [("features.7", "features.13"), ("inception4b", "inception4d"), ("0", "2"), ("a1", "a12"), ("a", "b")]
    assert [joined_names(*pair) for pair in names] == ["features.7–13", "inception4b–4d", "0–2", "a1–12", "a–b"]
    assert last_part("body.features.5–body.features.16") == "features.5–16"


def made(name: str) -> dict[str, list[str]]:
    """What each card is made of: the titles of its solids."""
    return {key: [solid.title for solid in solids] for key, solids in drawn(name, "page").solids.items()}


def test_each_map_is_a_solid() -> None:
    assert made("vgg16_bn")["stage1"] == ["conv 3×3: 64×224×224"] * 2 + ["max pool 2×2/2: 64×112×112"]
    assert made("squeezenet1_1")["head"] == [
        "conv 1×1: 1000×13×13",
        "global avg pool: 1000×1×1",
    ]  # dropout makes no map
    tokens = "56×56 tokens of 64"
    placed = ["conv 4×4/4: 64×56×56", f"resize tokens: {tokens}", f"sum: {tokens}", *[f"pvt_block: {tokens}"] * 2]
    assert made("pvt_v1_tiny")["stage1"] == placed


def test_equal_maps_are_folded() -> None:
    """A card shows only so many of them, and says how many there are."""
    assert len(made("cifar_resnet1202")["layer1"]) == 4
    assert "basic ×200" in [text.text for text in drawn("cifar_resnet1202", "page").texts]
    body = {"a": CONV | {"width": 16}, "b": CONV | {"width": 16, "kernel": 1}}
    stages = {"pairs": {"block": "pair", "depth": 50}, "both": {"block": "pair"}}
    spec = {
        "name": "n",
        "input": {"channels": 16, "size": 8},
        "blocks": {"pair": {"body": body}},
        "stages": stages,
        "head": HEAD,
    }
    words = [
        part.title
        for part in volumes(archbuilder.check(spec).summary, width="page").parts()
        if dict(part.facts).get("box")
    ]
    assert "pairs: pair ×50 16×8×8" in words
    assert "both: pair 16×8×8" in words  # as there, so here


@pytest.mark.parametrize(
    ("name", "skips"),
    [
        ("examples/unet_resnet18.yaml", [("conv1", "up0"), ("maxpool", "up1"), ("layer2", "up2"), ("layer3", "up3")]),
        ("unet", [("down1", "larger1"), ("pool2", "larger2")]),
    ],
)
def test_skips_go_straight_across(name: str, skips: list[tuple[str, str]]) -> None:
    """What upsamples stands on the card of what it is joined to, in whichever of both ways a decoder is written."""
    edges = {(facts["from"], facts["to"]): edge for edge in drawn(name, "slide").edges if (facts := dict(edge.facts))}
    for skip in skips:
        (line,) = edges[skip].shapes
        assert isinstance(line, Line)
        assert len(line.points) == 2


def test_it_can_be_written_down() -> None:
    for theme in ("light", "dark", "print", "auto"):
        assert "layer1" in to_svg(drawn("resnet50", "page").scene, theme)


def test_other_widths_and_other_wiring_are_seen() -> None:
    names = (
        "resnet50",
        "wide_resnet50_2",
        "resnet18",
        "resnet34",
        "vgg16",
        "vgg16_bn",
        "vgg19",
        "hrnet_w18",
        "hrnet_w32",
    )
    scenes = {name: volumes(summary_of(name), width="page").shapes[2:] for name in names}
    assert len({repr(scene) for scene in scenes.values()}) == len(names)


def test_what_can_be_taken_out_is_named_at_its_map() -> None:
    texts = [shape.text for shape in drawn("pyramid", "page").scene.flat() if isinstance(shape, Text)]
    assert {"►out4", "►out3", "►out2", "a feature map to take out"} <= {*texts}
