"""Which part of a network is which of another one, and what differs between them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import archbuilder
from archbuilder.comparison.align import Pair, align

HEAD = "name: net\ninput: {channels: 3, size: 32}\nstem:\n  conv1: {block: conv, width: 16, kernel: 3}\nstages:\n"
STAGES = """\
  layer1: {block: basic, width: 16, depth: 2}
  layer2: {block: basic, width: 32, stride: 2, depth: 3}
  layer3: {block: basic, width: 64, stride: 2, depth: 2}
"""
TAIL = "head:\n  pool: global_pool\n  fc: {block: linear, width: 10}\n"
BASE = HEAD + STAGES + TAIL


def compared(a: str, b: str) -> Pair:
    ours, theirs = (
        archbuilder.lower(archbuilder.load(text=text) if "\n" in text else archbuilder.load(text)) for text in (a, b)
    )
    return align(ours, theirs)


def told(pair: Pair, path: str = "") -> Iterator[str]:
    """The changes that do not follow from others, each with where it is."""
    for change in pair.changes:
        if not change.follows:
            yield f"{path}: {change.what} {change.before} -> {change.after}"
    for inner in pair.inner:
        names = "|".join(dict.fromkeys(part.name for part in (inner.a, inner.b) if part is not None))
        below = f"{path}/{names}" if path else names
        if inner.kind.startswith("only") and not inner.follows:
            yield f"{below}: {inner.kind}"
        yield from told(inner, below)


@pytest.mark.parametrize(
    "name", ["resnet50", "densenet121", "hrnet_w18_small", "vgg11_bn", "mobilenet_v2", "googlenet"]
)
def test_a_network_is_the_same_as_itself(name: str) -> None:
    pair = compared(name, name)
    assert (pair.kind, pair.changes, pair.inner) == ("same", (), ())


@pytest.mark.parametrize(
    "name", ["resnet50d", "densenet121", "hrnet_w18_small", "vgg11", "efficientnet_b1", "pvt_v2_b0"]
)
def test_a_network_is_the_same_as_with_its_bases_merged_in(name: str) -> None:
    resolved = archbuilder.dump(archbuilder.check(name).architecture)
    assert compared(name, resolved).kind == "same"


def test_what_values_are_called_is_no_difference() -> None:
    text = "parameters: {p: 16}\nblocks:\n  mine:\n    parameters: {q: 8}\n    let: {r: $(2 * q)}\n"
    text += "    body: [{block: conv, kernel: 3, width: $r}]\n"
    stages = "stages:\n  a: {block: mine, q: $p}\n"
    one = "name: net\ninput: {channels: 3, size: 32}\n" + text + stages
    other = (
        one.replace("p: 16", "breadth: 16")
        .replace("$p", "$breadth")
        .replace("q: 8", "half: 8")
        .replace("q: $", "half: $")
    )
    other = other.replace("* q", "* half").replace("r: $(", "double: $(").replace("$r}", "$double}")
    assert compared(one, other).kind == "same"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("depth: 3", "depth: 9", ["layer2: depth 3 -> 9"]),
        ("stride: 2, depth: 3", "stride: 2, depth: 1", ["layer2: depth 3 -> 1"]),
        ("  layer3: {block: basic, width: 64, stride: 2, depth: 2}\n", "", ["layer3: only in a"]),
        ("  layer2:", "  middle: {block: bottleneck, width: 48, depth: 2}\n  layer2:", ["middle: only in b"]),
        ("  layer2:", "  shape: {block: basic, width: 24, depth: 3}\n  layer2:", ["shape: only in b"]),
        ("layer2:", "renamed:", ["layer2|renamed: name layer2 -> renamed"]),
        ("width: 64", "width: 128", ["layer3/0: width 64 -> 128", "layer3/1: width 64 -> 128"]),
        ("pool: global_pool", "pool: {block: global_pool, kind: max}", ["head/pool: kind avg -> max"]),
    ],
)  # fmt: skip
def test_a_change_is_told_where_it_is(before: str, after: str, expected: list[str]) -> None:
    assert list(told(compared(BASE, BASE.replace(before, after)))) == expected
    turned = list(told(compared(BASE.replace(before, after), BASE)))
    assert len(turned) == len(expected)


def test_stages_that_are_numbered_anew_belong_together_by_structure() -> None:
    inserted = STAGES.replace("layer3", "layer4").replace("layer2", "layer3")
    first, others = inserted.split("\n", 1)
    pair = compared(BASE, f"{HEAD}{first}\n  layer2: {{block: bottleneck, width: 24}}\n{others}{TAIL}")
    assert list(told(pair)) == ["layer2: only in b"]
    names = [(each.a and each.a.name, each.b and each.b.name) for each in pair.inner]
    assert names[1:5] == [("layer1", "layer1"), (None, "layer2"), ("layer2", "layer3"), ("layer3", "layer4")]


def test_an_inserted_step_of_a_list_moves_no_other() -> None:
    one = "name: net\ninput: {channels: 3, size: 32}\nstages:\n  a: [{block: conv, kernel: 3, width: 8}, norm, activation]\n"
    other = one.replace("norm,", "{block: dropout, rate: 0.1}, norm,")
    assert list(told(compared(one, other))) == ["a/1: only in b"]


def test_repeats_are_compared_as_runs() -> None:
    pair = compared("resnet50", "resnet101")
    layer3 = next(each for each in pair.inner if each.kind == "changed")
    assert [change[:3] for change in layer3.changes] == [("depth", 6, 23)]
    assert [(each.a and each.a.name, each.b and each.b.name) for each in layer3.inner] == [("0", "0"), ("1–5", "1–22")]


def test_another_size_of_input_is_no_difference_in_what_is_there() -> None:
    pair = compared(BASE, BASE.replace("size: 32", "size: 64"))
    assert [change.what for change in pair.changes] == ["input"]
    assert all(each.kind == "same" for each in pair.inner)
