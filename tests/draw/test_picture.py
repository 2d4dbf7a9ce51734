"""What is to be seen of a network, before any layout."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

import archbuilder
from archbuilder.analysis.numbers import abbreviate
from archbuilder.draw import labels
from archbuilder.draw.painter import picture_of
from archbuilder.draw.picture import Box, Edge, Group, Item, Picture, parts_of


def picture(name: str, depth: str) -> Picture:
    return picture_of(archbuilder.lower(name), depth)  # type: ignore[arg-type]


def find(found: Picture, key: str) -> Item:
    return next(part for part in parts_of(found.items) if part.id == key)


def edge(found: Picture, source: str, target: str) -> Edge:
    return next(edge for edge in found.edges if (edge.source, edge.target) == (source, target))


def test_a_stage_is_a_box_with_its_repeats_widths_and_cost():
    box = find(picture("resnet50", "stage"), "layer2")
    assert isinstance(box, Box)
    assert [band.text for band in box.bands] == ["layer2", "bottleneck ×4", "inner 128 → 512 · stride 2"]
    assert box.count == 4
    assert box.load is not None
    assert (box.load.parameters, box.load.macs) == (1_219_584, 1_027_604_480)
    assert 0 < box.load.parameter_share < box.load.mac_share < 1


def test_shapes_stand_on_the_edges_between_stages():
    found = picture("resnet50", "stage")
    chain = ["input", "stem", "layer1", "layer2", "layer3", "layer4", "head"]
    assert [(edge.source, edge.target) for edge in found.edges] == list(pairwise(chain))
    assert [edge.label for edge in found.edges][1:4] == ["64×56×56", "256×56×56", "512×28×28"]


def test_the_largest_share_is_one():
    for depth in ("stage", "block"):
        loads = [box.load for box in picture("resnet50", depth).boxes() if box.load]
        assert max(load.parameter_share for load in loads) == 1
        assert max(load.mac_share for load in loads) == 1


def test_blocks_of_a_stage_stand_in_a_group_with_repeats_folded():
    group = find(picture("resnet50", "block"), "layer3")
    assert isinstance(group, Group)
    assert [(box.id, box.count) for box in group.members if isinstance(box, Box)] == [
        ("layer3.0", 1),
        ("layer3.1–5", 5),
    ]


def test_a_projection_and_an_identity_are_told_apart():
    found = picture("resnet50", "layer")
    assert edge(found, "layer2.0", "layer2.0.downsample.0").kind == "projection"
    assert edge(found, "layer2.0.downsample.0", "layer2.0.sum").kind == "projection"
    assert edge(found, "layer2.1–3", "layer2.1–3.sum").kind == "identity"
    assert edge(found, "layer2.1–3.conv3", "layer2.1–3.sum").kind == "main"


def test_a_shortcut_without_parameters_is_no_projection():
    found = picture("cifar_resnet110", "layer")
    assert edge(found, "layer2.0", "layer2.0.downsample").kind == "plain"
    assert edge(found, "layer2.0.downsample.1", "layer2.0.sum").kind == "plain"
    assert "projection" not in {edge.kind for edge in found.edges}
    assert ">shortcut without parameters<" in labels.title(found)


SKIP = """
name: p
input: {size: 32}
stages:
  l1: {block: basic, width: 16, shortcut: null}
  l2: {block: basic, width: 32, stride: 2}
  l3: {block: res2net, width: 64, depth: 3}
  skip: {block: conv, from: l1, width: 64, kernel: 1, stride: 2}
  sum: {block: add, from: [OPERANDS]}
