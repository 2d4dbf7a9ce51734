"""Values and graphs that share their parts: small texts that would be huge if each part were written out.

A reader walks each distinct part once, or counts before it writes anything out, and says what is too much.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest
import torch  # noqa: F401 -- so that no test waits for it

import archbuilder
from archbuilder import SpecError
from archbuilder.analysis.table import as_table
from archbuilder.diagnostics import TooManyStepsError
from archbuilder.graph.bounds import steps_in
from archbuilder.tasks.checking import Checked
from tests.properties.judge import SECONDS, judge

HEAD = "name: net\ninput: {channels: 8, size: 16}\n"


def doubled(first: str, each: str, levels: int = 30) -> str:
    """Blocks of which each has the one before it twice: `BEFORE` stands for its name."""
    blocks = [f"  b0: {{{first}}}", *(f"  b{n}: {{{each.replace('BEFORE', f'b{n - 1}')}}}" for n in range(1, levels))]
    return HEAD + "blocks:\n" + "\n".join(blocks) + f"\nstages: {{a: b{levels - 1}}}\n"


NORM, CONV = "body: [norm]", "body: [{block: conv, kernel: 3}]"
HELD = "body: {p: {block: parameter, shape: [1, $(input.height), 1]}, s: {block: multiply, from: [input, p]}}"
DROP = "body: {c: norm, d: {block: drop_path, rate: 0.1}, s: {block: add, from: [d, input]}}"
GRAPHS = {
    "lists": doubled(NORM, "body: [BEFORE, BEFORE]"),
    "maps": doubled(CONV, "body: {x: BEFORE, y: BEFORE}"),
    "lists in lists": doubled(CONV, "body: [[BEFORE, norm], [BEFORE]]", levels=20),
    "sums": doubled(CONV, "body: {x: BEFORE, y: BEFORE, s: {block: add, from: [x, y]}}"),
    "branches": doubled(CONV, "body: {x: BEFORE, y: {block: BEFORE, from: input}, s: {block: add, from: [x, y]}}"),
    "repeats": doubled(NORM, "body: [{block: BEFORE, depth: 2}, BEFORE]"),
    "loops": doubled(NORM, "body: {for i in 2: {x$i: BEFORE}}"),
    "slots": doubled(
        "parameters: {s: {type: block, default: norm}}, body: [{block: $s}]",
        "parameters: {s: {type: block, default: norm}}, body: [{block: BEFORE, s: $s}, {block: BEFORE, s: $s}]",
    ),
    "parameters": doubled(
        "parameters: {k: 3}, body: [{block: conv, kernel: $k}]",
        "parameters: {k: 3}, body: {x: {block: BEFORE, k: $k}, y: {block: BEFORE, k: $k}}",
    ),
    "held tensors": doubled(HELD, "body: [BEFORE, BEFORE]"),
    "drop paths": doubled(DROP, "body: [BEFORE, BEFORE]"),
}  # fmt: skip


DEPTHS = ("stage", "block", "layer")
WIRED = ("sums", "branches")
"""Kinds whose blocks are more than one step after another."""


def refused(checked: Checked) -> set[str]:
    """The readers of a network for which it has too many steps. Any other exception passes through."""
    graph, summary, architecture = checked.graph, checked.summary, checked.architecture
    ways: dict[str, Callable[[], object]] = {
        "text": lambda: str(graph),
        "sizes": lambda: str(checked.sizes),
        "drawing of volumes": lambda: archbuilder.render(graph, style="volumes"),
        "dump": lambda: archbuilder.dump(architecture),
        "source": lambda: archbuilder.to_source(graph),
        "build": lambda: archbuilder.build(architecture),
        "state": lambda: summary.state,
    }
    for depth in DEPTHS:
        ways[f"rows of {depth}"] = partial(summary.rows, depth)
        for format in ("dot", "svg"):
            ways[f"{format} of {depth}"] = partial(archbuilder.render, graph, format=format, depth=depth)
    with pytest.raises(SpecError, match="unknown-path"):
        archbuilder.why(architecture, "a.nothing.width")
    return {name for name, read in ways.items() if _is_too_much(read)}


def _is_too_much(read: Callable[[], object]) -> bool:
    with suppress(TooManyStepsError):
        read()
        return False
    return True


@pytest.mark.parametrize("kind", GRAPHS)
def test_a_graph_that_shares_its_parts(kind: str) -> None:
    checked = judge(GRAPHS[kind])
    assert isinstance(checked, Checked)
    assert steps_in(checked.graph) > 10**6
    begin = time.process_time()
    found = refused(checked)
    assert time.process_time() - begin < 3 * SECONDS
    rates = {"source"} if kind == "drop paths" else set()  # each has one of its own
    volumes = {"drawing of volumes"} if kind not in WIRED else set()  # whose blocks are one volume each
    assert found == {"build", "state", "rows of layer", "dot of layer", "svg of layer", *rates, *volumes}


def test_what_is_held_keeps_its_sizes_by_what_is_different() -> None:
    begin = time.process_time()
    with pytest.raises(SpecError, match="multiply expected"):  # tensors of 16 rows, and maps of 20
        archbuilder.check("net.yaml", text=GRAPHS["held tensors"], input=(8, 20, 20))
    assert time.process_time() - begin < SECONDS


@pytest.mark.parametrize("kind", GRAPHS)
def test_memory_and_fields_cost_by_what_is_different(kind: str) -> None:
    checked = archbuilder.check("net.yaml", text=GRAPHS[kind])
    begin = time.process_time()
    for measured in (checked.summary, *checked.summary.rows("block")):
        assert measured.training_memory is not None
        assert measured.receptive_field is not None
    assert checked.summary.inference_memory is not None
    assert time.process_time() - begin < SECONDS


def test_a_small_one_is_read_in_every_way() -> None:
    checked = judge(doubled(CONV, "body: {x: BEFORE, y: BEFORE}", levels=4))
    assert isinstance(checked, Checked)
    assert refused(checked) == set()


def test_the_largest_table_is_there_in_time() -> None:
    checked = judge(doubled(NORM, "body: [BEFORE, BEFORE]", levels=12))
    assert isinstance(checked, Checked)
    begin = time.process_time()
    assert as_table(checked.summary, "layer").count("\n") > 6_000
    assert time.process_time() - begin < 3 * SECONDS


def test_so_many_steps_as_one_volume_are_counted_first() -> None:
    graph = archbuilder.check("net.yaml", text=GRAPHS["maps"]).graph
    with pytest.raises(TooManyStepsError) as caught:
        archbuilder.render(graph, style="volumes")
    assert str(caught.value) == (
        "as volumes, with all repeats, this network has 536,870,912 steps, and at most 20,000 are drawn: draw a sheet"
    )


def test_a_block_that_shares_its_parts() -> None:
    text = GRAPHS["maps"]
    block = archbuilder.check_block("b29", text=text, input=(8, 16, 16))
    assert block.summary.parameters == 576 * 2**29
    with pytest.raises(TooManyStepsError, match="with all its repeats this network has 1,610,612,734 steps"):
        archbuilder.block("b29", text=text, input=(8, 16, 16))


# ---- values ----------------------------------------------------------------------------------------------------------


def chain(first: str, each: str, use: str, levels: int = 60) -> str:
    """Parameters of which each has the one before it several times: `BEFORE` stands for its name."""
    said = [f"  v0: {first}", *(f"  v{n}: {each.replace('BEFORE', f'v{n - 1}')}" for n in range(1, levels))]
    return HEAD + "parameters:\n" + "\n".join(said) + f"\nstages:\n  a: {use.replace('LAST', f'v{levels - 1}')}\n"


PAIRS = '"$([BEFORE, BEFORE])"'
VALUES = {
    "as a width": chain('"$([1, 2])"', PAIRS, "{block: conv, kernel: 3, width: $LAST}"),
    "of a list in the text": chain("[1, 2]", "[$BEFORE, $BEFORE]", "{block: conv, kernel: 3, width: $LAST}"),
    "of a list in a list": chain("[1, 2]", "[[$BEFORE], [[$BEFORE]]]", "{block: conv, kernel: 3, width: $LAST}"),
    "of a map": chain("{x: 1}", "{x: $BEFORE, y: $BEFORE}", "{block: conv, kernel: 3, width: $LAST}"),
    "as a condition": chain('"$([1, 2])"', PAIRS, '{block: norm, when: "$(LAST == LAST)"}'),
    "as another condition": chain('"$([1, 2])"', PAIRS, '{block: norm, when: "$([LAST] == [LAST])"}'),
    "asked for": chain('"$([1, 2])"', PAIRS, '{block: norm, when: "$(3 in [LAST, LAST])"}'),
    "as a name": chain('"$([1, 2])"', PAIRS, '{block: "$LAST"}'),
    "chosen": chain('"$([1, 2])"', '"$([BEFORE, BEFORE] if true else BEFORE)"', "{block: norm, eps: $LAST}"),
    "in a text": chain("xx", '"$BEFORE$BEFORE"', "{block: activation, kind: $LAST}"),
    "in a default": chain('"$([1, 2])"', PAIRS, "norm") + "defaults: {norm: {eps: $v59}}\n",
    "in what is expected": chain('"$([1, 2])"', PAIRS, "norm") + "expect: {output: $v59}\n",
    "counted": chain('"$([1, 2])"', PAIRS, "{block: conv, kernel: 3, width: $(len(LAST))}"),
}  # fmt: skip


@pytest.mark.parametrize("text", VALUES.values(), ids=VALUES)
def test_a_value_that_shares_its_parts(text: str) -> None:
    assert isinstance(judge(text), SpecError)


def test_two_chains_that_are_compared() -> None:
    pairs = "".join(f'  v{n}: "$([v{n - 1}, v{n - 1}])"\n  w{n}: "$([w{n - 1}, w{n - 1}])"\n' for n in range(1, 40))
    text = f'{HEAD}parameters:\n  v0: "$([1])"\n  w0: "$([1])"\n{pairs}stages: {{a: {{block: norm, when: "$(v39 == w39)"}}}}\n'
    (found, *_) = errors(text)
    assert found == "a list in this expression has more than 1,000 parts"


def errors(text: str) -> list[str]:
    result = judge(text)
    assert isinstance(result, SpecError)
    return [each.message for each in result.diagnostics]


def test_a_list_of_some_length_is_no_matter() -> None:
    widths = ", ".join(["8"] * 900)
    text = (
        f'{HEAD}parameters: {{widths: [{widths}]}}\nstages:\n  a: {{block: conv, kernel: 3, width: "$(max(widths))"}}\n'
    )
    assert isinstance(judge(text), Checked)
