"""Layers are counted as papers do, costs as fvcore does; rows add up to totals."""

import pytest

from archbuilder import Summary, check, lower, summarize
from archbuilder.analysis.summary import DEPTHS, Depth
from archbuilder.language.load import network_names
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
        (
            "stages: {a: {block: conv, kernel: 1}, b: {block: conv, kernel: 1, from: input}, c: {block: concat, from: [a, b]}}",
            1,
        ),
    ],
)
def test_layers(text: str, layers: int) -> None:
    assert summary(text).layers == layers


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
    levels: dict[Depth, int] = {depth: max(row.level for row in result.rows(depth)) for depth in DEPTHS}
    assert levels["stage"] == 0
    assert levels["block"] == 1
    assert levels["layer"] >= 2
    assert [row.path for row in result.stages] == ["stem", "layer1", "layer2", "layer3", "layer4", "head"]


def test_state_of_a_summary() -> None:
    state = summarize(lower("resnet18")).state
    assert state["conv1.weight"] == (64, 3, 7, 7)
    assert list(state)[-1] == "fc.bias"
