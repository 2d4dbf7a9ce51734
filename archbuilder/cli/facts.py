"""The commands that say what a spec is: check, summary, list, show."""

import sys
from dataclasses import replace
from typing import Annotated, Any, Literal

import typer

from archbuilder.analysis import table
from archbuilder.analysis.numbers import in_one_unit
from archbuilder.analysis.summary import Depth
from archbuilder.cli.options import (
    InputOption,
    PluginOption,
    SetOption,
    SpecArgument,
    check_with_variants,
    check_word,
    explain_word,
    load_plugins,
    path_of,
    read_input,
    read_piped,
    read_settings,
    read_text,
)
from archbuilder.cli.reports import has_colour, print_diagnostics, remark, say, terminal_width
from archbuilder.diagnostics import Diagnostic, Note, SpecError, printable
from archbuilder.tasks.checking import Checked

DepthOption = Annotated[Depth, typer.Option("--depth", help="How far to go in.")]


def check(
    specs: Annotated[
        list[str], typer.Argument(metavar="SPEC", help="Files, networks of the zoo, or - for standard input.")
    ],
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
    settings: SetOption = None,
    input: InputOption = None,
    plugins: PluginOption = None,
) -> None:
    """Check specs, and all variants of files; one good spec prints its table of stages."""
    load_plugins(plugins)
    overrides, size = read_settings(settings), read_input(input)
    mistakes: list[Diagnostic] = []
    failed = 0
    for spec in specs:
        try:
            checked = check_with_variants(spec, overrides, size)
        except SpecError as error:
            failed += 1
            mistakes += error.diagnostics
            continue
        if not quiet:
            _print_checked(checked, alone=len(specs) == 1)
    sys.stdout.flush()
    print_diagnostics(mistakes)
    if len(specs) > 1 and not quiet:
        say(f"{len(specs)} specs: {f'{len(specs) - failed} fine, {failed} with errors' if failed else 'all fine'}")
    if failed:
        raise typer.Exit(1)


def _print_checked(checked: list[tuple[str, Checked]], *, alone: bool) -> None:
    if alone:
        say(table.stage_table(checked[0][1].summary, terminal_width()) + "\n")
    for word, network in checked:
        say(table.in_brief(word, network.summary, str(network.sizes)))


def summary(
    specs: Annotated[
        list[str],
        typer.Argument(
            metavar="SPEC",
            help="A file, a network of the zoo, or - for standard input; NAME#KEY is a variant, of standard input -- -#KEY. "
            "Several are shown side by side.",
        ),
    ],
    depth: DepthOption = "stage",
    format: Annotated[
        Literal["table", "markdown", "csv", "json", "latex"],
        typer.Option("--format", help="How to print it; latex is a table of stages as papers have it."),
    ] = "table",
    settings: SetOption = None,
    input: InputOption = None,
    plugins: PluginOption = None,
) -> None:
    """Print the parameters, computations and shapes of a network, or of several side by side."""
    load_plugins(plugins)
    overrides, size = read_settings(settings), read_input(input)
    networks = [check_word(spec, overrides, size) for spec in specs]
    if format == "latex":
        from archbuilder.analysis.paper import as_latex

        if depth != "stage":
            raise typer.BadParameter(
                "has no effect beside --format latex, whose rows are stages", param_hint="'--depth'"
            )
        say(as_latex([network.summary for network in networks]))
    elif len(networks) > 1:
        from archbuilder.analysis import side_by_side

        shown = [network.summary for network in networks]
        if format == "table":
            say(side_by_side.as_text(shown, depth, terminal_width()))
        else:
            ways = {"markdown": side_by_side.as_markdown, "csv": side_by_side.as_csv, "json": side_by_side.as_json}
            say(ways[format](shown, depth))
    else:
        _print_summary(networks[0], depth, format)


def _print_summary(checked: Checked, depth: Depth, format: Literal["table", "markdown", "csv", "json"]) -> None:
    facts = checked.summary
    if format == "table":
        say(table.as_table(facts, depth, terminal_width(), has_colour(sys.stdout), str(checked.sizes)))
    elif format == "markdown":
        say(table.as_markdown(facts, depth, str(checked.sizes)))
    else:
        from archbuilder.analysis import records

        say({"csv": records.as_csv, "json": records.as_json}[format](facts, depth))


