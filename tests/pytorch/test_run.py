"""Pictures, as a network is given them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from archbuilder.language.models import Input
from archbuilder.pytorch.run import PictureError, read_picture

GREYS = np.arange(256, dtype=np.uint16).reshape(16, 16)


def given(path: Path, channels: int) -> Tensor:
    return read_picture(path, (channels, 16, 16), Input(crop=1))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("suffix", ["png", "tif", "pgm"])
def test_16_bits_say_the_same_as_8(tmp_path: Path, suffix: str, channels: int) -> None:
    """Whose steps are 257 times as fine."""
    Image.fromarray(GREYS.astype(np.uint8)).save(tmp_path / "8.png")
    Image.fromarray(GREYS * 257).save(tmp_path / f"16.{suffix}")
    assert torch.equal(given(tmp_path / f"16.{suffix}", channels), given(tmp_path / "8.png", channels))


@pytest.mark.parametrize("channels", [1, 3])
def test_what_lies_between_is_rounded(tmp_path: Path, channels: int) -> None:
    Image.fromarray(np.full((16, 16), 128 * 257 - 120, np.uint16)).save(tmp_path / "16.png")
    Image.fromarray(np.full((16, 16), 128, np.uint8)).save(tmp_path / "8.png")
    assert torch.equal(given(tmp_path / "16.png", channels), given(tmp_path / "8.png", channels))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_numbers_without_a_range_are_refused(tmp_path: Path, kind: type, channels: int) -> None:
    Image.fromarray(GREYS.astype(kind)).save(tmp_path / "grey.tif")
    with pytest.raises(PictureError) as caught:
        given(tmp_path / "grey.tif", channels)
    said = "does not say which of its numbers is white: save it with 8 or 16 bits"
    assert str(caught.value) == f"{tmp_path / 'grey.tif'} {said}"
