"""The sheets of real networks: that all can be read, and that they tell the truth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings

import archbuilder
from archbuilder.analysis.cost import Costs
from archbuilder.draw.definitions import most_used
from archbuilder.draw.model.figure import Edge, Figure, every_box
from archbuilder.draw.model.network import definitions_beneath, definitions_of, network_figure
from archbuilder.draw.options import WIDTHS, Depth, Format, Width
from archbuilder.draw.outputs.svg import to_svg
from archbuilder.draw.scene import Part, Rectangle, Scene, Text
from archbuilder.draw.sheet import shares, sheet
from archbuilder.language.networks import network_names
from tests.draw.looks import crossings, faults, faults_of_lines
from tests.lowering.test_graphs import BLOCKS
from tests.properties.specs import specs

UNET = "examples/unet_resnet18.yaml"
FAMILIES = [
    "resnet50", "res2net50_26w_4s", "seresnet50", "skresnet18", "googlenet", "densenet121", "hrnet_w18_small", "pvt_v2_b0",
    "convnext_tiny", "efficientnet_b0", "shufflenet_v2_x1_0", "vgg11", "preact_resnet164", UNET,
]  # fmt: skip
PLANAR = [
    "resnet50",
    "res2net50_26w_4s",
    "res2net50_26w_8s",
    "hrnet_w18_small",
    "hrnet_w48",
    "googlenet",
    "densenet121",
    "pvt_v2_b0",
    "vgg11",
    UNET,
]
"""Networks whose sheets need no crossing."""


def sheet_of(name: str, *, depth: int = 0, width: Width = "page") -> Scene:
    return sheet(archbuilder.check(name).summary, depth=depth, width=width, show=None)


def wrong(scene: Scene) -> list[str]:
    return [*faults(scene), *faults_of_lines(scene)]


@pytest.mark.parametrize("name", FAMILIES)
def test_nothing_lies_over_anything(name: str) -> None:
    scene = sheet_of(name)
    assert wrong(scene) == []
    assert scene.width == WIDTHS["page"]


@pytest.mark.parametrize(
    ("depth", "width"), [(1, "column"), (1, "slide"), (100, "column"), (100, "page"), (-1, "page")]
)
def test_nor_does_it_when_blocks_are_open(depth: int, width: Width) -> None:
    for name in ("seresnet50", "res2net50_26w_4s"):
        scene = sheet_of(name, depth=depth, width=width)
        assert (wrong(scene), scene.width) == ([], WIDTHS[width])


@pytest.mark.parametrize("name", BLOCKS)
def test_nor_does_it_in_a_block_alone(name: str) -> None:
    told, input, tokens, around = BLOCKS[name]
    summary = archbuilder.check_block(name, told, input, text=around or None, tokens=tokens).summary
    for depth in (0, 1, 100):
        for width in WIDTHS:
            scene = sheet(summary, depth=depth, width=width, show=None)
            assert wrong(scene) == []


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("depth", [-1, 0, 1, 100])
def test_nor_does_it_in_any_network(depth: int, width: Width) -> None:
    found = {name: wrong(sheet_of(name, depth=depth, width=width)) for name in [*network_names(), UNET]}
    assert {name: some[:3] for name, some in found.items() if some} == {}


@pytest.mark.parametrize("name", PLANAR)
def test_no_line_crosses_another_where_none_must(name: str) -> None:
    assert crossings(sheet_of(name)) == 0


@pytest.mark.parametrize("name", ["resnet152", "hrnet_w18_small", "hrnet_w18", "hrnet_w48", "densenet121", "googlenet"])
def test_a_sheet_is_one_page(name: str) -> None:
    assert sheet_of(name).height <= 730


def test_what_is_looked_for_would_be_found() -> None:
    scene = sheet_of("resnet50")
    text = next(shape for shape in scene.flat() if isinstance(shape, Text))
    box = next(part for part in scene.parts() if dict(part.facts).get("box") == "layer2")
    edge = next(part for part in scene.parts() if dict(part.facts).get("from") == "layer3")
    area = box.shapes[0]
    assert isinstance(area, Rectangle)
    other = Part((replace(area, x=area.x + 9),), facts=(("box", "other"),))
    through = replace(edge, facts=(("from", "input"), ("to", "head")))
    for added in (
        text,
        replace(text, size=5.9),
        replace(text, x=-9.0),
        Part((box, other)),
        Part((box, _to(through, area))),
    ):
        assert faults(replace(scene, shapes=(*scene.shapes, added)))
    same = replace(edge, facts=(*through.facts, ("item", "")))
    for added in (_to(through, area), Part((edge, same))):
        assert faults_of_lines(replace(scene, shapes=(*scene.shapes, added)))


def _to(edge: Part, area: Rectangle) -> Part:
    """An edge that runs through an area."""
    (line, *_) = edge.shapes
    points = ((area.x - 9, area.y + 8), (area.x + area.width + 9, area.y + 8))
    return replace(edge, shapes=(replace(line, points=points),))


# ---- what is drawn is what there is ---------------------------------------------------------------------------------


def edges_in(svg: str) -> dict[str, set[tuple[str, str, str, str]]]:
    """The edges that a drawing says it has, by the figure that they are in."""
    found: dict[str, set[tuple[str, str, str, str]]] = {}
    for figure in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}g"):
        if "data-figure" in figure.attrib:
            edges = found.setdefault(figure.attrib["data-figure"], set())
            for part in figure.iter("{http://www.w3.org/2000/svg}g"):
                if "data-each" in part.attrib:
                    edges |= {as_text(*single) for single in json.loads(part.attrib["data-each"])}
                elif "data-to" in part.attrib:
                    edges.add(tuple(part.attrib[f"data-{key}"] for key in ("from", "to", "item", "position")))  # type: ignore[arg-type]
    return found


def as_text(source: str, target: str, item: int | None, position: int) -> tuple[str, str, str, str]:
    return (source, target, "" if item is None else str(item), str(position))


def said(edges: tuple[Edge, ...]) -> set[tuple[str, str, str, str]]:
    return {as_text(*single) for edge in edges for single in edge.singles()}


def edges_of(figure: Figure) -> tuple[Edge, ...]:
    """The edges of a figure, and of what stands open in it."""
    inner = (edge for box in every_box(figure.boxes) if box.is_open and box.inside for edge in box.inside.edges)
    return (*figure.edges, *inner)


@pytest.mark.parametrize("name", [*FAMILIES[:8], "res2net50_26w_8s", UNET])
def test_every_edge_can_be_read_back(name: str) -> None:
    checked = archbuilder.check(name)
    drawn = edges_in(to_svg(sheet_of(name)))
    network = network_figure(checked.summary)
    assert drawn.pop("network") == said(network.edges)
    definitions = most_used(definitions_beneath(network, checked.graph))
    assert drawn == {f"{each.name}#{each.number}": said(edges_of(each.figure)) for each in definitions}


def picture(spec: str) -> str:
    """The default picture of a network without its name."""
    graph = archbuilder.check("net.yaml", text=spec).graph if "\n" in spec else archbuilder.check(spec).graph
    return archbuilder.render(replace(graph, name="")).decode()


def test_a_shortcut_is_seen() -> None:
    assert picture("cifar_plain20") != picture("cifar_resnet20")


STREAMS = """
name: net
input: {channels: 4, size: 32}
blocks:
  both: {body: {a: {block: conv, kernel: 3, from: input.0}, b: {block: conv, kernel: 3, from: input.1}, s: {block: streams, from: [a, b]}}}
