"""Whole drawings, through Graphviz."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import archbuilder
from archbuilder.analysis.summary import DEPTHS, Depth

SVG = "{http://www.w3.org/2000/svg}"


def svg(spec: str | Path, depth: Depth) -> ET.Element:
    return ET.fromstring(archbuilder.render(archbuilder.lower(spec), depth=depth))


def texts(root: ET.Element) -> list[str]:
    return [(element.text or "").strip() for element in root.iter(f"{SVG}text")]


def long_chain(tmp_path: Path) -> Path:
    stages = [f"  stage{n}: {{block: bottleneck, width: {64 + 4 * n}, depth: {1 + n % 3}}}" for n in range(22)]
    head = ["head:", "  pool: global_pool", "  fc: {block: linear, width: 10}"]
    path = tmp_path / "long.yaml"
    path.write_text("\n".join(["name: long", "input: {channels: 3, size: 32}", "stages:", *stages, *head]))
    return path


@pytest.mark.parametrize("depth", DEPTHS)
def test_every_stage_and_every_shape_between_stages_can_be_read(depth: Depth):
    graph = archbuilder.lower("resnet50")
    found = texts(svg("resnet50", depth))
    for stage in ("layer1", "layer2", "layer3", "layer4", "stem", "head"):
        assert stage in found
    for node in graph.nodes[3:8]:
        assert str(node.shape) in found
    assert "25.6 M parameters" in found


def test_the_title_is_said_to_screen_readers():
    root = svg("resnet50", "stage")
    assert root.get("role") == "img"
    assert root.get("aria-label") == "resnet50, 25.6 M parameters, 4.09 G MACs, 50 layers, input 3×224×224"
    assert "layer1" in [title.text for title in root.iter(f"{SVG}title")]


def test_all_text_has_fonts_to_fall_back_on():
    for element in svg("resnet50", "layer").iter(f"{SVG}text"):
        assert (element.get("font-family") or "").endswith("sans-serif")


@pytest.mark.parametrize("depth", DEPTHS)
def test_nothing_lies_outside_the_page(depth: Depth, tmp_path: Path):
    for spec in ("resnet50", "res2net50_26w_4s", "googlenet", "hrnet_w18_small", long_chain(tmp_path)):
        root = svg(spec, depth)
        _, _, width, height = (float(number) for number in root.get("viewBox", "").split())
        graph = root.find(f"{SVG}g")
        assert graph is not None
        moved = re.search(r"translate\(([\d.]+) ([\d.]+)\)", graph.get("transform", ""))
        assert moved is not None
        left, top = float(moved[1]), float(moved[2])
        for text in root.iter(f"{SVG}text"):
            x, y = float(text.get("x", "nan")) + left, float(text.get("y", "nan")) + top
            assert 0 < x < width - 4 * len(text.text or "") * (text.get("text-anchor") == "start")
            assert 8 < y < height


@pytest.mark.parametrize("depth", DEPTHS)
def test_texts_do_not_overlap(depth: Depth, tmp_path: Path):
    for spec in ("resnet50", "resnet50d", "res2net50_26w_4s", "cifar_plain20", "pvt_v1_tiny", long_chain(tmp_path)):
        places = sorted(
            (round(float(text.get("y", "nan")), 1), float(text.get("x", "nan")), text)
            for text in svg(spec, depth).iter(f"{SVG}text")
        )
        for (y, x, text), (next_y, next_x, _) in pairwise(places):
            if y == next_y and text.get("text-anchor") == "start":
                width = 0.45 * float(text.get("font-size", "nan")) * len(text.text or "")
                assert next_x - x >= width, text.text


@pytest.mark.parametrize(("depth", "most"), [("stage", 3.0), ("block", 3.0), ("layer", 3.0)])
def test_a_long_chain_still_has_the_shape_of_a_page(depth: Depth, most: float, tmp_path: Path):
    _, _, width, height = (float(number) for number in svg(long_chain(tmp_path), depth).get("viewBox", "").split())
    assert 1 / most < width / height < most


@pytest.mark.parametrize("depth", DEPTHS)
def test_branches_between_stages_are_drawn(depth: Depth, tmp_path: Path):
    spec = tmp_path / "skips.yaml"
    spec.write_text(
        "name: skips\ninput: {channels: 3, size: 32}\nstem:\n  conv1: {block: conv, width: 8, kernel: 3}\n"
        "stages:\n  a: {block: basic, width: 8, depth: 2}\n  b: {block: basic, width: 8}\n"
        "  c: {block: concat, from: [b, a, conv1]}\n  d: {block: basic, width: 8}\n"
        "neck:\n  joined: {block: concat, from: [d, c]}\nhead:\n  pool: global_pool\n"
    )
    root = svg(spec, depth)
    titles = [title.text for title in root.iter(f"{SVG}title")]
    joined = {"stage": "neck", "block": "joined", "layer": "joined"}[depth]
    assert sum(title.endswith(f"->{joined}") or f"->{joined}:" in title for title in titles if title) == 2
    # Every node was drawn on purpose: Graphviz makes up those that only an edge names, in its own font.
    assert "Times" not in ET.tostring(root, encoding="unicode")


def test_a_network_of_1202_layers_is_drawn_quickly():
    graph = archbuilder.lower("cifar_resnet1202")
    started = time.perf_counter()
    image = archbuilder.render(graph, depth="layer")
    assert time.perf_counter() - started < 5
    assert len(image) < 200_000


def test_png_is_sharp():
    image = archbuilder.render(archbuilder.lower("resnet50"), format="png")
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", image[16:24])
    points = svg("resnet50", "block").get("viewBox", "").split()
    assert width == pytest.approx(2 * float(points[2]), rel=0.01)
    assert height == pytest.approx(2 * float(points[3]), rel=0.01)


@pytest.mark.parametrize("format", ["svg", "png", "dot"])
def test_the_same_graph_gives_the_same_bytes(format):
    first, second = (
        archbuilder.render(archbuilder.lower("cifar_resnet20"), format=format, depth="layer") for _ in "ab"
    )
    assert first == second


def test_unknown_words_are_refused():
    graph = archbuilder.lower("cifar_resnet20")
    with pytest.raises(ValueError, match="unknown format 'pdf': expected one of svg, png, dot"):
        archbuilder.render(graph, format="pdf")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unknown depth 'all': expected one of stage, block, layer"):
        archbuilder.render(graph, depth="all")  # type: ignore[arg-type]


def test_drawing_does_not_import_torch():
    code = (
        "import archbuilder, sys; archbuilder.render(archbuilder.lower('resnet50'), depth='layer');"
        "print('torch' in sys.modules, 'graphviz' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


ARIAL_BOLD = {
    " ": 0.278,
    "·": 0.333,
    "–": 0.556,
    "×": 0.584,
    "a": 0.556,
    "b": 0.611,
    "c": 0.556,
    "i": 0.278,
    "s": 0.556,
}
"""The widths of the signs of a title, in sizes of the font; a figure's is 0.556."""


