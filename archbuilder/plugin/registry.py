"""The blocks and ops that plugins have defined in this process. Small, since every check looks here."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from archbuilder.diagnostics import Place, Source
from archbuilder.graph.op import Op
from archbuilder.graph.table import OPS
from archbuilder.language.blocks import shipped_files
from archbuilder.parameters import Parameter

if TYPE_CHECKING:
    from pydantic import BaseModel


class PluginError(Exception):
    """Something in a plugin is wrong. `message` says what, `help` what to write instead."""

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.help = help


@dataclass(frozen=True, eq=False)
class PythonBlock:
    """A block that is a function from a builder and values to values. `inputs` is how many at least and at most, `keyword`
    the name by which it takes its parameters where they cannot stand last."""

    name: str
    function: Callable[..., Any]
    model: type[BaseModel] | None
    parameters: dict[str, Parameter]
    inputs: tuple[int, int | None]
    keyword: str | None
    place: Place
    help: str = ""
    layers: int | None = None
    places: dict[int, Place] = field(default_factory=dict)

    def place_in(self, line: int) -> Place:
        """A line of the file that defines it."""
        if line not in self.places:
            self.places[line] = place_of_line(self.place.source, line)
        return self.places[line]


Definition: TypeAlias = PythonBlock | type[Op]


class Entry(NamedTuple):
    """A definition, where it stands, and in which Python module."""

    definition: Definition
    place: Place
    module: str


class Registry:
    """What this process knows. `files` are the plugin files that were allowed and loaded, with their texts."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.files: dict[Path, str] = {}
        self.loading: str | None = None

    def add(self, name: Any, definition: Definition, place: Place, module: str) -> None:
        """Takes a definition. One of the same module is replaced, as when a cell of a notebook is run again.

        Raises:
            PluginError: if the name is no name, or taken.
        """
        if not (isinstance(name, str) and name.isidentifier() and name.isascii()):
            rule = "begins with no digit" if str(name)[:1].isdigit() else "is made of letters, digits and underscores"
            raise PluginError(f"a block's name {rule}, got {name!r}")
        if name in OPS or name in shipped_files():
            kind = "an op" if name in OPS else "a shipped block"
            raise PluginError(f"`{name}` is {kind} already", "give it another name")
        known = self.entries.get(name)
        if known is not None and (known.module != module or self.loading == module):
            raise PluginError(f"`{name}` is defined in {known.place.source.name}:{known.place.line} already")
        self.entries[name] = Entry(definition, place, module)

    def drop(self, module: str) -> None:
        """Forgets what a module has defined."""
        self.entries = {name: entry for name, entry in self.entries.items() if entry.module != module}

    def other_needs(self, module: str, name: str) -> Iterator[str]:
        """What the other ops need in emitted source."""
        for key, entry in self.entries.items():
            if isinstance(entry.definition, type) and (entry.module, key) != (module, name):
                yield from entry.definition.needs


REGISTRY: Final = Registry()


def place_of_line(source: Source, number: int) -> Place:
    """A whole line of a source, without its indentation."""
    line = source.line(number)
    column = len(line) - len(line.lstrip()) + 1
    return Place(source, number, column, max(len(line) + 1, column + 1))


def is_loaded(path: str) -> bool:
    """Whether a file has been loaded; another path to the same file counts."""
    try:
        return Path(os.path.realpath(path)) in REGISTRY.files
    except (OSError, ValueError):  # what cannot be a path
        return False


def shown_path(path: str) -> str:
    """A path as one would write it in the current folder, quoted for a shell where it has to be."""
    whole, here = Path(path), Path.cwd()
    return shlex.quote(str(whole.relative_to(here) if whole.is_relative_to(here) else whole))
