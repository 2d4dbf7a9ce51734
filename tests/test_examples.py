"""The examples, run as a reader would run them."""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import archbuilder

EXAMPLES = Path(__file__).parents[1] / "examples"
TRAIN = EXAMPLES / "train_fashion_mnist.py"


def train(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, str(TRAIN), "--threads", "1", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def accuracies(run: subprocess.CompletedProcess[str]) -> list[float]:
    assert run.returncode == 0, run.stderr
    return [float(line.split("accuracy ")[1].split("%")[0]) for line in run.stdout.splitlines()]


def idx(array: torch.Tensor) -> bytes:
    """The format of the files: two zeros, the type (8: bytes), the number of dimensions, the shape, the data."""
    shape = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.dim()]) + shape + bytes(array.flatten().tolist())


def test_learns_the_digits() -> None:
    run = accuracies(train("--epochs", "4"))
    assert len(run) == 4
    assert run[-1] > 85


@pytest.mark.slow
def test_a_seed_repeats_a_run() -> None:
    first, second = (accuracies(train("--epochs", "1", "--seed", "7")) for _ in range(2))
    assert first == second


def test_reads_a_folder_zipped_or_not(tmp_path: Path) -> None:
    labels = torch.arange(40) % 10
    images = labels[:, None, None].expand(40, 28, 28) * 25
    for part in ("train", "t10k"):
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx(labels))
    assert len(accuracies(train("--epochs", "1", "--data", str(tmp_path)))) == 1


def test_says_where_data_comes_from(tmp_path: Path) -> None:
    run = train("--data", str(tmp_path))
    assert run.returncode == 1
    assert run.stderr == (
        f"{tmp_path}/train-images-idx3-ubyte[.gz] is not there.\n"
        "Fashion-MNIST comes with `apt-get install dataset-fashion-mnist` or from its authors on GitHub;\n"
        "--data FOLDER names a folder with its four IDX files, --data digits needs none.\n"
    )


def test_the_loop_stays_short() -> None:
    assert len(TRAIN.read_text("utf-8").splitlines()) <= 100


VARIANT = """\
name: mine
extends: resnet50
output_stride: 16
defaults:
  activation: silu
  drop_path: 0.1
  bottleneck: {shortcut: avg_project, after_last_norm: {se: squeeze_excite}}
stem: {conv1: {block: deep_stem}}
"""


def test_a_variant_is_a_few_lines() -> None:
    """ResNet-50 into ResNet-50-D with gates, output stride 16, drop path and SiLU."""
    assert len(VARIANT.splitlines()) <= 12
    mine = archbuilder.check("mine.yaml", text=VARIANT)
    sizes = {name: archbuilder.check(name).summary.parameters for name in ("resnet50", "resnet50d", "seresnet50")}
    assert mine.summary.parameters == sizes["resnet50d"] + sizes["seresnet50"] - sizes["resnet50"]
    assert [tap.reduction for tap in mine.graph.taps] == [2, 4, 8, 16, 16]
    assert mine.graph.drop_paths == 16


def test_a_decoder_is_a_few_lines() -> None:
    assert len((EXAMPLES / "unet_resnet18.yaml").read_text("utf-8").splitlines()) <= 30
    assert str(archbuilder.lower(EXAMPLES / "unet_resnet18.yaml").output_shape).endswith("224×224")
