"""What is to be seen of a network, before any layout."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

import archbuilder
from archbuilder.analysis.cost import Costs
from archbuilder.draw.model.figure import Box, Edge, Figure
from archbuilder.draw.model.network import definitions_beneath, definitions_of, network_figure
from archbuilder.draw.model.wiring import Wiring, unfolded
from archbuilder.graph.graph import Graph, graphs_in
from archbuilder.language.networks import network_names


def network(name: str | Path, depth: int = 0) -> Figure:
    return network_figure(archbuilder.check(name).summary, depth=depth)


def block(name: str, definition: str, number: int = 0) -> Figure:
    found = [each for each in definitions_of(archbuilder.lower(name), Costs()) if each.name == definition]
    return found[number].figure


def box(figure: Figure, key: str) -> Box:
    return next(each for each in figure.boxes if each.id == key)


def edge(figure: Figure, source: str, target: str) -> Edge:
    return next(each for each in figure.edges if (each.source, each.target) == (source, target))


def test_a_stage_is_a_card_with_its_block_and_its_repeats() -> None:
    card = box(network("resnet50"), "layer2")
    assert ([band.text for band in card.bands], card.count, card.role) == (["bottleneck ×4"], 4, "stage")


def test_a_dense_run_says_what_each_block_adds() -> None:
    found = [box(network("densenet121"), f"features.denseblock{number}") for number in (1, 4)]
    assert [[band.text for band in each.bands] for each in found] == [
        ["dense_layer ×6", "+32 each"], ["dense_layer ×16", "+32 each"],
    ]  # fmt: skip
    assert not any("each" in band.text for each in network("resnet50").boxes for band in each.bands)


def test_shapes_stand_on_the_edges_between_stages() -> None:
    found = network("resnet50")
    chain = ["input", "stem", "layer1", "layer2", "layer3", "layer4", "head", "output"]
    assert [(each.source, each.target) for each in found.edges] == list(pairwise(chain))
    assert [each.label for each in found.edges] == [
        "3×224²", "64×56²", "256×56²", "512×28²", "1024×14²", "2048×7²", "1000",
    ]  # fmt: skip


def test_repeats_are_one_box() -> None:
    layer3 = box(network("resnet50", depth=1), "layer3")
    assert layer3.inside is not None
    assert [(each.id, each.count) for each in layer3.inside.boxes if not each.end] == [("0", 1), ("1–5", 5)]


def test_a_projection_and_an_identity_are_told_apart() -> None:
    first, later = block("resnet50", "bottleneck", 0), block("resnet50", "bottleneck", 1)
    assert edge(first, "input", "downsample").kind == edge(first, "downsample", "sum").kind == "projection"
    assert edge(later, "input", "sum").kind == "identity"
    assert edge(later, "conv3", "sum").kind == "main"


def test_a_shortcut_without_parameters_is_no_projection() -> None:
    figures = [each.figure for each in definitions_of(archbuilder.lower("cifar_resnet110"), Costs())]
    kinds = {each.kind for figure in figures for each in figure.edges}
    assert kinds == {"main", "identity", "plain"}


def test_layers_that_follow_each_other_share_a_box() -> None:
    conv1 = box(block("resnet50", "bottleneck"), "conv1")
    assert [(band.text, band.detail) for band in conv1.bands] == [
        ("conv 1×1", "inner"),
        ("batch norm", ""),
        ("relu", ""),
    ]


def test_ladders_are_no_shortcuts() -> None:
    later = block("res2net50_26w_4s", "res2net", 1)
    assert edge(later, "parts", "rung.1") == Edge("parts", "rung.1", 1, 0)
    assert [each.item for each in later.edges if each.source == "parts"] == [0, 1, 2, 3]


def test_a_stride_that_depends_on_the_use_has_a_name() -> None:
    (first, *_) = definitions_of(archbuilder.lower("resnet50"), Costs())
    assert box(first.figure, "conv2").bands[0].text == "conv 3×3/s"
    assert first.where() == "first in layer1, layer2, layer3, layer4"


def test_a_network_of_streams_has_a_box_for_each_and_edges_for_what_they_depend_on() -> None:
    found = network("hrnet_w18_small")
    assert [each.id for each in found.boxes if each.id.startswith("stage3")] == ["stage3.0", "stage3.1", "stage3.2"]
    into = {(each.source, each.kind) for each in found.edges if each.target == "stage3.1"}
    assert into == {("stage2.0", "exchange"), ("stage2.1", "main"), ("transition2.2", "exchange")}


def test_a_stream_that_is_handed_on_has_no_box_and_another_one_says_what_makes_it() -> None:
    found = [each for each in network("hrnet_w18_small").boxes if each.id.startswith("transition")]
    assert [(each.id, [band.text for band in each.bands]) for each in found] == [
        ("transition1.0", ["conv_norm_act", "16 channels"]),
        ("transition1.1", ["hr_down", "32 channels"]),
        ("transition2.2", ["hr_down", "64 channels"]),
        ("transition3.3", ["hr_down", "128 channels"]),
    ]


def test_a_neck_that_makes_one_value_of_streams_is_a_card_with_a_definition() -> None:
    checked = archbuilder.check("hrnet_w18_small")
    found = network_figure(checked.summary)
    neck = box(found, "neck")
    assert [each.source for each in found.edges if each.target == "neck"] == [f"stage4.{n}" for n in range(4)]
    (beneath,) = [each for each in definitions_beneath(found, checked.graph) if each.name == "neck"]
    assert beneath.figure is neck.inside
    assert "hr_transition" not in {each.name for each in definitions_beneath(found, checked.graph)}  # its cards show it


def test_what_is_there_in_training_only_is_marked() -> None:
    found = network("googlenet")
    assert {each.id for each in found.boxes if each.in_training} == {"aux1", "aux2", "aux1 2", "aux2 2"}


TAPPED = """
name: net
input: {channels: 4, size: 8}
stem: {conv: {block: conv, width: 4, kernel: 3}, act: activation}
stages:
  one: {block: basic, width: 4, depth: 2}
  two: {block: basic, width: 4}
  sum: {block: add, from: [one, two]}
