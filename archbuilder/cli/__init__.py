"""The command `archbuilder`: a thin face over the public API, one function for each command."""

import gc
import sys
from typing import Annotated

import typer

from archbuilder.cli import comparing, facts, products
from archbuilder.cli.ends import end_in_order, with_quiet_end
from archbuilder.cli.reports import (
    Commands,
    colour_help_alike,
    forget_odd_sizes,
    replace_closed_streams,
    write_anything,
)

app = typer.Typer(
    name="archbuilder",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Vision networks from short YAML specs: checked, summed up, drawn, and built with PyTorch.",
    epilog="Begin with: archbuilder summary resnet50",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from archbuilder import __version__

        sys.stdout.write(f"archbuilder {__version__}\n")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Says what all commands have in common."""


for _command, _example in (
    (facts.check, "archbuilder check net.yaml resnet50 --set classes=10"),
    (facts.summary, "archbuilder summary resnet50 --depth block --input 3x192x256"),
    (comparing.diff, "archbuilder diff resnet50 resnet101"),
    (comparing.compare, "archbuilder compare resnet18 resnet50 vgg16 -o compared.svg"),
    (products.render, "archbuilder render resnet50 -o resnet50.svg"),
    (products.build, "archbuilder build resnet50 --image picture.png"),
    (products.block, "archbuilder block basic --input 3x6x6 --set width=6 --set stride=2 -o basic.svg"),
    (products.export, "archbuilder export resnet50 -o model.py"),
    (facts.list_, "archbuilder list --format json"),
    (facts.show, "archbuilder show resnet50d --resolved"),
):
    app.command(_command.__name__.rstrip("_"), epilog=f"Example: {_example}")(_command)


def main() -> None:
    """Runs the command with the arguments of this process."""
    gc.freeze()  # what was imported is no garbage: looking through it again costs a sixth of a short command's time
    end_in_order()
    replace_closed_streams()
    colour_help_alike()
    forget_odd_sizes()
    for stream in (sys.stdout, sys.stderr):
        write_anything(stream)
    with_quiet_end(lambda: app(prog_name="archbuilder"))
