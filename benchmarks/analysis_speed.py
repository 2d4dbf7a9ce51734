"""How fast a spec is read, lowered and summed up, beside what people would use otherwise.

python -m benchmarks.analysis_speed
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable

import archbuilder
from benchmarks.stopwatch import fastest


def process(cache: str, *arguments: str) -> Callable[[], object]:
    """A call that runs Python with these arguments, as a whole process.

    Compiled files are kept in `cache`, as they are where Python is used from day to day, whatever this environment says.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = cache
    command = [sys.executable, *arguments]
    return lambda: subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)


def check_over_imports(rounds: int = 20) -> float:
    """`check` as a whole process, over what importing its libraries costs alone."""
    with tempfile.TemporaryDirectory() as cache:
        times = fastest(
            {
                "check": process(cache, "-m", "archbuilder", "check", "resnet152"),
                "imports": process(cache, "-c", "import pydantic, yaml, typer"),
            },
            rounds,
        )
    return times["check"] / times["imports"]


def torchinfo_over_analysis(rounds: int = 20) -> float:
    """Torchinfo's summary of a network that is already built, over reading its spec and summing it up without torch."""
    import torchinfo

    from benchmarks.reference import torchvision_module

    model = torchvision_module().resnet50()

    def analysis() -> None:
        """Several times, since a single one is near what the clock can tell from noise."""
        for _ in range(10):
            archbuilder.summarize(archbuilder.lower(archbuilder.load("resnet50"), input=(3, 224, 224)))

    def summary() -> None:
        torchinfo.summary(model, (1, 3, 224, 224), verbose=0)

    times = fastest({"analysis": analysis, "torchinfo": summary}, rounds)
    return times["torchinfo"] / (times["analysis"] / 10)


def lowering_1202_over_20(rounds: int = 20) -> float:
    """Lowering a network of 1202 layers over the same one of 20: what is equal must cost once."""
    deep, shallow = archbuilder.load("cifar_resnet1202"), archbuilder.load("cifar_resnet20")
    times = fastest({"deep": lambda: archbuilder.lower(deep), "shallow": lambda: archbuilder.lower(shallow)}, rounds)
    return times["deep"] / times["shallow"]


def main() -> None:
    """Prints the three ratios as a table."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    print("| ratio | measured | must hold | aim |\n| --- | ---: | ---: | ---: |")
    print(f"| `check resnet152` / importing pydantic, yaml, typer | {check_over_imports():.2f} | <= 3.5 | 3 |")
    print(f"| torchinfo of resnet50 / load, lower, summarize | {torchinfo_over_analysis():.1f} | >= 15 | 20 |")
    print(f"| lowering cifar_resnet1202 / cifar_resnet20 | {lowering_1202_over_20():.2f} | <= 2 | 2 |")


if __name__ == "__main__":
    main()
