"""The graph: repeats stay repeats, state has torch's order, and a backbone holds no more than it needs."""

import time
from pathlib import Path

import pytest

from archbuilder import Graph, lower, summarize
from archbuilder.graph.cut import cut
from archbuilder.graph.graph import INPUT, Node
from tests.networks import lowered, modules


def graphs(graph: Graph, found: dict[int, Graph] | None = None) -> dict[int, Graph]:
    """A graph and every different one inside."""
    found = {} if found is None else found
    found[id(graph)] = graph
    for node in graph.nodes:
        if isinstance(node.body, Graph) and id(node.body) not in found:
            graphs(node.body, found)
    return found


def nodes(graph: Graph) -> list[Node]:
    """Every node that is there in memory."""
    return [node for inner in graphs(graph).values() for node in inner.nodes]


def test_a_deep_network_is_no_larger_than_a_shallow_one() -> None:
    shallow, deep = lower("cifar_resnet20"), lower("cifar_resnet1202")
    assert len(nodes(deep)) == len(nodes(shallow)) < 100
    assert sum(node.count for node in nodes(deep)) > 600
    assert summarize(deep).layers == 1202
    assert len(list(deep.state())) > 7000


def test_lowering_costs_what_differs() -> None:
    def seconds(name: str) -> float:
        start = time.perf_counter()
        lower(name)
        return time.perf_counter() - start

    lower("cifar_resnet20")
    assert min(seconds("cifar_resnet1202") for _ in range(5)) < 2 * max(seconds("cifar_resnet20") for _ in range(5))


def test_values_come_from_nodes_before() -> None:
    for graph in graphs(lower("res2net50_26w_4s")).values():
        for number, node in enumerate(graph.nodes):
            assert all(INPUT <= value.node < number for value in node.inputs)
            assert node.inputs


def test_every_node_remembers_its_place() -> None:
    graph = lower("resnet50")
    assert all(node.place is not None for node in nodes(graph))
    place = graph.nodes[0].place
    assert place is not None
    assert (Path(place.source.name).name, place.source.line(place.line).strip()[:6]) == ("resnet.yaml", "conv1:")


def test_state_is_parameters_buffers_then_children() -> None:
    graph = lowered("stages: {layer1: {block: basic, width: 8}}")
    assert [key for key, _ in graph.state()][:7] == [
        "layer1.conv1.weight", "layer1.bn1.weight", "layer1.bn1.bias", "layer1.bn1.running_mean",
        "layer1.bn1.running_var", "layer1.bn1.num_batches_tracked", "layer1.conv2.weight",
    ]  # fmt: skip


def test_children_of_one_container_stand_together() -> None:
    graph = lowered("stages: {a.x: norm, b: norm, a.y: norm}")
    assert list(dict.fromkeys(key[:3] for key, _ in graph.state())) == ["a.x", "a.y", "b.w", "b.b", "b.r", "b.n"]


def test_a_cut_graph_has_what_its_taps_need() -> None:
    graph = lower("resnet18")
    taps = [tap for tap in graph.taps if tap.name in ("layer1", "layer3")]
    backbone = cut(graph, taps)
    assert [node.name for node in backbone.nodes] == ["conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3"]
    assert [(tap.name, str(backbone.shape_of(tap.value))) for tap in backbone.returned] == [
        ("layer1", "64×56×56"), ("layer3", "256×14×14"),
    ]  # fmt: skip
    assert set(modules(backbone)) < set(modules(graph))


def test_a_graph_cannot_be_changed() -> None:
    graph = lower("resnet18")
    with pytest.raises(AttributeError):
        graph.nodes = ()  # type: ignore[misc]
    with pytest.raises(AttributeError):
        graph.nodes[0].name = "x"  # type: ignore[misc]


@pytest.mark.parametrize("size", [(3, 224, 224), (3, 65, 97), (1, 33, 224)])
def test_one_network_for_every_size_of_input(size: tuple[int, int, int]) -> None:
    graph = lower("resnet18", size)
    assert tuple(graph.input) == size
    assert str(graph.output_shape) == "1000"


@pytest.mark.parametrize("name", ["efficientnet_b1", "squeezenet1_1", "densenet121", "resnet18"])
@pytest.mark.parametrize("size", [None, (3, 97, 161)])
def test_the_reduction_is_that_of_the_strides(name: str, size: tuple[int, int, int] | None) -> None:
    """Not the ratio of the sizes: 240 pixels become 8 by five strides of 2."""
    assert [tap.reduction for tap in lower(name, size).taps] == [2, 4, 8, 16, 32][: 4 if name == "squeezenet1_1" else 5]
