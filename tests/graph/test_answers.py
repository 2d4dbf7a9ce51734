"""What a graph answers to its readers: the main path, who reads a value, what values need, what stands together."""

import pytest

from archbuilder import lower, summarize
from archbuilder.graph.graph import INPUT, Graph, Section, Value, graphs_in, reduction_of
from archbuilder.language.networks import network_names
from tests.networks import lowered

BRANCHED = """
stem: {conv: {block: conv, width: 8, kernel: 3, stride: 2}}
stages:
  a: {block: conv, width: 8, kernel: 1}
  gone: {block: norm, when: false}
  b: {block: conv, width: 8, kernel: 1, from: conv}
  sum: {block: add, from: [gone, b]}
  parts: {block: split, parts: 2}
  part: {block: norm, from: parts.1}
  up: {block: upsample}
"""


@pytest.fixture(name="branched", scope="module")
def fixture_branched() -> Graph:
    return lowered(BRANCHED)


def numbers(graph: Graph) -> dict[str, int]:
    return {node.name: number for number, node in enumerate(graph.nodes)}


def called(graph: Graph, value: Value) -> str:
    name = "input" if value.node == INPUT else graph.nodes[value.node].name
    return name if value.item is None else f"{name}.{value.item}"


def test_the_main_path_leads_back_along_first_inputs(branched: Graph) -> None:
    path = [called(branched, value) for value in branched.main_path()]
    assert path == ["up", "part", "parts.1", "sum", "a", "conv", "input"]
    other = branched.main_path(Value(numbers(branched)["b"]))
    assert [called(branched, value) for value in other] == ["b", "conv", "input"]


def test_the_main_path_ends_where_nothing_goes_in() -> None:
    held = "p: {block: parameter, shape: [3, 1, 1]}, n: {block: norm, kind: layer, from: p}"
    graph = lowered(f"stages: {{{held}, m: {{block: multiply, from: [input, n]}}}}")
    assert [called(graph, value) for value in graph.main_path(Value(1))] == ["n", "p"]


def test_readers_look_through_what_was_left_out(branched: Graph) -> None:
    counts = {called(branched, value): count for value, count in branched.readers.items()}
    assert counts == {"input": 1, "conv": 2, "a": 1, "b": 1, "sum": 1, "parts.1": 1, "parts": 1, "part": 1, "up": 1}


def test_what_is_given_is_read(branched: Graph) -> None:
    graph = lowered(
        "stages: {a: norm, aux: {block: conv, kernel: 1, from: a, output: always}, b: {block: norm, from: a}}"
    )
    assert [graph.readers[Value(number)] for number in range(3)] == [2, 1, 1]
    assert branched.readers[branched.output] == 1


def test_what_values_need(branched: Graph) -> None:
    at = numbers(branched)
    needed = branched.needed_for([Value(at["gone"])])
    assert {branched.nodes[number].name for number in needed} == {"conv", "a", "gone"}
    assert branched.needed_for([Value(INPUT)]) == branched.unneeded([branched.output]) == frozenset()
    assert branched.unneeded([Value(at["sum"])]) == {at["parts"], at["part"], at["up"]}


def test_how_far_a_value_is_reduced(branched: Graph) -> None:
    at = numbers(branched)
    assert [branched.reduction(Value(at[name])) for name in ("conv", "part", "up")] == [2, 2, 1]
    assert branched.reduction(Value(INPUT)) == 1
    loose = reduction_of(Value(at["part"]), list(branched.nodes), branched.input)
    assert loose == 2


def test_what_stands_inline_is_one_piece() -> None:
    inline = "{inline: true, body: {x: norm, y: activation}}"
    graph = lowered(f"stages: {{a: norm, b: {inline}, c: norm}}")
    assert list(graph.pieces(graph.sections[0])) == [Section("", 0, 1), Section("b", 1, 3), Section("", 3, 4)]
    assert list(graph.pieces(Section("none", 2, 2))) == []


def test_every_op_is_met_once() -> None:
    graph = lower("resnet18")
    met = list(graph.ops())
    assert len({(around, number) for around, number, _ in met}) == len(met)
    assert {op.name for _, _, op in met} == {"conv", "norm", "activation", "max_pool", "global_pool", "add", "linear"}
    assert all(node.body is op and node in around.nodes for around, node, op in met)


@pytest.mark.parametrize("name", network_names())
def test_every_value_is_read_as_often_as_it_is_named(name: str) -> None:
    for graph in graphs_in(lower(name)):
        whole = sum(count for value, count in graph.readers.items() if value.item is None)
        named = sum(len(node.inputs) for node in graph.nodes if node.body is not None)
        assert whole == named + 1 + len(graph.outputs)


def test_a_repeated_layer_counts_as_often_as_it_is_there() -> None:
    assert summarize(lowered("stages: {a: {block: conv, kernel: 3, depth: 4}}")).layers == 4
