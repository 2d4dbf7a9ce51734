"""Source text -> classes, as a Python module like any other: debuggers and tracebacks show its lines, and its objects can
be pickled into a process that has never seen the spec."""

from __future__ import annotations

import copyreg
import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import linecache
import sys
from collections.abc import Sequence
from threading import Lock
from types import ModuleType
from typing import Any

from torch import nn

from archbuilder.pytorch.network import Network

PACKAGE = f"{__package__}.emitted_sources"


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds and loads the modules made in this process, by name."""

    def __init__(self) -> None:
        self.sources: dict[str, str] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in self.sources:
            return None
        return importlib.util.spec_from_loader(fullname, self, origin=self.file_of(fullname))

    def get_source(self, fullname: str) -> str:
        return self.sources[fullname]

    def file_of(self, fullname: str) -> str:
        """A name like a path, for tracebacks."""
        return f"<archbuilder>/{fullname.rpartition('.')[2]}.py"

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        source, file = self.sources[name], self.file_of(name)
        module.__file__ = file
        # Without a modification time, linecache keeps the lines for good.
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        code = compile(
            source, file, "exec", dont_inherit=True
        )  # what this file imports from the future is not the text's
        exec(code, module.__dict__)  # noqa: S102 -- the text is our own emitter's
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, nn.Module) and value.__module__ == name:
                copyreg.pickle(value, _reduce)
            elif isinstance(value, type) and issubclass(value, tuple) and value.__module__ == name:
                _let_save(value)
                copyreg.pickle(value, _reduce_outputs)


def _let_save(outputs: type) -> None:
    """Lets `torch.export.save` write a network that returns such a named tuple. torch has this for its own alone, so far."""
    register = getattr(importlib.import_module("torch.utils._pytree"), "_register_namedtuple", None)
    if register is not None:
        register(outputs, serialized_type_name=f"{outputs.__module__}.{outputs.__qualname__}")


_FINDER = _Finder()
_BECOMING = Lock()
"""One thread at a time makes a class a network's."""


def module_of(source: str) -> ModuleType:
    """The Python module of a source, executed once in a process. Where another thread is at it, Python waits for that."""
    name = f"{PACKAGE}.m{hashlib.sha256(source.encode()).hexdigest()[:16]}"
    if _FINDER not in sys.meta_path:
        sys.meta_path.append(_FINDER)
    _FINDER.sources[name] = source
    return importlib.import_module(name)


def class_of(source: str, name: str) -> type[nn.Module]:
    """The root class of a source. Its objects are networks; of that the text says nothing."""
    found: type[nn.Module] = getattr(module_of(source), name)
    with _BECOMING:
        if not issubclass(found, Network):
            found.__bases__ = (Network, *found.__bases__)
    return found


def _reduce(module: nn.Module) -> tuple[Any, ...]:
    """How an object of an emitted class is pickled: with the source of its class."""
    made = type(module)
    source = _FINDER.sources[made.__module__]
    return _restore, (source, made.__name__, isinstance(module, Network)), module.__dict__


def _restore(source: str, name: str, is_network: bool) -> nn.Module:
    """An empty object of a class, to be filled with its state."""
    made: type[nn.Module] = class_of(source, name) if is_network else getattr(module_of(source), name)
    return made.__new__(made)


def _reduce_outputs(outputs: Any) -> tuple[Any, ...]:
    """How a named tuple that a network has given is pickled: with the source of its class, too."""
    made = type(outputs)
    return _restore_outputs, (_FINDER.sources[made.__module__], made.__name__, *outputs)


def _restore_outputs(source: str, name: str, *values: Any) -> Any:
    return getattr(module_of(source), name)(*values)
