"""What `build` takes beside the spec: its parameters, and the channels of its input."""

from pathlib import Path

import pytest
from torch import nn

import archbuilder
from archbuilder import SpecError

NET = """
name: net
parameters: {channels: 8, width: 4}
input: {channels: 3, size: 8}
stages:
  first: {block: conv, kernel: 1, width: $channels}
  second: {block: conv, kernel: 1, width: $width}
"""


def convolutions(model: nn.Module) -> list[tuple[int, int]]:
    return [(each.in_channels, each.out_channels) for each in model.children()]


def test_channels_are_those_of_the_input(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(NET.replace("channels: 8, ", "").replace("$channels", "8"), "utf-8")
    assert convolutions(archbuilder.build(path, channels=5, width=6)) == [(5, 8), (8, 6)]


def test_a_parameter_of_that_name_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(NET, "utf-8")
    for spec in (path, archbuilder.load(path)):
        assert convolutions(archbuilder.build(spec, channels=5)) == [(3, 5), (5, 4)]
    assert convolutions(archbuilder.build(path, channels=5, **{"input.channels": 1})) == [(1, 5), (5, 4)]


def test_a_wrong_spec_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(NET.replace("second: {block: conv", "second: {block: konv"), "utf-8")
    with pytest.raises(SpecError) as caught:
        archbuilder.build(path, channels=5)
    assert [each.code for each in caught.value.diagnostics] == ["unknown-block"]
    with pytest.raises(FileNotFoundError):
        archbuilder.build(tmp_path / "other.yaml", channels=5)
