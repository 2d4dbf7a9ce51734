"""The data of a page: every step and every value of the graph is in it, with the figures that the summary has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest

import archbuilder
from archbuilder.graph.graph import INPUT, Graph, graphs_in
from archbuilder.page.picture import Drawn
from tests.page.reading import Read, read

NETWORKS = ["resnet18", "resnet50", "googlenet", "hrnet_w18_small", "convnext_tiny", "pvt_v2_b0", "efficientnet_b0"]


@cache
def known(name: str) -> Read:
    return read(name)


def steps(graph: Graph, path: str = "") -> Iterator[str]:
    """The paths of all steps that do something, of repeats the first."""
    for node in graph.nodes:
        name = f"{path}{node.shown_names()[0]}"
        if isinstance(node.body, Graph):
            yield name
            yield from steps(node.body, f"{name}.")
        elif node.body is not None and node.body.role != "identity":
            yield name


@pytest.mark.parametrize("name", NETWORKS)
def test_every_step_of_the_graph_is_there(name: str) -> None:
    page = known(name)
    assert Counter(item["path"] for item in page.items() if not item["part"]) == Counter(steps(page.lowered.graph))


def edges_missing(drawn: Drawn) -> list[str]:
    """The values that a step of a figure's graph takes, without a line in the figure."""
    figure, graph = drawn.figure, drawn.figure.graph
    assert graph is not None
    box_of = {number: box for box in figure.boxes for number in box.nodes}
    lines = {(edge.source, edge.target) for edge in figure.edges}
    ways = {(way.edge.source, way.edge.target) for way in drawn.plan.ways}
    assert ways == lines, "a line has no way"
    missing: list[str] = []
    for number, box in box_of.items():
        for value in graph.nodes[number].inputs:
            source = graph.source_of(value)
            while source.node != INPUT and source.node not in box_of and graph.nodes[source.node].inputs:
                source = graph.source_of(graph.nodes[source.node].inputs[0])  # behind what changes nothing
            before = box_of.get(source.node)
            found = before is box or (before.id if before is not None else None, box.id) in lines
            entered = before is None and any(target == box.id for _, target in lines)
            if not (found or entered):
                missing.append(f"{source} to {box.id}")
    return missing


@pytest.mark.parametrize("name", NETWORKS)
def test_every_value_has_a_line(name: str) -> None:
    assert [each for drawn in known(name).picture.drawn for each in edges_missing(drawn)] == []


@pytest.mark.parametrize("name", NETWORKS)
def test_figures_add_up_to_the_summary(name: str) -> None:
    page, summary = known(name), archbuilder.summarize(known(name).lowered.graph)
    top = [item for item in page.items() if item["top"]]
    layers = [item for item in page.items() if not item["inside"]]
    for items in (top, layers):
        assert sum(item["parameters"] * item["around"] for item in items) == summary.parameters
        assert sum(item["kept"] for item in items) == summary.training_memory
    assert sum(item["macs"] for item in top) == summary.macs
    assert sum(item["activations"] for item in top) == summary.activations


@pytest.mark.parametrize("name", NETWORKS)
def test_keys_are_those_of_the_state_dict(name: str) -> None:
    page = known(name)
    state = archbuilder.summarize(page.lowered.graph).state
    of_first, all_of_them = dict[str, str](), 0
    for item in page.items():
        all_of_them += item["times"] * len(item["tensors"])
        of_first |= {f"{item['path']}.{key}".rstrip("."): shape for key, shape in item["tensors"]}
    assert all_of_them == len(state)
    assert {key: "×".join(map(str, state[key])) for key in of_first} == of_first


def test_a_layer_knows_what_a_row_of_the_summary_says() -> None:
    page = known("resnet50")
    for row in archbuilder.summarize(page.lowered.graph).rows("layer"):
        if row.level and "–" not in row.path:
            item = page.item(row.path)
            assert page.data["shapes"][item["output"]] == str(row.output_shape)
            assert (item["parameters"] * item["around"], item["kept"]) == (row.parameters, row.training_memory), (
                row.path
            )
            assert item["field"] == str(row.receptive_field)


def test_a_layer_tells_how_many_bytes_it_moves() -> None:
    conv = known("resnet50").item("layer3.0.conv2")  # 256×28×28 to 256×14×14 by 256×256×3×3
    assert conv["bytes"] == 4 * (256 * 28 * 28 + 256 * 14 * 14 + 256 * 256 * 9)
    assert known("resnet50").data["totals"]["bytes"] == sum(
        item["bytes"] * item["around"] for item in known("resnet50").items() if not item["inside"]
    )


def test_a_parameter_tells_why_it_is_what_it_is() -> None:
    page = known("resnet50")
    why = page.whys("layer3.0.conv2")["stride"]
    name, value, _, _, candidates, _, variables = why
    assert (page.text(name), page.text(value)) == ("stride", "2")
    (text, place, whose, won), *_ = candidates
    assert (page.text(text), page.text(whose)) == (
        "$(stride if stride_in == 'conv2' else 1)",
        "fixed in the body of `bottleneck`",
    )
    assert won == 1
    source, line, *_ = page.data["places"][place]
    shown = page.data["sources"][source]
    (text_there,) = [lines[line - start] for start, lines in shown["text"] if 0 <= line - start < len(lines)]
    assert shown["name"] == "blocks/residual.yaml"
    assert text_there.strip().startswith("conv2: {")
    inner = [page.data["whys"][number] for number in variables]
    assert [(page.text(each[0]), page.text(each[1]), page.text(each[3])) for each in inner] == [
        ("stride", "2", "layer3.0"),
        ("stride_in", "conv2", ""),
    ]


def test_every_place_lies_in_a_text_that_is_shown() -> None:
    for name in NETWORKS:
        data = known(name).data
        for source, line, *_ in data["places"]:
            texts = data["sources"][source]["text"]
            assert any(start <= line < start + len(lines) for start, lines in texts), (name, source, line)


def test_each_way_in_which_a_figure_is_arranged_is_there_once() -> None:
    data = known("resnet50").data
    assert len({repr(plan) for plan in data["plans"]}) == len(data["plans"]) < len(data["figures"])


def test_a_graph_that_is_called_often_is_one_figure() -> None:
    page = known("hrnet_w18_small")
    graphs = len(list(graphs_in(page.lowered.graph)))
    assert len(page.picture.drawn) <= graphs + len([item for item in page.items() if item["part"]])