def test_a_title_stands_in_the_middle_of_its_box():
    root = svg("cifar_resnet110", "block")
    box = next(group for group in root.iter(f"{SVG}g") if group.findtext(f"{SVG}title") == "layer2.1–17")
    title = next(text for text in box.iter(f"{SVG}text") if "basic" in (text.text or ""))
    size, text = float(title.get("font-size", "nan")), (title.text or "").replace("\xa0", " ")
    lead, width = ((len(text) - len(text.lstrip())) * 0.278, sum(ARIAL_BOLD.get(sign, 0.556) for sign in text))
    middle = float(title.get("x", "nan")) + size * (lead + width) / 2
    left, right, _, _ = extent(next(box.iter(f"{SVG}path")))
    assert middle == pytest.approx((left + right) / 2, abs=1)


def extent(path: ET.Element) -> tuple[float, float, float, float]:
    """From where to where the points of a path reach: left, right, top, bottom."""
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", path.get("d", ""))]
    return min(numbers[::2]), max(numbers[::2]), min(numbers[1::2]), max(numbers[1::2])


def test_a_frame_without_a_kind_has_nothing_behind_its_title():
    titles = [text.text for text in svg("resnet50", "block").iter(f"{SVG}text") if text.get("font-size") == "11.00"]
    assert titles
    assert all((title or "").strip() for title in titles)


@pytest.mark.parametrize("depth", DEPTHS)
def test_lines_keep_their_distance(depth: Depth):
    for box in svg("resnet50", depth).iter(f"{SVG}g"):
        if box.get("class") == "node":
            lines = [
                (float(text.get("y", "nan")), float(text.get("font-size", "nan"))) for text in box.iter(f"{SVG}text")
            ]
            for (y, _), (next_y, size) in pairwise(sorted(set(lines))):
                assert next_y == y or next_y - y >= 1.15 * size


def test_a_long_name_does_not_spread_the_facts(tmp_path: Path):
    path = tmp_path / "long.yaml"
    path.write_text(f"name: {'a_long_name_' * 6}\nextends: cifar_resnet20\n")
    places = {text.text: float(text.get("x", "nan")) for text in svg(path, "stage").iter(f"{SVG}text")}
    assert places["20 layers"] - places["40.6 M MACs"] < 110