def list_(
    blocks: Annotated[
        bool, typer.Option("--blocks", help="List the blocks and ops instead, with what each can be told.")
    ] = False,
    format: Annotated[Literal["table", "json"], typer.Option("--format", help="How to print it.")] = "table",
    settings: SetOption = None,
) -> None:
    """List the networks of the zoo, or the blocks that networks are made of."""
    if blocks:
        if settings:
            raise typer.BadParameter("is for networks, not beside --blocks", param_hint="'--set'")
        from archbuilder.cli.blocks import list_blocks

        list_blocks(format)
        return
    from archbuilder.language.networks import network_names

    entries, refused = _entries(network_names(), read_settings(settings))
    if refused:
        remark(f"left out, since this cannot be set there: {', '.join(refused)}")
    if format == "json":
        import json

        say(json.dumps(entries, indent=2))
        return
    letter, counts = in_one_unit([each["parameters"] for each in entries], None)
    rows = [
        (each["name"], str(each["layers"]), count, each["help"]) for each, count in zip(entries, counts, strict=True)
    ]
    header = ("name", "layers", f"{letter} params".strip(), "")
    say(table.aligned(header, rows, right=(1, 2), width=terminal_width(), cut=(3,)))


def _entries(names: list[str], overrides: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """What is listed of networks with values set, and the names of those where they cannot be set.

    Raises:
        SpecError: if they can be set nowhere.
    """
    entries: list[dict[str, Any]] = []
    refused: dict[str, list[Diagnostic]] = {}
    for name in names:
        try:
            entries.append(_entry(name, check_word(name, overrides, None)))
        except SpecError as error:
            refused[name] = error.diagnostics
    if not entries:
        name, mistakes = next(iter(refused.items()))
        note = Note(f"so in {name}, and it can be set in none of the others either")
        raise SpecError(replace(each, notes=(*each.notes, note)) for each in mistakes)
    return entries, list(refused)


def _entry(name: str, network: Checked) -> dict[str, Any]:
    facts = network.summary
    return {
        "name": name,
        "layers": facts.layers,
        "parameters": facts.parameters,
        "macs": facts.macs,
        "input": list(facts.input_shape),
        "help": network.architecture.help,
    }


def show(
    spec: SpecArgument,
    resolved: Annotated[bool, typer.Option("--resolved", help="Merge in every base; implied by --set.")] = False,
    why: Annotated[
        str | None,
        typer.Option(
            "--why",
            metavar="PATH",
            help="Print what set a value instead: a module's path and a parameter, as in layer3.0.conv2.stride or "
            "layer3.depth; the strongest first, → before the one that counts.",
        ),
    ] = None,
    settings: SetOption = None,
    plugins: PluginOption = None,
) -> None:
    """Print the text of a spec or of a block, or with --why where one of a spec's values comes from."""
    load_plugins(plugins)
    if why is not None:
        if resolved:
            raise typer.BadParameter("cannot stand beside --why", param_hint="'--resolved'")
        say(explain_word(spec, why, read_settings(settings)))
        return
    if resolved or settings:
        say(_resolved(spec, settings).rstrip("\n"))
        return
    piped = read_piped(spec)
    if piped is None and path_of(spec) is None:
        from archbuilder.cli.blocks import show_block

        if show_block(spec):
            return
    text = piped if piped is not None else read_text(spec)
    if sys.stdout.isatty():
        lines = text.splitlines()
        say("\n".join("\t".join(printable(part) for part in line.split("\t")) for line in lines))
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())


def _resolved(spec: str, settings: list[str] | None) -> str:
    from archbuilder.tasks.dumping import dump

    architecture = check_word(spec, read_settings(settings), None).architecture
    if architecture.is_overridden:
        architecture = architecture.model_copy(
            update={"expect": None}
        )  # what is expected holds for the spec as written
    return dump(architecture)
