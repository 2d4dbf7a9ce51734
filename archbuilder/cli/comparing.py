"""The commands that hold networks against each other: diff, compare."""

import os
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, NamedTuple

import typer

from archbuilder.cli.options import (
    InputOption,
    PluginOption,
    SetOption,
    check_word,
    load_plugins,
    other_variants,
    read_input,
    read_settings,
)
from archbuilder.cli.products import (
    SUFFIXES,
    OutputOption,
    ThemeOption,
    WidthOption,
    format_of,
    naming_options,
    read_output,
    refuse,
    write,
)
from archbuilder.cli.reports import complain, print_diagnostics, say, terminal_width
from archbuilder.diagnostics import SpecError, TooManyStepsError, printable
from archbuilder.draw import FORMATS, Format
from archbuilder.language.files import Files, text_of_file
from archbuilder.tasks.checking import Checked

if TYPE_CHECKING:
    from archbuilder.comparison.difference import Difference

_TROUBLE: Final = 2


ExitCodeOption = Annotated[
    bool,
    typer.Option(
        "--exit-code", help="End with 0 where both are the same, 1 where they differ, 2 where one cannot be read."
    ),
]


class _Side(NamedTuple):
    """A network to be compared: what it is called, the word that means it, and its text, where that lies elsewhere; then what
    it extends is looked for in `folder`."""

    name: str
    word: str
    text: str | None = None
    folder: Path = Path()


def diff(
    specs: Annotated[
        list[str],
        typer.Argument(
            metavar="A B",
            help="Two files or networks of the zoo; - is standard input. Or what git says to the command of a diff driver.",
        ),
    ],
    format: Annotated[Literal["text", "markdown", "json"], typer.Option("--format", help="How to print it.")] = "text",
    exit_code: ExitCodeOption = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", parser=read_output, help="Also draw both, with a mark at what differs."
        ),
    ] = None,
    theme: ThemeOption = "light",
    width: WidthOption = "page",
    settings: SetOption = None,
    input: InputOption = None,
    plugins: PluginOption = None,
) -> None:
    """Print what differs between two networks, in which stage and at what cost, and which keys of a checkpoint still fit."""
    is_git = len(specs) in _OF_GIT
    if len(specs) != 2 and not is_git:
        raise typer.BadParameter(f"expected two specs, got {len(specs)}", param_hint="'A B'")
    kind = format_of(output, FORMATS)
    if output is not None:
        for spec in specs:
            refuse(output, spec)
    with _ending_in_trouble(asked=exit_code, is_git=is_git):
        load_plugins(plugins)
        sides = _of_git(specs) if is_git else [[_Side(word, word) for word in specs]]
        found = [_difference(each, settings, input) for each in sides]
        for each in [each for each in found if each] or found[:1]:
            if str(output) != "-":
                say((each if isinstance(each, str) else each.shown(format, terminal_width())) + "\n" * is_git)
            if output is not None and not isinstance(each, str):
                from archbuilder.draw import render_difference

                with naming_options("-o"):
                    drawing = render_difference(each, format=kind, theme=theme, width=width)
                write(drawing, output, specs[0], told=format == "text")
    if exit_code and any(found):
        raise typer.Exit(1)


def _difference(sides: "Sequence[_Side | None]", settings: list[str] | None, input: str | None) -> "Difference | str":
    """What differs between two networks, or what is to be said where there is only one."""
    from archbuilder.comparison.difference import difference

    overrides, size = read_settings(settings), read_input(input)
    found: list[tuple[str, Checked]] = []
    for side in (side for side in sides if side is not None):
        with chdir(side.folder if side.folder.is_dir() else Path()):
            found.append((side.name, check_word(side.word, overrides, size, side.text)))
    if len(found) == 1:
        (name, network) = found[0]
        return f"{printable(name)}: {'added' if sides[0] is None else 'removed'}, {network.summary.line}"
    (name, one), (other_name, other) = found
    names = None if one.graph.name != other.graph.name else (name, other_name)
    return difference(one.graph, other.graph, names, [each.architecture.input.of_pictures() for each in (one, other)])


@contextmanager
def _ending_in_trouble(*, asked: bool, is_git: bool) -> Iterator[None]:
    """Ends with a code of its own where a spec is wrong, if that is `asked` for; git goes on with the next file, which it would
    not if this failed."""
    try:
        yield
    except (SpecError, TooManyStepsError) as error:
        if not (asked or is_git):
            raise
        print_diagnostics(error.diagnostics) if isinstance(error, SpecError) else complain(str(error))
        raise typer.Exit(_TROUBLE if asked else 0) from None


_OF_GIT: Final = (7, 9)
"""How many arguments git gives its diff driver: a path, twice a file, its object and its mode; where it was renamed, two more."""


def _of_git(words: list[str]) -> list[list[_Side | None]]:
    """What git says of a file that has changed: its two versions, None where there is none; and those of its variants.

    The old one lies in a temporary file; what it extends is looked for beside the one that it was.
    """
    path, old, old_object, _, new, _, _, *renamed = words
    now = renamed[0] if renamed else path
    before = _version(path, f"{path} {old_object[:7]}" if os.devnull not in (old, new) else path, old)
    after = _version(now, now, new)
    variants = _variants(before), _variants(after)
    names = {**variants[0], **variants[1]}
    return [[before, after], *([variants[0].get(name), variants[1].get(name)] for name in names)]


def _variants(side: _Side | None) -> "dict[str, _Side]":
    """The other variants of a file, by their names."""
    if side is None:
        return {}
    words = other_variants(side.word, side.text, Files(for_several=True)) or []
    keys = [word[len(side.word) + 1 :] for word in words]
    return {key: side._replace(name=f"{side.name}#{key}", word=word) for key, word in zip(keys, words, strict=True)}


def _version(path: str, name: str, file: str) -> _Side | None:
    return None if file == os.devnull else _Side(name, Path(path).name, text_of_file(Path(file)), Path(path).parent)


def compare(
    specs: Annotated[
        list[str], typer.Argument(metavar="SPEC", help="Files, networks of the zoo, or - for standard input.")
    ],
    output: OutputOption = None,
    format: Annotated[
        Format | None, typer.Option("--format", help="By default what the file's name says, or svg.")
    ] = None,
    theme: ThemeOption = "light",
    width: WidthOption = "page",
    settings: SetOption = None,
    input: InputOption = None,
    plugins: PluginOption = None,
) -> None:
    """Plot the parameters of networks against their computations; without -o into compared.svg in the current folder."""
    kind = format or format_of(output, FORMATS)
    output = output or Path(f"compared.{SUFFIXES.get(kind, kind)}")
    for spec in specs:
        refuse(output, spec)
    load_plugins(plugins)
    overrides, size = read_settings(settings), read_input(input)
    networks = [check_word(spec, overrides, size).summary for spec in specs]

    from archbuilder.draw import compare as draw

    with naming_options("--format" if format else "-o"):
        drawing = draw(networks, format=kind, theme=theme, width=width)
    write(drawing, output, specs[0])