def test_no_edge_of_a_skip_runs_through_a_box(tmp_path: Path):
    path = tmp_path / "skip.yaml"
    path.write_text(
        "name: skip\ninput: {size: 32}\nstages:\n  l1: {block: basic, width: 16, shortcut: null}\n"
        "  l2: {block: basic, width: 32, stride: 2}\n  l3: {block: res2net, width: 64, depth: 3}\n"
        "  skip: {block: conv, from: l1, width: 64, kernel: 1, stride: 2}\n  sum: {block: add, from: [skip, l3]}\n"
    )
    parts = list(svg(path, "stage").iter(f"{SVG}g"))
    boxes = [extent(next(part.iter(f"{SVG}path"))) for part in parts if part.get("class") == "node"]
    edges = [next(part.iter(f"{SVG}path")) for part in parts if part.get("class") == "edge"]
    for x, y in (point for edge in edges for point in curve(edge)):
        assert not any(left + 1 < x < right - 1 and top + 1 < y < bottom - 1 for left, right, top, bottom in boxes)


def curve(path: ET.Element) -> list[tuple[float, float]]:
    """Points along the Bézier curves of a path."""
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", path.get("d", ""))]
    ends = list(zip(numbers[::2], numbers[1::2], strict=True))
    return [at(ends[start : start + 4], step / 20) for start in range(0, len(ends) - 1, 3) for step in range(21)]


def at(controls: list[tuple[float, float]], t: float) -> tuple[float, float]:
    """The point of a Bézier curve at a share of its way."""
    shares = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
    x, y = (sum(share * point[axis] for share, point in zip(shares, controls, strict=True)) for axis in (0, 1))
    return x, y


def edges_of(root: ET.Element) -> dict[str, ET.Element]:
    """The lines of a drawing, by the titles of their edges."""
    parts = [part for part in root.iter(f"{SVG}g") if part.get("class") == "edge"]
    return {part.findtext(f"{SVG}title", ""): next(part.iter(f"{SVG}path")) for part in parts}


def frames_of(root: ET.Element) -> list[tuple[float, float, float, float]]:
    return [extent(next(part.iter(f"{SVG}path"))) for part in root.iter(f"{SVG}g") if part.get("class") == "cluster"]


def test_the_main_path_of_a_block_runs_straight_down():
    lines = {title: line for title, line in edges_of(svg("pvt_v2_b1", "layer")).items() if ".mlp.fc1" in title}
    assert len(lines) >= 8
    for title, line in lines.items():
        left, right, _, _ = extent(line)
        assert right - left < 2, title


@pytest.mark.parametrize("spec", ["pvt_v2_b1", "cifar_resnet110", "resnet50", "googlenet"])
def test_no_line_of_a_frame_crosses_the_label_of_an_edge(spec: str):
    root = svg(spec, "layer")
    sides = [(x, top, bottom) for left, right, top, bottom in frames_of(root) for x in (left, right)]
    labels = [text for text in root.iter(f"{SVG}text") if re.search(r"\d×\d+|tokens of", text.text or "")]
    assert labels
    for text in labels:
        start, y = float(text.get("x", "nan")), float(text.get("y", "nan"))
        end = start + 0.5 * float(text.get("font-size", "nan")) * len(text.text or "")
        assert not any(start < x < end and top < y < bottom for x, top, bottom in sides), text.text


@pytest.mark.parametrize("spec", ["cifar_resnet110", "resnet50"])
def test_a_shortcut_stays_clear_of_the_frame_around_it(spec: str):
    root = svg(spec, "layer")
    shortcuts = [line for line in edges_of(root).values() if line.get("stroke-width") == "2.2"]
    assert shortcuts
    for line in shortcuts:
        points = curve(line)
        y, reach = points[len(points) // 2][1], max(x for x, _ in points)
        right = min(right for _, right, top, bottom in frames_of(root) if top < y < bottom and right > points[0][0])
        assert reach < right - 5


@pytest.mark.parametrize(("stage", "branches"), [("stage2", 2), ("stage3", 3), ("stage4", 4)])
def test_branches_stand_in_the_order_of_their_steps(stage: str, branches: int):
    root = svg("hrnet_w18_small", "layer")
    places = {
        part.findtext(f"{SVG}title"): float(next(part.iter(f"{SVG}text")).get("x", "nan"))
        for part in root.iter(f"{SVG}g")
        if part.get("class") == "node" and part.find(f".//{SVG}text") is not None
    }
    found = [places[f"{stage}.0.branches.{number}"] for number in range(branches)]
    assert found == sorted(found)
