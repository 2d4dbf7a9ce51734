"""ResNet-50 with its weights: built by archbuilder from a safetensors file, spec and source included, and made by
torchvision's constructor, which is given the same weights from the file that `torch.save` wrote.

python -m benchmarks.weights_speed
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import torch
from safetensors.torch import save_file
from torch import nn

import archbuilder
from benchmarks.reference import torchvision_module

ROUNDS = 8


def ours(folder: Path) -> nn.Module:
    """The network as archbuilder builds it."""
    return archbuilder.build("resnet50", weights=folder / "resnet50.safetensors")


def theirs(folder: Path) -> nn.Module:
    """The network as one makes it with torchvision."""
    model = torchvision_module().resnet50()
    model.load_state_dict(torch.load(folder / "resnet50.pth", weights_only=True))
    return model


def write(folder: Path) -> None:
    """Writes both files."""
    state = torchvision_module().resnet50().state_dict()
    save_file(state, folder / "resnet50.safetensors")
    torch.save(state, folder / "resnet50.pth")


def seconds(make: Callable[[Path], nn.Module], folder: Path) -> float:
    """The time that this process computes."""
    start = time.process_time()
    make(folder)
    return time.process_time() - start


def theirs_over_ours() -> float:
    """How many times longer torchvision takes: the least of some rounds each, which take turns, on one core."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder)
        archbuilder.build(
            "resnet18", weights=torchvision_module().resnet18().state_dict()
        )  # what is imported is no matter
        rounds = [(seconds(theirs, folder), seconds(ours, folder)) for _ in range(ROUNDS)]
    return min(each for each, _ in rounds) / min(each for _, each in rounds)


def peak(which: str, folder: str) -> int:
    """The most memory of its own that a process takes for it, in pages: those of a mapped file are the system's, which takes
    them back as it needs them."""
    archbuilder.build(
        "squeezenet1_1", weights=torchvision_module().squeezenet1_1().state_dict()
    )  # and what is imported
    seen, done = [own_pages()], Event()

    def watch() -> None:
        while not done.wait(0.001):
            seen.append(own_pages())

    watching = Thread(target=watch)
    watching.start()
    made = {"ours": ours, "theirs": theirs}[which](Path(folder))
    seen.append(own_pages())
    done.set()
    watching.join()
    del made
    return max(seen) - seen[0]


def own_pages() -> int:
    """The pages of this process that are no file's (Linux tells)."""
    resident, shared = Path("/proc/self/statm").read_text("utf-8").split()[1:3]
    return int(resident) - int(shared)


def ours_over_theirs_in_memory() -> float:
    """How much memory archbuilder takes at most, over torchvision."""
    with tempfile.TemporaryDirectory() as name:
        elsewhere(f"write(Path({name!r}))")  # this process stays small: those that it starts inherit its peak
        peaks = [elsewhere(f"print(peak({which!r}, {name!r}))") for which in ("ours", "theirs")]
    return float(peaks[0]) / float(peaks[1])


def elsewhere(code: str) -> str:
    """What a line of code prints in a process of its own, with the names of this module."""
    line = f"from pathlib import Path; from benchmarks.weights_speed import peak, write; {code}"
    return subprocess.run([sys.executable, "-c", line], check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    print(f"torchvision takes {theirs_over_ours():.1f} times as long as archbuilder")
    print(f"archbuilder takes {ours_over_theirs_in_memory():.2f} of torchvision's memory")
