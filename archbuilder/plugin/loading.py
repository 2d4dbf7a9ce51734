"""Loads plugin files. That is a permission: whoever calls this lets the file run."""

from __future__ import annotations

import importlib.util
import linecache
import os
import sys
import traceback
from pathlib import Path

from archbuilder.diagnostics import INTERRUPTS, Diagnostic, Place, Source, SpecError
from archbuilder.language.files import UnreadableError, text_of_file
from archbuilder.language.zoo import is_file
from archbuilder.plugin.registry import REGISTRY, PluginError, place_of_line


def load_plugin(path: str | Path) -> None:
    """Runs a plugin file, so that all specs of this process can use what it defines, and may ask for it in `plugins`.

    Its folder is put at the end of `sys.path`, so that it can import what lies beside it. A file that was loaded already is
    run again only if its text has changed.

    Args:
        path: the file.

    Raises:
        SpecError: with what is wrong in the file, and in which line.
        FileNotFoundError: if there is no such file.
    """
    file = Path(os.path.realpath(path))
    if not (is_file(file) and file.is_file()):
        raise FileNotFoundError(f"there is no plugin {path}")
    try:
        text = text_of_file(file)
    except UnreadableError as error:
        raise SpecError([error.diagnostic]) from None
    if REGISTRY.files.get(file) == text:
        return
    source = Source(str(file), text)
    _check_name(file, source)
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))
    linecache.checkcache(str(file))
    REGISTRY.drop(file.stem)
    REGISTRY.files.pop(file, None)
    try:
        _run(file, text)
    except BaseException as error:  # whatever a user's file raises
        REGISTRY.drop(file.stem)
        sys.modules.pop(file.stem, None)
        if isinstance(error, INTERRUPTS):
            raise
        raise SpecError([_diagnostic(error, source)]) from None
    finally:
        REGISTRY.loading = None
    REGISTRY.files[file] = text


def _check_name(file: Path, source: Source) -> None:
    """A plugin is a module under the name of its file, which nothing else may have."""
    known = sys.modules.get(file.stem)
    taken = known is not None and Path(str(getattr(known, "__file__", ""))).resolve() != file
    reason, help = "", "give the file another name"
    if file.suffix != ".py" or not file.stem.isidentifier():
        reason, help = "a plugin is a file of Python", "give it a name as in `my_blocks.py`"
    elif taken or file.stem in sys.stdlib_module_names:
        reason = f"another module is called `{file.stem}` already"
    if reason:
        raise SpecError([Diagnostic("bad-plugin", reason, Place(source, 1, 1, 2), help)])


def _run(file: Path, text: str) -> None:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None:
        raise PluginError("this is no file of Python")
    module = importlib.util.module_from_spec(spec)
    REGISTRY.loading = file.stem
    sys.modules[file.stem] = module
    # The text as it was read: a cached compilation could be of another.
    exec(compile(text, str(file), "exec"), module.__dict__)  # noqa: S102 -- the user has allowed it


def _diagnostic(error: BaseException, source: Source) -> Diagnostic:
    message = f"this plugin cannot be loaded: {described(error)}"
    place = place_of_error(error, place_of_line(source, 1))
    if isinstance(error, PluginError):
        return Diagnostic("bad-plugin", str(error), place, error.help)
    return Diagnostic("bad-plugin", message, place)


def described(error: BaseException) -> str:
    """What was raised, in a line."""
    text = str(error.msg if isinstance(error, SyntaxError) else error).partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def place_of_error(error: BaseException, otherwise: Place) -> Place:
    """The line of a file that raised it, or called what did; where that is none of its lines, a place in the file."""
    source = otherwise.source
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == source.name]
    if isinstance(error, SyntaxError) and error.filename == source.name:
        lines.append(error.lineno or 1)
    return place_of_line(source, lines[-1]) if lines else otherwise
