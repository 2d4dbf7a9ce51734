"""The commands that make something of a spec: render, build, export."""

import os
import re
import sys
import webbrowser
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias, TypeVar, get_args

import typer

from archbuilder.analysis.summary import Depth
from archbuilder.cli.options import (
    InputOption,
    PluginOption,
    SetOption,
    SpecArgument,
    path_of,
    read_block,
    read_input,
    read_spec,
)
from archbuilder.cli.outputs import RefusedOutputError, refuse_spec, write_output
from archbuilder.cli.reports import CommandError, has_colour, say, terminal_width
from archbuilder.diagnostics import printable
from archbuilder.draw import FORMATS, PIECES, Format, OptionError, Piece, Style, Theme, Width
from archbuilder.draw import Depth as DrawingDepth
from archbuilder.draw import render as draw
from archbuilder.tasks.checking import Checked

if TYPE_CHECKING:
    from archbuilder.pytorch.run import Run


def read_output(text: str) -> Path:
    """The file that `-o` names."""
    path = Path(text)
    if text.endswith(("/", os.sep)) or os.path.isdir(text):  # noqa: PTH112 -- which a name that is too long is not
        raise CommandError(f"{text} is a folder: give -o the name of a file, as in {path / 'NAME'}")
    return path


OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", parser=read_output, help="Where to write it; - is standard output."),
]


ThemeOption = Annotated[Theme, typer.Option("--theme", help="Its colours; auto follows the reader of an SVG.")]
WidthOption = Annotated[Width, typer.Option("--width", help="Of a paper's column, of its page, or of a slide.")]

Rendering: TypeAlias = Literal[Format, "html"]
"""What `render` writes: a drawing, or a page."""

SUFFIXES: Final[dict[Rendering, str]] = {"mermaid": "mmd", "tikz": "tex"}
"""How files of a format end, where that is not its name."""


def _pieces(text: str | None) -> list[Piece] | None:
    """What `--show` names, with commas between."""
    if text is None:
        return None
    words = [word.strip() for word in text.split(",")]
    unknown = next((word for word in words if word not in PIECES), None)
    if unknown is not None:
        raise typer.BadParameter(f"'{printable(unknown)}' is none of {', '.join(PIECES)}", param_hint="'--show'")
    return [piece for piece in PIECES if piece in words]


def render(
    spec: SpecArgument,
    other: Annotated[
        str | None, typer.Argument(metavar="OTHER", help="A second spec, which a page shows beside the first.")
    ] = None,
    output: OutputOption = None,
    format: Annotated[
        Rendering | None,
        typer.Option("--format", help="By default what the file's name says, or svg; html is a page to walk through."),
    ] = None,
    depth: Annotated[DrawingDepth, typer.Option("--depth", help="How far to go in.")] = "stage",
    style: Annotated[Style, typer.Option("--style", help="A sheet of boxes, or maps as volumes.")] = "sheet",
    focus: Annotated[
        str | None, typer.Option("--focus", metavar="STEP", help="Draw only what is in a step: layer3, layer3.0.")
    ] = None,
    definition: Annotated[
        str | None, typer.Option("--definition", metavar="BLOCK", help="Draw only how a block is wired.")
    ] = None,
    show: Annotated[
        str | None, typer.Option("--show", metavar="PIECES", help=f"What there is on a sheet: {','.join(PIECES)}.")
    ] = None,
    theme: ThemeOption = "light",
    width: WidthOption = "page",
    open_it: Annotated[bool, typer.Option("--open", help="Open what was written in a browser.")] = False,
    settings: SetOption = None,
    input: InputOption = None,
    plugins: PluginOption = None,
) -> None:
    """Draw a network, or make a page of it; without -o into NAME.svg in the current folder."""
    kind = format or format_of(output, get_args(Rendering))
    drawn = partial(
        draw, depth=depth, style=style, focus=focus, definition=definition, show=_pieces(show), theme=theme, width=width
    )
    _refuse_idle(kind, other, output, drawn.keywords, open_it=open_it)
    specs = [spec] if other is None else [spec, other]
    every = [read_spec(each, settings, input, plugins) for each in specs]
    output = output or Path(f"{'-'.join(map(_file_name, every))}.{SUFFIXES.get(kind, kind)}")
    for each in specs:
        refuse(output, each)  # before the drawing, which takes its time
    with naming_options():
        data = _page_of(every, input) if kind == "html" else drawn(every[0].graph, format=kind)
    write(data, output, spec)
    if open_it:
        webbrowser.open(output.resolve().as_uri())


