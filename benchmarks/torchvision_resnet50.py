"""A built network against torchvision's: speed in eager mode, construction, and peak memory of a training step.

python -m benchmarks.torchvision_resnet50                     # resnet50 against resnet50
python -m benchmarks.torchvision_resnet50 resnet18 resnet18   # any spec against any of torchvision's models

torchvision stands twice in each row: the second one is the control, and what differs there is noise.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn

CONTESTANTS = ("archbuilder", "torchvision", "control")


def construct(contestant: str, spec: str, reference: str) -> nn.Module:
    """A new network. Both libraries are imported whichever is asked for, so that both processes carry the same."""
    import archbuilder
    from benchmarks.reference import torchvision_module

    models = torchvision_module()
    return archbuilder.build(spec) if contestant == "archbuilder" else models.get_model(reference)


def peak_memory(contestant: str, args: argparse.Namespace) -> float:
    """MiB at the highest, of this whole process after two training steps (the second one has the optimizer's state)."""
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(args.threads)
    model = construct(contestant, args.spec, args.reference).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    images = torch.rand(args.batch_size, 3, args.size, args.size)
    for _ in range(2):
        optimizer.zero_grad()
        model(images).square().mean().backward()
        optimizer.step()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def peak_memories(args: argparse.Namespace) -> dict[str, float]:
    """Each in a process of its own, the least of several.

    It must come before this process imports torch: Linux counts what the parent held when it forked as the child's.
    A fixed threshold makes glibc hand large blocks back at once: otherwise the peak is that of fragmentation, and two
    runs of one network differ by 5 %, not by 0.1 %.
    """
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "131072"}
    command = [sys.executable, "-m", "benchmarks.torchvision_resnet50", *sys.argv[1:], "--peak-memory-of"]
    best = dict.fromkeys(CONTESTANTS, float("inf"))
    for _ in range(args.memory_rounds):
        for contestant in CONTESTANTS:
            run = subprocess.run([*command, contestant], env=environment, check=True, stdout=subprocess.PIPE, text=True)
            best[contestant] = min(best[contestant], float(run.stdout))
    return best


def equal_models(args: argparse.Namespace) -> dict[str, nn.Module]:
    """One of each, with the same weights: then they do the same work, and are seen to."""
    import torch

    models = {name: construct(name, args.spec, args.reference) for name in CONTESTANTS}
    state = models["torchvision"].state_dict()
    images = torch.rand(2, 3, args.size, args.size)
    for model in models.values():
        model.load_state_dict(state, strict=True)
        model.eval()
    with torch.no_grad():
        expected = models["torchvision"](images)
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
        model(images).square().mean().backward()

    return call


def row(what: str, unit: str, values: dict[str, float]) -> str:
    """A row of the table: the values, then two ratios to torchvision."""
    shown = " | ".join(f"{values[name]:.1f} {unit}" for name in CONTESTANTS)
    ratios = " | ".join(f"{values[name] / values['torchvision']:.3f}" for name in ("archbuilder", "control"))
    return f"| {what} | {shown} | {ratios} |"


def milliseconds(seconds: dict[str, float]) -> dict[str, float]:
    """The same in milliseconds."""
    return {name: 1000 * value for name, value in seconds.items()}


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", nargs="?", default="resnet50")
    parser.add_argument("reference", nargs="?", default="resnet50", help="the name of torchvision's model")
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--memory-rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peak-memory-of", choices=CONTESTANTS, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Measures all and prints a table."""
    args = parse()
    if args.peak_memory_of:
        print(peak_memory(args.peak_memory_of, args))
        return
    memory = peak_memories(args)

    import torch

    from benchmarks.stopwatch import fastest

    torch.manual_seed(0)
    torch.set_num_threads(args.threads)
    models = equal_models(args)
    images = torch.rand(args.batch_size, 3, args.size, args.size)
    print(f"{args.spec} against torchvision's {args.reference}, batch {args.batch_size} at {args.size}, torch", end=" ")
    print(f"{torch.__version__}, {args.threads} threads, fastest of {args.rounds}\n")
    print("| | archbuilder | torchvision | control | archbuilder / torchvision | control / torchvision |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for what, work in (("forward", forward), ("forward and backward", forward_backward)):
        for model in models.values():
            model.train(work is forward_backward)
        times = fastest({name: work(model, images) for name, model in models.items()}, args.rounds)
        print(row(what, "ms", milliseconds(times)), flush=True)
    times = fastest(
        {name: lambda name=name: construct(name, args.spec, args.reference) for name in CONTESTANTS}, args.rounds
    )
    print(row("construction", "ms", milliseconds(times)))
    print(row("peak memory, training", "MiB", memory))


if __name__ == "__main__":
    main()
