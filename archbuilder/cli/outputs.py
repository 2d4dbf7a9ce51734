"""Writes results to files, whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

_SPEC_SUFFIXES = (".yaml", ".yml")


class RefusedOutputError(Exception):
    """A result may not be written where it was asked to go."""


def write_output(path: Path, data: bytes) -> None:
    """Writes a file by way of a temporary one beside it, so that nobody ever sees half of it.

    What the path names is replaced, and keeps its mode bits; a link stays a link. Anything but a file (`/dev/stdout`, a
    pipe) is written to as it is.

    Args:
        path: where to.
        data: what.

    Raises:
        RefusedOutputError: if the path names a YAML file that is there.
        OSError: if it cannot be written.
    """
    refuse_spec(path)
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    target = Path(os.path.realpath(path))
    mode = target.stat().st_mode & 0o777 if target.exists() else None
    temporary = target.with_name(f".archbuilder-{secrets.token_hex(8)}.tmp")
    try:
        # Not `tempfile`: its files are their owner's alone, this one gets the mode that any new file gets.
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
            file.write(data)
        if mode is not None:
            temporary.chmod(mode)
        temporary.replace(target)
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no folder {path.parent}") from None
    finally:
        with suppress(OSError):
            temporary.unlink()


def refuse_spec(path: Path, spec: Path | None = None) -> None:
    """Makes sure that writing to a path overwrites no spec: no YAML file, and not the file `spec`.

    Raises:
        RefusedOutputError: if it would.
        OSError: if there can be no such file: its name is too long, or a link leads in a circle.
    """
    try:
        path.stat()
    except FileNotFoundError:
        return
    if spec is not None and spec.exists() and path.samefile(spec):
        raise RefusedOutputError(f"{path} is the spec itself")
    if path.is_file() and {path.suffix.lower(), Path(os.path.realpath(path)).suffix.lower()} & set(_SPEC_SUFFIXES):
        raise RefusedOutputError(f"{path} is a YAML file, and those are never overwritten")
