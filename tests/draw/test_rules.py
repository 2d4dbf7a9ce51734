"""What loops made, drawn by its rule."""

from __future__ import annotations

import pytest

import archbuilder
from archbuilder.analysis.cost import Costs
from archbuilder.draw.model.figure import Box, Figure, Single
from archbuilder.draw.model.network import definitions_of
from archbuilder.draw.model.wiring import Wiring, figure_of, unfolded
from archbuilder.graph.graph import Graph, graphs_in

LOOP = """name: net
input: {{channels: 8, size: 16}}
blocks:
  many:
    parameters: {{n: int}}
    body:
      parts: {{block: split, parts: $n}}
      {body}
      joined: {{block: concat, from: [{joined}]}}
stages: {{one: {{block: many, n: {n}}}}}
"""


def many(body: str, joined: str = "convs.*", n: int = 8) -> Graph:
    """A block whose parts go through a loop."""
    text = LOOP.format(body=body, joined=joined, n=n)
    (graph,) = (each for each in graphs_in(archbuilder.check("net.yaml", text=text).graph) if each.definition == "many")
    return graph


def figure(graph: Graph) -> Figure:
    return figure_of(graph, Costs())


def box(found: Figure, key: str) -> Box:
    return next(each for each in found.boxes if each.id == key)


def singles(found: Figure) -> set[Single]:
    """The values between two steps in a figure, and in the frames that loops have made."""
    frames = (each.inside for each in found.boxes if each.inside is not None and any(e.each for e in each.inside.edges))
    return {single for each in (found, *frames) for edge in each.edges for single in edge.singles()}


CONV = "for i in n: {convs.$i: {block: conv, width: 4, kernel: 3, from: parts.$i}}"
LADDER = """for i in n:
        rung.$i: {block: add, from: [parts.$i, convs.$(i - 1)], when: $(i > 0)}
        convs.$i: {block: conv, width: 1, kernel: 3}"""


def test_what_each_turn_makes_is_one_box() -> None:
    found = figure(many(CONV))
    assert [each.id for each in found.boxes] == ["input", "parts", "convs.i", "joined", "output"]
    convs = box(found, "convs.i")
    assert ([band.text for band in convs.bands], convs.is_each) == (["conv 3×3", "for i = 0 … 7"], True)


def test_turns_that_build_on_each_other_are_a_frame() -> None:
    found = figure(many(LADDER))
    assert [each.id for each in found.boxes] == ["input", "parts", "convs.0", "rung.i", "joined", "output"]
    frame = box(found, "rung.i")
    assert frame.inside is not None
    assert (frame.name, frame.count) == ("for i = 1 … 7", 7)
    ends = [each.name for each in frame.inside.boxes if each.end]
    assert ends == ["", "parts.i", "", "each"]  # the turn before and the next one have no names


def test_what_only_the_last_turn_gives_leaves_the_frame_without_a_word() -> None:
    found = figure(many(LADDER, joined="parts.0, convs.$(n - 1)"))
    inside = box(found, "rung.i").inside
    assert inside is not None
    assert [each.name for each in inside.boxes if each.end] == ["", "parts.i", ""]


def test_few_turns_are_drawn_each() -> None:
    assert not any(each.is_each for each in figure(many(CONV, n=2)).boxes)


BESIDE = [
    CONV,
    CONV.replace("parts.$i", "parts.$(n - 1 - i)"),
    CONV.replace("parts.$i", "parts.$((i + 1) % n)"),
    CONV.replace("kernel: 3", "kernel: $(2 * i + 1)"),
    CONV.replace("kernel: 3", "kernel: $(3 if i < 3 else 1)"),
    CONV.replace("width: 4", "width: $(4 + i)"),
]
BUILT = [
    LADDER,
    LADDER.replace("parts.$i", "parts.$(n - 1 - i)"),
    LADDER.replace("kernel: 3", "kernel: $(3 if i < 3 else 1)"),
    LADDER.replace("convs.$(i - 1)", "convs.$(i - 1), parts.$(i - 1)"),
]
GIVEN = ["convs.*", "parts.0, convs.$(n - 1)", "convs.1, convs.$(n - 1)"]
LOOPS = [
    *((body, "convs.*") for body in BESIDE), (CONV, "convs.*, convs.2"), (CONV, "convs.2, convs.*"),
    *((body, joined) for body in BUILT for joined in GIVEN),
]  # fmt: skip


@pytest.mark.parametrize(("body", "joined"), LOOPS)
def test_every_value_is_in_the_rule(body: str, joined: str) -> None:
    graph = many(body, joined)
    assert singles(figure(graph)) == singles(unfolded(Wiring(graph, Costs())))


def looks(found: Figure) -> object:
    """What is seen of a figure."""
    frames = [(each.name, each.inside.wiring()) for each in found.boxes if each.is_open and each.inside]
    return found.wiring(), frames


def test_rules_that_differ_look_different() -> None:
    found = [figure(many(*loop)) for loop in LOOPS]
    shown = [looks(each) for each in found]
    assert all(shown.count(each) == 1 for each in shown)


def test_an_exchange_between_streams_is_its_rule() -> None:
    (module,) = [each for each in definitions_of(archbuilder.lower("hrnet_w48"), Costs()) if each.name == "hr_module"]
    assert module.stages == ["stage2", "stage3", "stage4"]  # of two, three and four streams
    words = [(each.name, [band.text for band in each.bands]) for each in module.figure.boxes if each.is_each]
    assert words == [
        ("branches.i", ["basic ×4", "for i in n"]),
        ("fuse_layers.to.of", ["hr_up", "for of in to + 1 .. n"]),
        ("fuse_layers.to.of", ["hr_down", "for of in to"]),
        ("", []),
        ("", ["relu", "for to in n"]),
    ]


@pytest.mark.parametrize("name", ["hrnet_w18_small", "res2net50_26w_8s", "skresnet18", "vgg11"])
def test_networks_have_every_value_in_their_rules(name: str) -> None:
    for graph in graphs_in(archbuilder.lower(name)):
        assert singles(figure(graph)) >= singles(unfolded(Wiring(graph, Costs())))
