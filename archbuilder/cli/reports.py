"""How the command speaks: errors on standard error, colour on terminals only, quiet ends."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import typer
from typer.core import TyperGroup

from archbuilder.diagnostics import (
    Diagnostic,
    Place,
    SpecError,
    TooManyStepsError,
    format_diagnostic,
    printable,
    readable,
)
from archbuilder.draw import DrawingError

BROKEN_PIPE = 141
"""The exit code where nobody reads on, as of a program that SIGPIPE ended."""


class CommandError(Exception):
    """The command cannot do what it was asked to, for a reason that is no mistake in a spec."""


class Commands(TyperGroup):
    """The commands, none of which ends in a traceback because of what a user wrote."""

    def invoke(self, ctx: Any) -> Any:
        """Runs a command and turns what went wrong into a message and an exit code."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except typer.BadParameter as error:
            # Some versions of typer begin so where a word is none of several.
            error.message = readable(error.message.removeprefix("Value error, "))
            raise
        except SpecError as error:
            print_diagnostics(error.diagnostics)
            raise typer.Exit(1) from None
        except BrokenPipeError:
            let_output_go()
            raise typer.Exit(BROKEN_PIPE) from None
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            complain(f"{where}{error.strerror or error}")
            raise typer.Exit(1) from None
        except (CommandError, DrawingError, TooManyStepsError) as error:
            complain(str(error))
            raise typer.Exit(1) from None
        return result


def let_output_go() -> None:
    """Sends what is still in the buffer nowhere, or Python would complain about it when it ends."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - it stays open to the end


def replace_closed_streams() -> None:
    """Puts empty streams in the place of those that whoever started this process closed; Python leaves None there."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - it stays open to the end


def write_anything(stream: TextIO) -> None:
    """Makes a stream write a substitute for what its encoding lacks, rather than fail."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace" if stream.encoding.lower().startswith("utf") else "replace")


def colour_help_alike() -> None:
    """Keeps help and usage errors, which typer prints, from colours that `has_colour` would not give them."""
    for name in ("FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "TTY_COMPATIBLE"):
        os.environ.pop(name, None)  # typer and rich take these for a terminal
    if os.environ.get("NO_COLOR"):
        os.environ["_TYPER_FORCE_DISABLE_TERMINAL"] = "1"  # they leave bold and dim otherwise


def forget_odd_sizes() -> None:
    """Takes sizes of the terminal that are none out of the environment: rich would try to fill such lines."""
    for name in ("COLUMNS", "LINES", "TERMINAL_WIDTH"):
        size = os.environ.get(name, "")
        if not (size.isascii() and size.isdigit() and len(size) < 5 and int(size) > 0):
            os.environ.pop(name, None)


def has_colour(stream: TextIO) -> bool:
    """Whether a stream is a terminal whose user wants colours."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def terminal_width() -> int | None:
    """The width of the terminal that reads standard output; None where it is a file or a pipe."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def say(text: str) -> None:
    """Prints lines to standard output."""
    sys.stdout.write(f"{text}\n")


def complain(message: str) -> None:
    """Prints an error that has no place in a spec."""
    _print_error(f"error: {readable(message)}")


def remark(message: str) -> None:
    """Prints what is no error, but should be known, beside the results."""
    _print_error(f"note: {printable(message)}")


def print_diagnostics(diagnostics: Iterable[Diagnostic]) -> None:
    """Prints mistakes and, in a last line, how many there are in which file."""
    shown = [_seen_from_here(diagnostic) for diagnostic in diagnostics]
    for diagnostic in shown:
        _print_error(format_diagnostic(diagnostic))
    counts = Counter(diagnostic.place.source.name for diagnostic in shown if diagnostic.place)
    if counts:
        parts = (f"{count} error{'s' if count > 1 else ''} in {printable(name)}" for name, count in counts.items())
        _print_error(", ".join(parts))


_STYLES = (
    (re.compile(r"\berror(\[[\w-]+\])?:", re.ASCII), "1;31"),
    (re.compile(r"^ +\| +(\^+)$", re.MULTILINE), "31"),
    (re.compile(r"^  (help|note):", re.MULTILINE), "36"),
)


def _print_error(text: str) -> None:
    if has_colour(sys.stderr):
        first, _, rest = text.partition("\n")
        first = _STYLES[0][0].sub(r"\033[1;31m\g<0>\033[0m", first, count=1)
        for pattern, style in _STYLES[1:]:
            rest = pattern.sub(rf"\033[{style}m\g<0>\033[0m", rest)
        text = f"{first}\n{rest}" if rest else first
    sys.stderr.write(f"{text}\n")


def _seen_from_here(diagnostic: Diagnostic) -> Diagnostic:
    """The diagnostic with paths as one would write them in the current folder."""
    notes = tuple(type(note)(note.text, note.place and relative(note.place)) for note in diagnostic.notes)
    place = diagnostic.place and relative(diagnostic.place)
    return Diagnostic(diagnostic.code, diagnostic.message, place, diagnostic.help, notes)


def relative(place: Place) -> Place:
    """The place with its path as one would write it in the current folder."""
    path = Path(place.source.name)
    if not path.is_absolute() or not path.is_relative_to(Path.cwd()):
        return place
    return place._replace(source=replace(place.source, name=str(path.relative_to(Path.cwd()))))
