"""Built networks against those of the library that they are the same as: speed in eager mode, construction, memory.

python -m benchmarks.against_reference                          # resnet50 against torchvision's
python -m benchmarks.against_reference hrnet_w18 googlenet      # any of the zoo, against torchvision or timm (its `reference`)

The reference stands twice in each row: the second one is the control, and what differs there is noise.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn

CONTESTANTS = ("archbuilder", "reference", "control")


def maker(contestant: str, name: str) -> Callable[[], nn.Module]:
    """What makes a network. All libraries are imported whichever is asked for, so that all processes carry the same."""
    import archbuilder
    from benchmarks.reference import reference_maker

    reference = reference_maker(name)
    return partial(archbuilder.build, name) if contestant == "archbuilder" else reference


def loss_of(outputs: Tensor | tuple[Tensor, ...]) -> Tensor:
    """One number that every output has a part in."""
    every = outputs if isinstance(outputs, tuple) else (outputs,)
    total = every[0].square().mean()
    for output in every[1:]:
        total = total + output.square().mean()
    return total


def resident(word: str) -> float:
    """MiB of this process as Linux counts them: `VmRSS` now, `VmHWM` at the highest."""
    found = re.search(rf"{word}:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))
    if found is None:
        raise OSError(f"no {word} in /proc/self/status")
    return int(found[1]) / 1024


def training_memory(contestant: str, name: str, args: argparse.Namespace) -> tuple[float, float]:
    """MiB that training steps add to what the process holds with the network in it, and those of all the process.

    There are two steps: the second one has the optimizer's state.
    """
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(args.threads)
    model = maker(contestant, name)().train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    images = torch.rand(args.batch_size, 3, args.size, args.size)
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", "ascii")  # the highest begins anew
    for _ in range(2):
        optimizer.zero_grad()
        loss_of(model(images)).backward()
        optimizer.step()
    return resident("VmHWM") - before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def training_memories(name: str, args: argparse.Namespace) -> tuple[dict[str, float], dict[str, float]]:
    """Each in a process of its own, the least of several.

    It must come before this process imports torch: Linux counts what the parent held when it forked as the child's.
    A fixed threshold makes glibc hand large blocks back at once: otherwise the peak is that of fragmentation, and two
    runs of one network differ by 5 %, not by 0.1 %.
    """
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "131072"}
    options = ["--batch-size", str(args.batch_size), "--size", str(args.size), "--threads", str(args.threads)]
    command = [sys.executable, "-m", "benchmarks.against_reference", name, *options, "--memory-of"]
    added, whole = dict.fromkeys(CONTESTANTS, float("inf")), dict.fromkeys(CONTESTANTS, float("inf"))
    for _ in range(args.memory_rounds):
        for contestant in CONTESTANTS:
            run = subprocess.run([*command, contestant], env=environment, check=True, stdout=subprocess.PIPE, text=True)
            first, second = map(float, run.stdout.split())
            added[contestant], whole[contestant] = min(added[contestant], first), min(whole[contestant], second)
    return added, whole


def equal_models(name: str, args: argparse.Namespace) -> dict[str, nn.Module]:
    """One of each, with the same weights: then they do the same work, and are seen to."""
    import torch

    models = {contestant: maker(contestant, name)() for contestant in CONTESTANTS}
    state = models["reference"].state_dict()
    images = torch.rand(2, 3, args.size, args.size)
    for model in models.values():
        model.load_state_dict(state, strict=True)
        model.eval()
    with torch.no_grad():
        expected = models["reference"](images)
        for model in models.values():
            torch.testing.assert_close(model(images), expected)
    return models


def forward(model: nn.Module, images: Tensor) -> Callable[[], object]:
    """A prediction, without gradients."""
    import torch

    def call() -> None:
        with torch.inference_mode():
            model(images)

    return call


def forward_backward(model: nn.Module, images: Tensor) -> Callable[[], object]:
    """What a training step does before the optimizer."""

    def call() -> None:
        model.zero_grad()
        loss_of(model(images)).backward()

    return call


def row(name: str, what: str, unit: str, values: dict[str, float]) -> str:
    """A row of the table: the values, then two ratios to the reference."""
    shown = " | ".join(f"{values[contestant]:.1f} {unit}" for contestant in CONTESTANTS)
    ratios = " | ".join(f"{values[contestant] / values['reference']:.3f}" for contestant in ("archbuilder", "control"))
    return f"| {name} | {what} | {shown} | {ratios} |"


def milliseconds(seconds: dict[str, float]) -> dict[str, float]:
    """The same in milliseconds."""
    return {name: 1000 * value for name, value in seconds.items()}


def measure_speed(name: str, args: argparse.Namespace) -> None:
    """Prints the rows of one network that are times."""
    import torch

    from benchmarks.stopwatch import fastest

    torch.manual_seed(0)
    models = equal_models(name, args)
    images = torch.rand(args.batch_size, 3, args.size, args.size)
    for what, work in (("forward", forward), ("forward and backward", forward_backward)):
        for model in models.values():
            model.train(work is forward_backward)
        times = fastest({each: work(model, images) for each, model in models.items()}, args.rounds)
        print(row(name, what, "ms", milliseconds(times)), flush=True)
    del models
    makers = {contestant: maker(contestant, name) for contestant in CONTESTANTS}
    print(row(name, "construction", "ms", milliseconds(fastest(makers, args.rounds))), flush=True)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=["resnet50"], metavar="name", help="a network of the zoo")
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=18)
    parser.add_argument("--memory-rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory-of", choices=CONTESTANTS, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Measures all and prints a table."""
    args = parse()
    if args.memory_of:
        print(*training_memory(args.memory_of, args.names[0], args))
        return
    memories = {name: training_memories(name, args) for name in args.names}

    import torch

    torch.set_num_threads(args.threads)
    print(f"Batch {args.batch_size} at {args.size}, torch {torch.__version__}, {args.threads} threads,", end=" ")
    print(f"fastest of {args.rounds}\n")
    print("| network | | archbuilder | reference | control | archbuilder / reference | control / reference |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for name, (added, whole) in memories.items():
        measure_speed(name, args)
        print(row(name, "memory that training adds", "MiB", added))
        print(row(name, "memory of the process", "MiB", whole), flush=True)


if __name__ == "__main__":
    main()
