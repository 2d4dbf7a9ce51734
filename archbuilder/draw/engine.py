"""DOT -> SVG or PNG, with whichever Graphviz there is."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

from archbuilder.diagnostics import printable

TIMEOUT: Final = 60.0
"""Seconds after which a layout is given up."""

_DPI: Final = 144


class DrawingError(Exception):
    """A drawing could not be laid out; the message says why and what to do."""


def lay_out(dot: str, format: Literal["svg", "png"], *, timeout: float = TIMEOUT) -> bytes:
    """The picture of a DOT text.

    The `graphviz-pure` that stands beside the running Python is taken first: it gives the same bytes on every platform.
    After it come one on PATH and the system's `dot`, also where the one before failed.

    Raises:
        DrawingError: if there is no Graphviz, or none of them can do it.
    """
    failures: list[str] = []
    for command in _commands():
        try:
            return _run(command, dot, format, timeout)
        except DrawingError as error:
            failures.append(str(error))
    if failures:
        raise DrawingError("the drawing could not be laid out: " + "; ".join(failures))
    raise DrawingError(
        "there is no Graphviz to lay the drawing out: `pip install graphviz-pure`, or install your system's graphviz; "
        "the format `dot` needs neither"
    )


def _commands() -> Iterator[str]:
    beside = str(Path(sys.executable).parent) if sys.executable else None
    places = [("graphviz-pure", beside)] if beside else []
    found = [shutil.which(name, path=path) for name, path in (*places, ("graphviz-pure", None), ("dot", None))]
    return iter(dict.fromkeys(command for command in found if command))


def _run(command: str, dot: str, format: str, timeout: float) -> bytes:
    arguments = [command, "-Kdot", f"-T{format}"]
    arguments += [f"-Gdpi={_DPI}"] if format == "png" else []
    try:
        done = _done(arguments, dot.encode(), timeout)
    except subprocess.TimeoutExpired:
        raise DrawingError(f"`{command}` took longer than {timeout:g} s; a smaller depth has fewer boxes") from None
    except OSError as error:
        raise DrawingError(f"`{command}` cannot be run: {error.strerror or error}") from None
    if done.returncode != 0 or not done.stdout:
        said = [line for line in done.stderr.decode(errors="replace").splitlines() if not line.startswith("Warning")]
        reason = printable(" ".join(said))[:300] or "it gave nothing"
        raise DrawingError(f"`{command}` failed (exit code {done.returncode}): {reason}")
    return done.stdout


def _done(arguments: list[str], given: bytes, timeout: float) -> subprocess.CompletedProcess[bytes]:
    """A process that has come to its end. Whatever ends the wait for it, it ends too, with all that it has started."""
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True) as process:
        try:
            output, errors = process.communicate(given, timeout)
        except BaseException:
            _end(process)
            raise
    return subprocess.CompletedProcess(arguments, process.returncode, output, errors)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and those that it has started."""
    kill_group = getattr(os, "killpg", None)
    with suppress(OSError):
        if kill_group is not None:
            kill_group(process.pid, signal.SIGKILL)
    process.kill()
