"""Reads the files that make up a spec, each within the same bounds, and no file that a text has no right to ask for.

The user of the command names one file, whichever that is. What its text asks for in turn is a spec or a file of blocks below
its own folder, or the zoo: a spec may come from anybody, and what is read shows in messages.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from archbuilder.diagnostics import Diagnostic, Place, Reporter, Source
from archbuilder.language import zoo
from archbuilder.language.reader import MAXIMUM_BYTES, MAXIMUM_CHARACTERS, read_bytes, read_yaml
from archbuilder.language.table import Table, copied_table
from archbuilder.language.words import NETWORK, SECTIONS

_OPENING: Final = "|".join((*SECTIONS, *(word.name for word in NETWORK if word.for_blocks), "extends", "variants"))
_SPEC: Final = re.compile(rf"^(?:.{{0,100}}[{{,])?[ \t]*[\"']?({_OPENING})[\"']?[ \t]*:", re.MULTILINE)
"""A line that only a spec or a file of blocks has."""


HOW_TO_NAME: Final = "write the path of a .yaml file, seen from this one"


class UnreadableError(Exception):
    """A file cannot be read; the diagnostic says why, at its first line where there is no better place."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        self.diagnostic = diagnostic
        super().__init__(diagnostic.message)


def text_of_file(path: Path, *, may_wait: bool = True) -> str:
    """The text of a file, no more than a spec may have; with `may_wait` also that of a pipe or a device.

    Raises:
        UnreadableError: if it is too large, or no text.
        OSError: if it cannot be opened.
    """
    if not (may_wait or path.is_file() or path.is_dir()):
        raise OSError(0, "it is no file", str(path))
    with path.open("rb") as file:
        data = read_bytes(file)
    return decoded(data, str(path))


def decoded(data: bytes, name: str) -> str:
    """The text that was read from something that is called `name`.

    Raises:
        UnreadableError: if it is too large, or no text in UTF-8.
    """
    if len(data) > MAXIMUM_BYTES:
        message = f"this text has more than {MAXIMUM_CHARACTERS:,} characters, which is all that is read"
        raise UnreadableError(Diagnostic("too-large", message, Place(Source(name, ""), 1, 1, 2)))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        place = Source(name, data.decode("utf-8", "replace")).place(len(data[: error.start].decode("utf-8")))
        message = "this is not a text in UTF-8"
        raise UnreadableError(Diagnostic("not-text", message, place, "save the file as UTF-8")) from None


class _Parsed(NamedTuple):
    """What a text holds, and what is wrong with it. Nobody may change the table, but see `Files.own`."""

    text: str
    table: Table | None
    diagnostics: list[Diagnostic]


_ZOO: Final[dict[str, _Parsed]] = {}
"""The files of the zoo that were asked for, by name: as with shipped blocks, their text is the same for every request."""


@dataclass
class Files:
    """The files of one request. `folder` is that of the spec; None where Python code made it, which may read what it likes.

    Each file is read once, however often it is asked for. With `for_several` the request is for several networks, the
    variants of a file, so that each gets tables of its own.
    """

    folder: Path | None = None
    for_several: bool = False
    _tables: dict[str, _Parsed] = field(default_factory=dict)
    _texts: dict[Path, str] = field(default_factory=dict)

    def named_by_user(self, path: Path, reporter: Reporter) -> Table | None:
        """The table of the file that the user of the command, or Python code, has named.

        Raises:
            OSError: if it cannot be opened.
        """
        self.folder = path.parent
        return self._read(path, reporter, may_wait=True)

    def of_text(self, name: str, text: str, reporter: Reporter) -> Table | None:
        """The table of a text that does not lie in a file; what it asks for is looked up from the current folder."""
        self.folder = Path()
        return self._parsed(Source(name, text), reporter)

    def shipped(self, path: Path, reporter: Reporter) -> Table | None:
        """The table of a file of the zoo."""
        return self._read(path, reporter, may_wait=True)

    def named_by_text(self, path: Path, place: Place | None, reporter: Reporter, what: str) -> Table | None:
        """The table of a file that a text asks for, or None: what is wrong is reported, at `place` unless it is the file's.

        Args:
            path: the file.
            place: where a text asks for it.
            reporter: is told.
            what: what it should be: "spec", or "file of blocks".
        """
        is_spec = what == "spec"
        code, noun = ("unknown-spec", "file") if is_spec else ("unknown-file", what)
        if not self._may_read(path):
            message = f"{path} is outside of the folder of this spec, so it is not read"
            reporter.error("foreign-file", message, place, help="put it into the folder of the spec, or into one below")
            return None
        named = path.suffix in (".yaml", ".yml")
        if not zoo.is_file(path) or not (named or path.is_dir()):
            help = None if is_spec and named else HOW_TO_NAME
            reporter.error(code, f"there is no {noun} {path}", place, help=help)
            return None
        try:
            text = self._text(path, may_wait=False)
            if not path.is_relative_to(zoo.SPECS) and not _SPEC.search(text):
                message = f"{path} is no {what}: it has no {'section' if is_spec else '`blocks`'}"
                reporter.error("no-spec", message, place, help=HOW_TO_NAME)
                return None
            return self._read(path, reporter, may_wait=False)
        except UnreadableError as error:
            reporter.add([error.diagnostic])
        except OSError as error:
            reporter.error(code, f"{path} cannot be read: {error.strerror}", place)
        return None

    def _may_read(self, path: Path) -> bool:
        """Whether a text may ask for a file, wherever links lead."""
        if self.folder is None:
            return True
        try:
            real = os.path.realpath(path)
        except (OSError, ValueError):
            return True  # there is no such file, which is said elsewhere
        return any(_is_below(real, os.path.realpath(folder)) for folder in (self.folder, zoo.SPECS))

    def _text(self, path: Path, *, may_wait: bool) -> str:
        if path not in self._texts:
            self._texts[path] = text_of_file(path, may_wait=may_wait)
        return self._texts[path]

    def _read(self, path: Path, reporter: Reporter, *, may_wait: bool) -> Table | None:
        try:
            source = Source(str(path), self._text(path, may_wait=may_wait), path.is_relative_to(zoo.SPECS))
        except UnreadableError as error:
            reporter.add([error.diagnostic])
            return None
        return self._parsed(source, reporter)

    def _parsed(self, source: Source, reporter: Reporter) -> Table | None:
        """The table of a text, as it was read."""
        tables = _ZOO if source.shipped else self._tables
        known = tables.get(source.name)
        if known is None or known.text != source.text:
            aside = Reporter(is_aside=True)
            known = tables[source.name] = _Parsed(source.text, read_yaml(source, aside), aside.diagnostics)
        reporter.add(known.diagnostics)
        return known.table

    def own(self, table: Table) -> Table:
        """A table for one network, which may be changed."""
        is_kept = self.for_several or (table.place is not None and table.place.source.shipped)
        return copied_table(table) if is_kept else table


def _is_below(path: str, folder: str) -> bool:
    try:
        return os.path.commonpath([path, folder]) == folder
    except ValueError:  # they lie on different drives
        return False