"""


@pytest.mark.parametrize("operands", ["skip, l3", "l3, skip"])
def test_the_way_with_more_layers_is_the_main_one(operands: str, tmp_path: Path):
    spec = tmp_path / "p.yaml"
    spec.write_text(SKIP.replace("OPERANDS", operands))
    found = picture_of(archbuilder.lower(spec), "block")
    chain = [edge(found, *ends) for ends in (("l1", "l2"), ("l2", "l3"), ("l3.1–2", "sum"))]
    assert [each.kind for each in chain] == ["main"] * 3
    assert [each.label for each in chain[:2]] == ["16×32×32", "32×16×16"]
    assert [edge(found, *ends).kind for ends in (("l1", "skip"), ("skip", "sum"))] == ["projection"] * 2


def test_layers_that_follow_each_other_share_a_box():
    box = find(picture("resnet50", "layer"), "layer1.0.conv1")
    assert isinstance(box, Box)
    assert [band.text for band in box.bands] == ["conv 1×1", "batch norm", "relu"]


def test_a_layer_that_others_read_too_ends_its_box():
    # The shortcut of a changed pre-activation block starts behind its first activation.
    box = find(picture("preact_resnet164", "layer"), "layer2.0.bn1")
    assert isinstance(box, Box)
    assert [band.text for band in box.bands] == ["batch norm", "relu"]


def test_ladders_are_no_shortcuts():
    found = picture("res2net50_26w_4s", "layer")
    assert {edge.kind for edge in found.edges if "layer1.1–2.rung" in edge.target} == {"main"}


def test_only_ways_around_something_are_shortcuts():
    assert {edge.kind for edge in picture("hrnet_w18_small", "block").edges} == {"main"}  # sums of streams
    assert {edge.kind for edge in picture("pvt_v1_tiny", "block").edges} == {"main"}  # positions are added
    weighted = [edge for edge in picture("skresnet18", "layer").edges if ".weighted." in edge.target]
    assert weighted
    assert {edge.kind for edge in weighted} == {"main"}


def test_shapes_of_many_streams_are_told_in_short():
    found = picture("hrnet_w18_small", "stage")
    assert edge(found, "transition1", "stage2").label == "16×56×56 + 32×28×28"
    assert edge(found, "transition3", "stage4").label == "16×56×56 … 128×7×7"
    assert [each.label for each in found.edges if each.target == "neck"] == ["16×56×56 … 128×7×7"]
    box = find(found, "transition3")
    assert isinstance(box, Box)
    assert [band.text for band in box.bands] == ["transition3", "hr_transition", "3 → 4 streams"]


def test_stages_that_stand_inline_have_a_frame():
    group = find(picture("vgg16_bn", "block"), "stage3")
    assert isinstance(group, Group)
    assert [box.bands[0].text for box in group.members if isinstance(box, Box)] == ["conv 3×3"] * 3 + ["max pool 2×2/2"]


def test_a_section_of_norms_alone_says_so():
    box = find(picture("densenet121", "stage"), "neck")
    assert isinstance(box, Box)
    assert [band.text for band in box.bands] == ["neck", "batch norm", "relu"]


def test_a_list_of_steps_has_a_line_for_each():
    box = find(picture("vgg16_bn", "block"), "classifier")
    assert isinstance(box, Box)
    assert [band.text for band in box.bands] == ["classifier", "linear 4096", "linear 4096", "linear 1000"]


def test_a_plain_network_has_no_sum():
    found = picture("cifar_plain20", "layer")
    assert not [box for box in found.boxes() if box.sign]
    assert {edge.kind for edge in found.edges} == {"main"}


@pytest.mark.parametrize(
    "name",
    [
        "resnet50", "resnet50d", "res2net50_26w_4s", "preact_resnet164", "d2l_resnet18", "googlenet", "hrnet_w18_small",
        "pvt_v1_tiny", "vgg16_bn", "skresnet18", "convnext_tiny", "examples/unet_resnet18.yaml",
    ],
)  # fmt: skip
@pytest.mark.parametrize("depth", ["stage", "block", "layer"])
def test_edges_lead_to_parts_that_exist_and_every_part_is_reached(name: str, depth: str):
    found = picture(name, depth)
    parts = list(parts_of(found.items))
    ids = {part.id for part in parts}
    assert len(ids) == len(parts)
    frames = {part.id for part in parts if isinstance(part, Group) and not part.has_entry}
    held = {box.id for box in found.boxes() if box.bands and box.bands[0].text.startswith("parameter ")}
    assert {end for edge in found.edges for end in (edge.source, edge.target)} == ids - frames
    assert {edge.target for edge in found.edges} == ids - frames - held - {"input"}


def test_the_number_of_boxes_does_not_grow_with_repeats():
    for depth in ("stage", "block", "layer"):
        shallow, deep = (list(picture(f"cifar_resnet{n}", depth).boxes()) for n in (56, 1202))
        assert len(shallow) == len(deep) <= 40


def test_layers_of_a_squeeze_and_excite_stand_in_a_group(tmp_path):
    spec = tmp_path / "se.yaml"
    spec.write_text("name: se\nextends: resnet18\ndefaults: {basic: {after_last_norm: {se: squeeze_excite}}}\n")
    found = picture_of(archbuilder.lower(spec), "layer")
    group = find(found, "layer1.0–1.se")
    assert isinstance(group, Group)
    assert group.kind == "squeeze_excite"
    assert edge(found, "layer1.0–1.se", "layer1.0–1.se.out").kind == "main"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (999, "999"), (1000, "1.00 K"), (9_995, "10.0 K"), (99_950, "100 K"), (999_499, "999 K"),
     (999_500, "1.00 M"), (25_557_032, "25.6 M"), (4_089_184_256, "4.09 G")],
)  # fmt: skip
def test_counts_have_three_digits(count: int, text: str):
    assert abbreviate(count) == text
