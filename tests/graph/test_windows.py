"""The arithmetic of windows is torch's."""

from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.nn import functional

from archbuilder.graph.op import OpError
from archbuilder.graph.shapes import Map
from archbuilder.graph.windows import Pair, default_padding, same_padding, slide


def pairs(low: int, high: int) -> st.SearchStrategy[Pair]:
    return st.tuples(st.integers(low, high), st.integers(low, high))


def torchs(compute: Any) -> Pair | None:
    """The size of what torch gives; None where it refuses."""
    try:
        _, _, height, width = compute().shape
    except RuntimeError:
        return None
    return (height, width) if height and width else None


def ours(*arguments: Any, **options: Any) -> Pair | None:
    try:
        return slide("window", *arguments, **options)
    except OpError:
        return None


@given(size=pairs(1, 24), kernel=pairs(1, 5), stride=pairs(1, 4), padding=pairs(0, 4), dilation=pairs(1, 3))
@settings(max_examples=200)
def test_convolution(size: Pair, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair) -> None:
    x, weight = torch.zeros(1, 1, *size), torch.zeros(1, 1, *kernel)
    expected = torchs(lambda: functional.conv2d(x, weight, None, stride, padding, dilation))
    assert ours(Map(1, *size), kernel, stride, padding, dilation) == expected


@given(size=pairs(1, 24), kernel=pairs(1, 5), stride=pairs(1, 6), padding=pairs(0, 2), ceil=st.booleans())
@settings(max_examples=200)
def test_pool(size: Pair, kernel: Pair, stride: Pair, padding: Pair, ceil: bool) -> None:
    assume(all(margin <= side // 2 for margin, side in zip(padding, kernel, strict=True)))
    x = torch.zeros(1, 1, *size)
    for pool in (functional.max_pool2d, functional.avg_pool2d):
        expected = torchs(lambda pool=pool: pool(x, kernel, stride, padding, ceil_mode=ceil))
        assert ours(Map(1, *size), kernel, stride, padding, ceil=ceil) == expected


@given(size=pairs(1, 24), kernel=pairs(0, 3), dilation=pairs(1, 3))
def test_default_padding_keeps_the_size(size: Pair, kernel: Pair, dilation: Pair) -> None:
    odd = (2 * kernel[0] + 1, 2 * kernel[1] + 1)
    padding = default_padding("conv", odd, dilation)
    assert ours(Map(1, *size), odd, (1, 1), padding, dilation) == size


@pytest.mark.parametrize(("kernel", "shown"), [((2, 2), "2"), ((3, 2), "[3, 2]")])
def test_an_even_kernel_has_no_default(kernel: Pair, shown: str) -> None:
    with pytest.raises(OpError) as error:
        default_padding("conv", kernel, (1, 1))
    assert str(error.value) == f"conv with an even kernel ({shown}) has no default padding"
    assert error.value.help == "use an odd kernel, or say its `padding`"


@given(size=pairs(1, 24), kernel=pairs(1, 5), stride=pairs(1, 4), dilation=pairs(1, 3))
def test_same_padding_gives_the_size_over_the_stride_rounded_up(
    size: Pair, kernel: Pair, stride: Pair, dilation: Pair
) -> None:
    padding = same_padding(kernel, stride, dilation)
    expected = ours(Map(1, *size), kernel, stride, padding, dilation)
    assert expected == (-(-size[0] // stride[0]), -(-size[1] // stride[1]))


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")  # torch says that it costs a copy
@given(size=pairs(1, 24), kernel=pairs(1, 5), dilation=pairs(1, 3))
def test_same_padding_is_torchs(size: Pair, kernel: Pair, dilation: Pair) -> None:
    padding = same_padding(kernel, (1, 1), dilation)
    if padding is None:
        return
    x, weight = torch.rand(1, 1, *size), torch.rand(1, 1, *kernel)
    expected = functional.conv2d(x, weight, None, 1, "same", dilation)
    torch.testing.assert_close(functional.conv2d(x, weight, None, 1, padding, dilation), expected)


def test_same_padding_is_said_in_numbers_where_no_size_changes_it() -> None:
    assert same_padding((2, 2), (1, 1), (2, 2)) == (1, 1)
    assert same_padding((1, 1), (2, 2), (1, 1)) == (0, 0)
    assert same_padding((2, 2), (1, 1), (1, 1)) is None  # one more behind the map
    assert same_padding((3, 3), (2, 2), (1, 1)) is None
