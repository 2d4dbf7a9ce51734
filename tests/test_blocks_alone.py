"""One block by itself: from Python and as it is summed up, whatever kinds of values it takes and gives."""

import numpy as np
import pytest
import torch

import archbuilder
from archbuilder import SpecError, check_block

TEXT = """
defaults: {norm: {kind: layer}}
blocks:
  layer:
    parameters: {heads: 2}
    body: {norm: norm, attn: {block: reduced_attention, heads: $heads}, sum: {block: add, from: [attn, input]}}
"""


def test_a_map() -> None:
    block = archbuilder.block("basic", input=(3, 6, 6), width=6, stride=2)
    assert block(torch.rand(2, 3, 6, 6)).shape == (2, 6, 3, 3)


def test_tokens() -> None:
    block = archbuilder.block("layer", text=TEXT, input=(8, 4, 6), tokens=True, heads=4)
    assert block(torch.rand(2, 4, 6, 8)).shape == (2, 4, 6, 8)
    checked = check_block("attention", {"heads": 2}, [(8, 4, 4)] * 3, tokens=True)
    assert str(checked.graph.output_shape) == "4×4 tokens of 8"


def test_several_values_in_and_out() -> None:
    block = archbuilder.block("hr_module", input=[(8, 8, 8), (16, 4, 4)], blocks=1)
    fine, coarse = block((torch.rand(2, 8, 8, 8), torch.rand(2, 16, 4, 4)))
    assert (fine.shape, coarse.shape) == ((2, 8, 8, 8), (2, 16, 4, 4))
    parts = archbuilder.block("hr_transition", input=(8, 8, 8), streams=3)(torch.rand(1, 8, 8, 8))
    assert [part.shape[1] for part in parts] == [8, 16, 32]


def test_what_is_inside_can_be_told_too() -> None:
    graph = check_block("basic", {"width": 8, "norm.eps": 0.1, "after_last_norm": {"se": "squeeze_excite"}}).graph
    assert {node.body.eps for node in graph.nodes if node.name.startswith("bn")} == {0.1}
    assert "se" in [node.name for node in graph.nodes]


def test_numbers_of_numpy_are_numbers() -> None:
    assert archbuilder.block("basic", width=np.int64(8), input=(8, 4, 4))(torch.rand(1, 8, 4, 4)).shape[1] == 8


@pytest.mark.parametrize("input", [(8, 6), (2, 8, 6, 6), torch.rand(2, 8, 6, 6).shape, 8, "8x6x6", (8, 6, 0), ()])
def test_what_is_no_size_is_refused(input: object) -> None:
    with pytest.raises(ValueError, match="`input` is \\(channels, height, width\\) of one image, without the batch"):
        archbuilder.block("basic", width=8, input=input)
    with pytest.raises(ValueError, match="`input` is"):
        archbuilder.lower("resnet18", input)


def test_what_it_is_told_is_checked() -> None:
    with pytest.raises(SpecError, match="remove the quotes"):
        archbuilder.block("basic", width="12")