@contextmanager
def naming_options(format: str = "--format") -> Iterator[None]:
    """Turns what a drawing says of its options into what is said of those of the command; `format` is the one that gives its
    format."""
    try:
        yield
    except OptionError as error:
        said = str(error).removeprefix(f"{error.option} ")
        said = re.sub(r"(?<= beside )(style|focus|definition)\b", r"--\1", said)
        hint = format if error.option == "format" else f"--{error.option}"
        raise typer.BadParameter(said, param_hint=f"'{hint}'") from None


def _page_of(every: Iterable[Checked], input: str | None) -> bytes:
    from archbuilder.page import render_page

    return render_page(*(checked.architecture for checked in every), input=read_input(input)).encode()


_PLAIN: Final = {"depth": "stage", "style": "sheet", "theme": "light", "width": "page"}
"""What is said of a drawing that nobody says anything of."""


def _refuse_idle(
    kind: Rendering, other: str | None, output: Path | None, words: Mapping[str, object], *, open_it: bool
) -> None:
    """Makes sure that nothing is said that would have no effect."""
    if open_it and str(output) == "-":
        raise typer.BadParameter("there is no file to open: name one with -o", param_hint="'--open'")
    if kind != "html" and other is not None:
        raise typer.BadParameter("two specs are shown on a page: end -o in .html", param_hint="'OTHER'")
    idle = next((word for word, value in words.items() if kind == "html" and value != _PLAIN.get(word)), None)
    if idle is not None:
        message = "has no effect on a page, whose reader chooses what is seen"
        raise typer.BadParameter(message, param_hint=f"'--{idle}'")


def block(
    name: Annotated[str, typer.Argument(metavar="BLOCK", help="A shipped block or op, or one of the file in --spec.")],
    spec: Annotated[str | None, typer.Option("--spec", metavar="SPEC", help="A file that has the block.")] = None,
    settings: SetOption = None,
    input: Annotated[
        str,
        typer.Option(
            "--input",
            metavar="CxHxW",
            help="Size of what goes in; several, with commas between, for a block of several values: 16x32x32,32x16x16.",
        ),
    ] = "64x32x32",
    tokens: Annotated[
        bool, typer.Option("--tokens", help="What goes in are tokens: the pixels of such a map.")
    ] = False,
    output: OutputOption = None,
    format: Annotated[
        Format | None, typer.Option("--format", help="Of the drawing in -o; by default what the file's name says.")
    ] = None,
    build: Annotated[bool, typer.Option("--build", help="Also build it with PyTorch and run it once.")] = False,
    plugins: PluginOption = None,
) -> None:
    """Try one block by itself: check it and sum it up; with -o draw it, with --build build it."""
    if format is not None and output is None:
        raise typer.BadParameter("is of the drawing: say -o too", param_hint="'--format'")
    kind = format or format_of(output, FORMATS)
    checked = read_block(name, spec, settings, input, plugins, tokens=tokens)
    if output is not None:
        refuse(output, spec)

    from archbuilder.analysis.table import as_table

    depth = checked.summary.deepest
    drawn_to_standard_output = str(output) == "-"
    if not drawn_to_standard_output:
        say(as_table(checked.summary, depth, terminal_width(), has_colour(sys.stdout)))
    if output is not None:
        write(draw(checked.graph, format=kind, depth=depth), output, spec or "")
    if build:
        run = _run(checked, None, depth)
        say("")
        say(_compared(checked, run))
        say(f"\noutput {_sizes(run.outputs)} for {run.given}")
        if run.differences:
            raise CommandError("the built block differs from its summary: " + "; ".join(run.differences[:5]))


def export(
    spec: SpecArgument,
    output: OutputOption = None,
    settings: SetOption = None,
    input: InputOption = None,
    plugins: PluginOption = None,
) -> None:
    """Write a network as Python source that needs PyTorch alone; without -o into NAME.py in the current folder."""
    checked = read_spec(spec, settings, input, plugins)

    from archbuilder.pytorch.source import to_source

    write(to_source(checked.graph).encode(), output or Path(f"{_file_name(checked)}.py"), spec)


_Format = TypeVar("_Format", Rendering, Format)


