"""The blocks and ops that plugins have defined in this process, and the decorators that define them."""

from __future__ import annotations

import inspect
import linecache
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from pydantic import BaseModel

from archbuilder.diagnostics import Place, Source
from archbuilder.graph.needs import names_bound
from archbuilder.graph.op import Op
from archbuilder.graph.table import OPS
from archbuilder.parameters import Parameter
from archbuilder.plugin.signature import parameters_of, signature_of
from archbuilder.plugin.values import PluginError


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


@dataclass
class Registry:
    """What this process knows. `files` are the plugin files that were allowed and loaded, with their texts."""

    entries: dict[str, Entry] = field(default_factory=dict)
    files: dict[Path, str] = field(default_factory=dict)
    loading: str | None = None

    def add(self, name: str, definition: Definition, place: Place, module: str) -> None:
        """Takes a definition. One of the same module is replaced, as when a cell of a notebook is run again.

        Raises:
            PluginError: if the name is no name, or taken.
        """
        if not (str(name).isidentifier() and str(name).isascii()):
            raise PluginError(f"a block's name is made of letters, digits and underscores, got {name!r}")
        if name in OPS:
            raise PluginError(f"`{name}` is an op already", "give it another name")
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


def _place_of_caller(frame: FrameType | None) -> tuple[Place, str]:
    """The line that a frame is at, and its module."""
    if frame is None:
        raise PluginError("this Python cannot say which line is being run")
    file = frame.f_code.co_filename
    source = Source(file, "".join(linecache.getlines(file)))
    return place_of_line(source, frame.f_lineno), str(frame.f_globals.get("__name__", file))


_Function = TypeVar("_Function", bound=Callable[..., Any])
_Op = TypeVar("_Op", bound=type[Op])


def block(
    name: str, *, parameters: type[BaseModel] | None = None, layers: int | None = None
) -> Callable[[_Function], _Function]:
    """Makes a function a block that specs can use.

    The function takes a `Builder`, a `Value` for each value that goes in, and last a pydantic model with what it is told. It
    gives a value, or several, which are then streams. Its docstring's first line is the block's help.

    Args:
        name: what specs call it.
        parameters: the model, if the function's annotations do not say it.
        layers: how many layers it counts for, if its main path does not say it.

    Raises:
        PluginError: if it cannot be a block.
    """
    place, module = _place_of_caller(inspect.currentframe().f_back)  # type: ignore[union-attr]

    def register(function: _Function) -> _Function:
        signature = signature_of(function, parameters)
        told = parameters_of(signature.model)
        help = (inspect.getdoc(function) or "").partition("\n")[0]
        made = PythonBlock(name, function, signature.model, told, signature.inputs, signature.keyword, place, help, layers)
        REGISTRY.add(name, made, place, module)
        return function

    return register


def op(cls: _Op) -> _Op:
    """Registers an op: a frozen dataclass that is derived from `Op`, as the shipped ones are.

    Raises:
        PluginError: if it cannot be an op.
    """
    place, module = _place_of_caller(inspect.currentframe().f_back)  # type: ignore[union-attr]
    register_op(cls, place, module)
    return cls


def register_op(cls: type[Op], place: Place, module: str) -> None:
    """Registers an op that is defined at a place.

    Raises:
        PluginError: if it cannot be an op.
    """
    if "__dataclass_fields__" not in cls.__dict__ or Op not in cls.__mro__:
        raise PluginError(f"`{cls.__name__}` is no dataclass derived from Op", "write @dataclass(frozen=True)")
    for word in ("name", "help"):
        if not isinstance(getattr(cls, word, None), str):
            raise PluginError(f"the op `{cls.__name__}` has no `{word}`", f'write {word}: ClassVar[str] = "..."')
    _check_needs(cls, module)
    REGISTRY.add(cls.name, cls, place, module)


def _check_needs(cls: type[Op], module: str) -> None:
    """Two ops may not mean different things by one name in emitted source."""
    try:
        own = {name: text for text in cls.needs for name in names_bound(text)}
    except SyntaxError as error:
        raise PluginError(f"what `{cls.name}` needs in emitted source is no Python: {error.msg}") from None
    for text in REGISTRY.other_needs(module, cls.name):
        for name in names_bound(text) & own.keys():
            if own[name] != text:
                message = f"`{name}`, which `{cls.name}` needs in emitted source, is something else in another op"
                raise PluginError(message, "give it another name")
