"""Layers are counted as papers do, costs as fvcore does; rows add up to totals."""

import pytest

from archbuilder import Summary, check, lower, summarize
from archbuilder.analysis.summary import DEPTHS, Depth
from archbuilder.language import zoo
from archbuilder.language.load import load_architecture
from archbuilder.language.networks import network_names
from tests.networks import lowered

NETWORKS = network_names()


def summary(text: str) -> Summary:
    return summarize(lowered(text))


@pytest.mark.parametrize(
    ("text", "layers"),
    [
        ("stages: {a: {block: conv, kernel: 3}, b: norm, c: activation}", 1),
        ("head: {pool: global_pool, fc: {block: linear, width: 10}}", 1),
        ("stages: {a: {block: basic, width: 8, depth: 3}}", 6),  # shortcuts left out
        ("stages: {a: {block: bottleneck, width: 64, depth: 2}}", 6),
        ("stages: {a: {block: res2net, width: 64}}", 3),  # the ladder counts once
        ("stages: {a: {block: basic, width: 16, after_last_norm: {se: squeeze_excite}}}", 2),  # gates left out
        ("stages: {a: {block: basic, width: 16, shortcut: null}}", 2),
        ("stages: {a: {block: conv, kernel: 1}, b: {block: conv, kernel: 1, from: input}, c: {block: concat, from: [a, b]}}", 1),
    ],
)  # fmt: skip
def test_layers(text: str, layers: int) -> None:
    assert summary(text).layers == layers


LONG = "long: [{block: conv, kernel: 1}, {block: conv, kernel: 1}, {block: conv, kernel: 1}]"


@pytest.mark.parametrize("join", ["add", "concat"])
@pytest.mark.parametrize("order", ["short, long", "long, short"])
def test_the_longest_way_to_what_joins_counts(join: str, order: str) -> None:
    steps = f"{LONG}, short: {{block: conv, from: input, kernel: 1}}, joined: {{block: {join}, from: [{order}]}}"
    assert summary(f"stages: {{{steps}}}").layers == 3
    assert summary(f"blocks: {{own: {{body: {{{steps}}}}}}}\nstages: {{a: {{block: own, depth: 4}}}}").layers == 12


@pytest.mark.parametrize(("order", "layers"), [("short, long", 1), ("long, short", 3)])
def test_the_first_input_of_a_product_counts(order: str, layers: int) -> None:
    steps = f"{LONG}, short: {{block: conv, from: input, kernel: 1}}, gated: {{block: multiply, from: [{order}]}}"
    assert summary(f"stages: {{{steps}}}").layers == layers


STREAMS = """
blocks:
  fork: {body: {a: {block: conv, kernel: 1}, b: {block: identity, from: input}}, return: [a, b]}
  cross:
    body: {a: {block: conv, from: input.0, kernel: 1}, b: [{block: conv, kernel: 1}], c: {block: identity, from: input.1}}
    return: [RETURNED]
stages: {fork: fork, cross: {block: cross, depth: 5}, last: {block: add, from: [cross.TAKEN, cross.TAKEN]}}
"""


@pytest.mark.parametrize(
    ("returned", "taken", "layers"),
    [
        ("a, b", 0, 1 + 5),  # the first stream goes into itself
        ("b, a", 0, 1 + 5 * 2),
        ("a, b", 1, 1 + 4 + 2),
        ("b, c", 1, 0),  # the second passes through
    ],
)
def test_the_longest_way_goes_from_stream_to_stream(returned: str, taken: int, layers: int) -> None:
    unread = "" if "c" in returned else ", c: {block: identity, from: input.1}"
    text = STREAMS.replace(unread, "") if unread else STREAMS
    assert summary(text.replace("RETURNED", returned).replace("TAKEN", str(taken))).layers == layers


def test_what_a_block_holds_lengthens_no_way() -> None:
    scaled = "scale: {block: parameter, shape: [3, 1, 1]}, scaled: {block: multiply, from: [conv, scale]}"
    assert summary(f"stages: {{conv: {{block: conv, kernel: 1}}, {scaled}}}").layers == 1


@pytest.mark.parametrize("name", NETWORKS)
def test_each_network_of_the_zoo_states_its_papers_layers_or_why_not(name: str) -> None:
    expect = load_architecture(name).expect
    if expect is None or expect.layers is None:
        (path, _), *_ = zoo.find(name)[1]
        assert "# `layers` is not expected: the paper " in path.read_text("utf-8")


def test_counts() -> None:
    result = summary("stages: {a: {block: conv, width: 8, kernel: 3, bias: true}, b: norm}")
    assert result.parameters == (3 * 9 * 8 + 8) + 16
    assert result.buffers == 8 + 8 + 1
    assert result.macs == 8 * 32 * 32 * 27
    assert result.activations == 8 * 32 * 32
    assert (result.input_shape, result.output_shape) == ((3, 32, 32), (8, 32, 32))


@pytest.mark.parametrize("name", NETWORKS)
def test_rows_add_up(name: str) -> None:
    total = check(name).summary
    for depth in DEPTHS:
        rows = [row for row in total.rows(depth) if row.level == 0]
        for count in ("parameters", "buffers", "macs", "activations"):
            assert sum(getattr(row, count) for row in rows) == getattr(total, count)


def test_rows_go_as_deep_as_asked() -> None:
    result = summarize(lower("resnet18"))
    with pytest.raises(ValueError, match="unknown depth 'model': expected one of stage, block, layer"):
        result.rows("model")  # type: ignore[arg-type]
    levels: dict[Depth, int] = {depth: max(row.level for row in result.rows(depth)) for depth in DEPTHS}
    assert levels["stage"] == 0
    assert levels["block"] == 1
    assert levels["layer"] >= 2
    assert [row.path for row in result.stages] == ["stem", "layer1", "layer2", "layer3", "layer4", "head"]


def test_state_of_a_summary() -> None:
    state = summarize(lower("resnet18")).state
    assert state["conv1.weight"] == (64, 3, 7, 7)
    assert list(state)[-1] == "fc.bias"
