"""Two networks side by side: each step with the one that belongs to it."""

from __future__ import annotations

import pytest

import archbuilder
from tests.page.reading import data_in

BASE = """
name: {name}
input: {{channels: 3, size: 32}}
stages:
  one: {{block: basic, width: 16, depth: {depth}}}
  {extra}two: {{block: basic, width: 32, depth: 2, stride: 2}}
head: {{pool: global_pool, fc: {{block: linear, width: 10}}}}
"""


def pairs(depth: int = 2, extra: str = "") -> list[tuple[int, str | None, str | None, str, list[str]]]:
    """What a network and a changed one make: how deep, the names, the kind, what differs."""
    specs = [
        archbuilder.load("a.yaml", text=BASE.format(name="a", depth=2, extra="")),
        archbuilder.load("b.yaml", text=BASE.format(name="b", depth=depth, extra=extra)),
    ]
    data = data_in(archbuilder.render_page(*specs))
    names = [names_of(network) for network in data["networks"]]
    return [
        (level, *(_name(side, at) for side, at in zip(names, (a, b), strict=True)), kind, [what for what, *_ in changes])
        for level, a, b, kind, changes, _ in data["pairs"]
    ]  # fmt: skip


def _name(names: list[str], at: int) -> str | None:
    return names[at] if at >= 0 else None


def names_of(network: dict) -> list[str]:
    names: list[str] = []

    def visit(figure: int) -> None:
        for box in network["figures"][figure]["boxes"]:
            for _, name, _ in box.get("of", ()):
                names.append(network["strings"][name])
                if "inside" in box:
                    visit(box["inside"])

    visit(0)
    return names


def test_the_same_network_has_no_differences() -> None:
    assert pairs() == [(0, None, None, "same", [])]


def test_another_depth_is_one_change() -> None:
    found = [each for each in pairs(depth=3) if each[3] != "same"]
    assert found[:2] == [(0, None, None, "changed", []), (1, "one", "one", "changed", ["depth"])]
    assert all(name == other for _, name, other, *_ in found[2:])


def test_a_stage_that_is_inserted_moves_no_other() -> None:
    top = [(a, b, kind) for level, a, b, kind, _ in pairs(extra="new: {block: basic, width: 16}\n  ") if level == 1]
    assert top == [("one", "one", "same"), (None, "new", "new"), ("two", "two", "same"), ("head", "head", "same")]


@pytest.mark.parametrize(("a", "b"), [("resnet50", "resnet50d"), ("hrnet_w18", "hrnet_w32"), ("googlenet", "resnet18")])
def test_each_step_belongs_to_one_at_most(a: str, b: str) -> None:
    data = data_in(archbuilder.render_page(a, b))
    for side in (1, 2):
        numbers = [row[side] for row in data["pairs"] if row[side] >= 0]
        assert len(numbers) == len(set(numbers))
        assert max(numbers) < len(data["networks"][side - 1]["at"])