stages:
  parts: {block: split, parts: 2}
  one: {block: both, from: [parts.ONE, parts.TWO]}
  sum: {block: add, from: one.*}
"""  # noqa: E501


def test_streams_that_cross_are_seen() -> None:
    straight, crossed = (STREAMS.replace("ONE", a).replace("TWO", b) for a, b in ("01", "10"))
    assert picture(straight) != picture(crossed)


SPEC = """
name: net
input: {size: 32}
stem: {conv: {block: conv_norm_act, width: 8}}
stages:
  one: {block: BLOCK, width: WIDTH, depth: DEPTHSLOT}
  two: {block: conv_norm_act, width: 16}
  three: {block: add, from: [two, TO]}
head: {pool: global_pool, fc: {block: linear, width: 10}}
"""


def variations() -> Iterator[str]:
    for block in ("basic", "basic_pre", "conv_norm_act", "mbconv"):
        for width in ("8", "16"):
            for depth in ("1", "2", "3"):
                for slot in ("", ", after_last_norm: {se: squeeze_excite}"):
                    if slot and block != "basic":
                        continue
                    spec = (
                        SPEC.replace("BLOCK", block)
                        .replace("WIDTH", width)
                        .replace("DEPTH", depth)
                        .replace("SLOT", slot)
                    )
                    yield spec.replace("TO", "two")
                    if width == "16":
                        yield spec.replace("TO", "one")


def test_whatever_differs_is_seen() -> None:
    specs = list(variations())
    pictures = [picture(spec) for spec in specs if _is_right(spec)]
    assert len(pictures) > 30
    assert len(set(pictures)) == len(pictures)


def _is_right(spec: str) -> bool:
    try:
        archbuilder.check("net.yaml", text=spec)
    except archbuilder.SpecError:
        return False
    return True


@pytest.mark.slow
def test_no_two_networks_of_the_zoo_have_one_picture() -> None:
    names = network_names()
    assert len({picture(name) for name in names}) == len(names)


@pytest.mark.parametrize("format", ["dot", "mermaid"])
@pytest.mark.parametrize("depth", ["model", "stage", "block"])
def test_texts_tell_networks_apart_too(format: Format, depth: Depth) -> None:
    drawn = []
    for name in ("cifar_plain20", "cifar_resnet20"):
        text = archbuilder.render(archbuilder.lower(name), format=format, depth=depth).decode().replace(name, "")
        drawn.append([line for line in text.splitlines() if "parameters" not in line])
    assert drawn[0] != drawn[1]


def test_shares_add_up() -> None:
    assert shares([1, 1, 1]) == [33.4, 33.3, 33.3]
    for name in FAMILIES[:6]:
        rows = archbuilder.check(name).summary.stages
        assert round(sum(shares([row.parameters for row in rows])), 6) == 100


def test_a_sheet_is_said_to_those_who_do_not_see() -> None:
    scene = sheet_of("resnet50")
    assert (scene.title, scene.description) == (
        "resnet50", "25.6 M parameters · 4.09 GMACs · 50 layers · input 3×224×224",
    )  # fmt: skip
    titles = [part.title for part in scene.parts()]
    assert "layer1 to layer2: 256×56²" in titles
    assert "layer2: bottleneck ×4" in titles


def test_a_network_of_1202_layers_is_one_page() -> None:
    scene = sheet_of("cifar_resnet1202")
    assert scene.height < 500


# ---- networks that nobody thought of --------------------------------------------------------------------------------


def looks_right(text: str) -> None:
    summary = archbuilder.check("random.yaml", text=text).summary
    for depth in (0, 1, 100):
        for width in ("column", "page"):
            scene = sheet(summary, depth=depth, width=width, show=None)  # type: ignore[arg-type]
            assert (wrong(scene), scene.width) == ([], WIDTHS[width])  # type: ignore[index]


@given(specs())
@settings(max_examples=5, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
def test_random_networks_look_right(text: str) -> None:
    looks_right(text)


@pytest.mark.slow
@given(specs())
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
def test_many_random_networks_look_right(text: str) -> None:
    looks_right(text)


def test_the_wirings_that_are_used_most_are_shown() -> None:
    shown = [
        each.where()
        for each in most_used(definitions_of(archbuilder.lower("efficientnet_b0"), Costs()))
        if each.name == "mbconv"
    ]
    assert shown == ["in features.2, features.3 … features.7", "later in features.2, features.3 … features.6"]
