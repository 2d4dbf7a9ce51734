"""Weights that are drawn twice: the first draw only moves the generator on, and nobody can tell."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import nn

import archbuilder
from archbuilder.pytorch.redrawn import PassingOver, redrawn_dimensions
from benchmarks.reference import torchvision_module

NETWORKS = ["cifar_resnet20", "resnet50", "mobilenet_v3_small", "pvt_v2_b0", "squeezenet1_1", "d2l_resnet18"]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_seed_gives_the_weights_of_the_exported_file(name: str) -> None:
    torch.manual_seed(3)
    built = archbuilder.build(name)
    after = torch.rand(1)
    torch.manual_seed(3)
    exported = type(built)()  # the class of the file, as anybody makes it
    assert torch.equal(torch.rand(1), after), "the generator stands somewhere else"
    for key, value in exported.state_dict().items():
        assert torch.equal(built.state_dict()[key], value), key


def test_a_seed_gives_the_weights_of_torchvision() -> None:
    torch.manual_seed(3)
    built = archbuilder.build("resnet18").state_dict()
    torch.manual_seed(3)
    reference = torchvision_module().resnet18().state_dict()
    assert all(torch.equal(built[key], value) for key, value in reference.items())


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_kinds_of_numbers_are_drawn_as_ever(dtype: torch.dtype) -> None:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        torch.manual_seed(3)
        built = archbuilder.build("cifar_resnet20")
        torch.manual_seed(3)
        exported = type(built)().state_dict()
    finally:
        torch.set_default_dtype(before)
    assert built.fc.weight.dtype is dtype
    assert all(torch.equal(value, exported[key]) for key, value in built.state_dict().items())


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (3, 1, 1, 1), (64, 3, 7, 7), (129, 65, 3, 3)])
def test_the_generator_moves_on_and_the_weights_stay(shape: tuple[int, ...]) -> None:
    weights = torch.ones(shape)
    torch.manual_seed(0)
    with PassingOver(frozenset({4})):
        nn.init.kaiming_uniform_(weights, a=math.sqrt(5))
    after = torch.rand(1)
    assert torch.equal(weights, torch.ones(shape))
    torch.manual_seed(0)
    nn.init.kaiming_uniform_(weights, a=math.sqrt(5))
    assert torch.equal(torch.rand(1), after)
    assert not torch.equal(weights, torch.ones(shape))


def test_what_else_is_drawn_stays_drawn() -> None:
    with PassingOver(frozenset({4})):
        own_way = nn.init.kaiming_uniform_(torch.ones(8, 8, 3, 3), nonlinearity="relu")
        linear = nn.init.kaiming_uniform_(torch.ones(8, 8), a=math.sqrt(5))
    assert (own_way != 1).any()
    assert (linear != 1).any()


@pytest.mark.parametrize(
    ("name", "dimensions"),
    [("resnet50", {4}), ("vgg11_bn", {2, 4}), ("tutorial_resnet18", set())],  # the last one draws as torch does
)
def test_only_weights_of_a_kind_that_are_all_drawn_anew_count(name: str, dimensions: set[int]) -> None:
    assert redrawn_dimensions(archbuilder.lower(name)) == dimensions


def test_one_convolution_that_is_drawn_as_torch_does_keeps_all(tmp_path: Path) -> None:
    spec = tmp_path / "mixed.yaml"
    spec.write_text(
        "name: mixed\ninput: {channels: 3, size: 8}\nhead:\n"
        "  conv1: {block: conv, kernel: 3, width: 4, init: kaiming_fan_out}\n  conv2: {block: conv, kernel: 3, width: 4}\n",
        "utf-8",
    )
    assert redrawn_dimensions(archbuilder.lower(spec)) == frozenset()
