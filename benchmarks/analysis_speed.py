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
from unittest import mock

import archbuilder
from archbuilder.draw import boxes, thumbnails
from archbuilder.draw.layout import arrange
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


def render_over_imports(rounds: int = 10) -> float:
    """`render` as a whole process, which writes an SVG, over what importing its libraries costs alone."""
    with tempfile.TemporaryDirectory() as cache:
        times = fastest(
            {
                "render": process(cache, "-m", "archbuilder", "render", "resnet152", "-o", f"{cache}/x.svg"),
                "imports": process(cache, "-c", "import pydantic, yaml, typer"),
            },
            rounds,
        )
    return times["render"] / times["imports"]


def torchinfo_over_analysis(rounds: int = 20, *, of_text: bool = False) -> float:
    """Torchinfo's summary of a network that is already built, over loading it by name and summing it up without torch; or with
    `of_text` over the same from a text of one's own, of which nothing is known from the time before."""
    import torchinfo

    from benchmarks.reference import torchvision_module

    model, text = torchvision_module().resnet50(), archbuilder.dump(archbuilder.load("resnet50"))

    def analysis() -> None:
        """Several times, since a single one is near what the clock can tell from noise."""
        for _ in range(10):
            architecture = archbuilder.load("own.yaml", text=text) if of_text else archbuilder.load("resnet50")
            archbuilder.summarize(archbuilder.lower(architecture, input=(3, 224, 224)))

    def summary() -> None:
        torchinfo.summary(model, (1, 3, 224, 224), verbose=0)

    times = fastest({"analysis": analysis, "torchinfo": summary}, rounds)
    return times["torchinfo"] / (times["analysis"] / 10)


def lowering_1202_over_20(rounds: int = 20) -> float:
    """Lowering a network of 1202 layers over the same one of 20: what is equal must cost once."""
    deep, shallow = archbuilder.load("cifar_resnet1202"), archbuilder.load("cifar_resnet20")
    times = fastest({"deep": lambda: archbuilder.lower(deep), "shallow": lambda: archbuilder.lower(shallow)}, rounds)
    return times["deep"] / times["shallow"]


SLOWEST = ("densenet201", "efficientnet_b1", "googlenet", "hrnet_w18", "res2net50_26w_4s", "skresnet18")
"""The networks of the zoo, one of a family, whose layouts take longest where all their layers are open."""


def layout_over_imports(rounds: int = 10) -> float:
    """The longest layout of all sheets of the zoo, over what importing the libraries costs."""

    def layouts(name: str) -> Callable[[], object]:
        """What places all figures of a sheet, again."""
        calls: list[tuple[tuple[object, ...], dict[str, object]]] = []

        def noted(*given: object, **named: object) -> object:
            calls.append((given, named))
            return arrange.arrange(*given, **named)  # type: ignore[arg-type]

        with mock.patch.object(boxes, "arrange", noted), mock.patch.object(thumbnails, "arrange", noted):
            archbuilder.render(archbuilder.lower(name), depth="layer")
        return lambda: [arrange.arrange(*given, **named) for given, named in calls]  # type: ignore[arg-type]

    with tempfile.TemporaryDirectory() as cache:
        imports = {"imports": process(cache, "-c", "import pydantic, yaml, typer")}
        times = fastest({**imports, **{name: layouts(name) for name in SLOWEST}}, rounds)
    return max(times[name] for name in SLOWEST) / times["imports"]


def dense(steps: int) -> str:
    """A network in which each step takes what all before it give."""
    text = "name: net\ninput: {channels: 4, size: 8}\nstages:\n  s0: {block: conv, width: 4, kernel: 1}\n"
    for number in range(1, steps):
        before = ", ".join(f"s{each}" for each in range(number))
        text += f"  a{number}: {{block: concat, from: [{before}, input]}}\n"
        text += f"  s{number}: {{block: conv, width: 4, kernel: 1}}\n"
    return text


def drawing_80_over_20(rounds: int = 5) -> float:
    """Drawing a network of 80 steps that take all before them over drawing one of 20, which has a sixteenth of its edges."""
    many, few = (archbuilder.check("net.yaml", text=dense(steps)).graph for steps in (80, 20))
    times = fastest({"many": lambda: archbuilder.render(many), "few": lambda: archbuilder.render(few)}, rounds)
    return times["many"] / times["few"]


def main() -> None:
    """Prints the ratios as a table."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    print("| ratio | measured | must hold | aim |\n| --- | ---: | ---: | ---: |")
    print(f"| `check resnet152` / importing pydantic, yaml, typer | {check_over_imports():.2f} | <= 3.5 | 3 |")
    print(f"| torchinfo of resnet50 / load, lower, summarize | {torchinfo_over_analysis():.1f} | >= 15 | 20 |")
    print(f"| the same, from a text of one's own | {torchinfo_over_analysis(of_text=True):.1f} | | |")
    print(f"| lowering cifar_resnet1202 / cifar_resnet20 | {lowering_1202_over_20():.2f} | <= 2 | 2 |")
    print(f"| `render resnet152` / importing pydantic, yaml, typer | {render_over_imports():.2f} | <= 4 | 4 |")
    print(
        f"| the longest layout of the zoo / importing pydantic, yaml, typer | {layout_over_imports():.2f} | <= 0.6 | 0.43 |"
    )
    print(f"| drawing a network of 80 steps, each with each / one of 20 | {drawing_80_over_20():.1f} | <= 12 | 12 |")


if __name__ == "__main__":
    main()