FEATURES
"""


def tapped(features: str) -> Figure:
    text = TAPPED.replace("FEATURES", f"features: [{features}]" if features else "")
    return network_figure(archbuilder.check("net.yaml", text=text).summary)


def test_what_can_be_taken_out_is_named_where_it_leaves() -> None:
    found = tapped("conv, two, sum")
    assert {each.id: each.tap_lines for each in found.boxes if each.taps} == {"stem": ("►conv",), "two": ("►two",)}
    (end,) = [each for each in found.boxes if each.name == "►sum"]  # in a sum there is no room for a word
    assert edge(found, "sum", end.id)


def test_taps_that_a_spec_does_not_name_are_not_drawn() -> None:
    assert not any(each.taps for each in tapped("").boxes)
    assert tapped("one").wiring() != tapped("two").wiring() != tapped("").wiring()


def test_taps_that_are_numbered_are_one_line() -> None:
    assert box(network("hrnet_w18_small"), "neck").tap_lines == ("►incre_modules.0–3",)


@pytest.mark.parametrize("operands", ["[long, short]", "[short, long]"])
def test_the_way_with_more_layers_is_the_main_one(operands: str, tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(
        f"""name: net
input: {{channels: 8, size: 32}}
stages:
  long: [{{block: conv, width: 8, kernel: 3}}, {{block: conv, width: 8, kernel: 3}}]
  short: {{block: conv, width: 8, kernel: 1, from: input}}
  sum: {{block: add, from: {operands}}}
""",
        "utf-8",
    )
    assert network(tmp_path / "net.yaml").main_path() == ("input", "long", "sum", "output")


def layers_in(figure: Figure) -> int:
    return sum(0 if each.end else 1 if each.name or each.sign else len(each.bands) for each in figure.boxes)


@pytest.mark.parametrize("name", ["resnet50", "googlenet", "hrnet_w18_small", "pvt_v2_b1", "skresnet18", "densenet121"])
def test_a_figure_has_every_step_and_every_value_between_two_boxes(name: str) -> None:
    for graph in graphs_in(archbuilder.lower(name)):
        figure = unfolded(Wiring(graph, Costs()))
        steps = [node for node in graph.nodes if node.body is not None and not _is_identity(node.body)]
        lists = {node.name for node in steps if isinstance(node.body, Graph)}  # these are drawn as their layers
        figure = replace(
            figure,
            boxes=tuple(replace(each, bands=each.bands[: 1 if each.id in lists else None]) for each in figure.boxes),
        )
        assert layers_in(figure) == len(steps)
        joined = sum(len(each.bands) - 1 for each in figure.boxes if not each.name and each.bands)
        values = sum(len(node.inputs) for node in steps)
        assert len(figure.edges) == values - joined + 1  # one more leaves


def _is_identity(body: object) -> bool:
    return not isinstance(body, Graph) and getattr(body, "role", "") == "identity"


@pytest.mark.slow
def test_every_box_can_be_reached_in_any_network() -> None:
    for name in network_names():
        for depth in (0, 1, 100):
            figure = network(name, depth)
            ids = {each.id for each in figure.boxes}
            assert len(ids) == len(figure.boxes)
            targets = {each.target for each in figure.edges}
            assert {each.source for each in figure.edges} | targets <= ids
            assert ids - targets == {"input"}


def test_streams_of_blocks_that_double_are_followed_at_once() -> None:
    doubled = "".join(f"  b{n}: {{body: [b{n - 1}, b{n - 1}]}}\n" for n in range(1, 29))
    text = f"""name: net
input: {{channels: 4, size: 8}}
blocks:
  b0: {{body: [norm]}}
{doubled}  two: {{body: {{a: b28, s: {{block: streams, from: [a, input]}}}}}}
stages: {{t: two, s: {{block: add, from: t.*}}}}
"""
    found = network_figure(archbuilder.check("net.yaml", text=text).summary)
    assert [each.id for each in found.boxes] == ["input", "t.0", "s", "output"]  # `t.1` is the input