def format_of(output: Path | None, formats: Sequence[_Format]) -> _Format:
    """The one of some formats that the name of a file says; the first where there is no name."""
    if output is None or str(output) == "-":
        return formats[0]
    suffix = output.suffix.lower().removeprefix(".")
    for known in formats:
        if suffix in (known, SUFFIXES.get(known), "gv" if known == "dot" else known):
            return known
    refuse(output)
    *others, last = (f".{SUFFIXES.get(known, known)}" for known in formats)
    message = f"cannot tell the format from `{printable(output.name)}`: end it in {', '.join(others)} or {last}, or say --format"
    raise typer.BadParameter(message, param_hint="'-o'")


def _file_name(checked: Checked) -> str:
    """The network's name as a file's; a spec cannot choose another folder."""
    return re.sub(r"[^\w.-]|^\.+", "_", checked.graph.name)[:100] or "network"


def refuse(output: Path, spec: str | None = None) -> None:
    """Makes sure that a result does not overwrite a spec."""
    try:
        refuse_spec(output, path_of(spec) if spec else None)
    except RefusedOutputError as error:
        raise typer.BadParameter(printable(str(error)), param_hint="'-o'") from None


def write(data: bytes, output: Path, spec: str, *, told: bool = True) -> None:
    """Writes a result to a file that is no spec, or to standard output; says so, if it is `told`."""
    if str(output) == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        return
    refuse(output, spec)
    write_output(output, data)
    if told:
        say(f"wrote {printable(str(output))}")


def build(
    spec: SpecArgument,
    image: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", exists=True, dir_okay=False, help="A picture to run it on, instead of random numbers."
        ),
    ] = None,
    depth: Annotated[Depth, typer.Option("--depth", help="How far the summaries go in.")] = "stage",
    settings: SetOption = None,
    input: InputOption = None,
    plugins: PluginOption = None,
) -> None:
    """Build a network with PyTorch, run it once, and compare it with its summary."""
    checked = read_spec(spec, settings, input, plugins)
    run = _run(checked, image, depth)

    from archbuilder.analysis.table import as_table

    say(run.torchinfo)
    say("")
    say(as_table(checked.summary, depth, terminal_width(), has_colour(sys.stdout)))
    say("")
    say(_compared(checked, run))
    say(f"\noutput {_sizes(run.outputs)} for {run.given}")
    if run.top:
        say("top 5  " + ", ".join(f"{index} ({share:.2%})" for index, share in run.top))
    sys.stdout.flush()
    if run.differences:
        raise CommandError("the built network differs from its summary: " + "; ".join(run.differences[:5]))


def _run(checked: Checked, image: Path | None, depth: Depth) -> "Run":
    try:
        from archbuilder.pytorch.run import PictureError, build_and_run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("torch", "torchinfo", "safetensors"):
            raise
        raise CommandError('building needs PyTorch: pip install "archbuilder-torch[torch]"') from None
    try:
        return build_and_run(checked, image, depth)
    except PictureError as error:
        raise CommandError(str(error)) from None
    except (MemoryError, RuntimeError) as error:
        if not _is_of_memory(error):
            raise
        size = "×".join(str(each) for each in checked.summary.input_shape)
        name = printable(checked.graph.name)
        message = f"there is not enough memory to build {name} and run it on {size}: give a smaller --input"
        raise CommandError(message) from None


def _is_of_memory(error: BaseException) -> bool:
    """Whether PyTorch ran out of memory, or out of numbers for a size; whoever caught that and raised something else had it
    as its cause."""
    if isinstance(error, MemoryError) or re.search("allocate memory|out of memory|overflow", str(error)):
        return True
    return error.__cause__ is not None and _is_of_memory(error.__cause__)


def _sizes(shapes: Iterable[tuple[int, ...]]) -> str:
    return " + ".join("×".join(str(size) for size in shape) for shape in shapes)


def _compared(checked: Checked, run: "Run") -> str:
    from archbuilder.analysis.table import aligned

    macs = checked.summary.macs
    rows = [
        ("parameters", f"{checked.summary.parameters:,}", f"{run.parameters:,}"),
        ("MACs, as torch counts them", "not known" if macs is None else f"{macs:,}", f"{run.macs:,}"),
        ("modules of the expected output shape", f"{run.expected_shapes:,}", f"{run.equal_shapes:,}"),
    ]
    marked = [(*row, _verdict(row[1], row[2])) for row in rows]
    return "\n".join([aligned(("", "summary", "built", ""), marked, right=(1, 2)), *map(printable, run.unsaid)])


def _verdict(expected: str, found: str) -> str:
    if expected == "not known":
        return "not compared"
    return "equal" if expected == found else "DIFFERENT"
