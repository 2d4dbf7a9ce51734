"""A network in one file: its weights, and the spec from which it is made again."""

from __future__ import annotations

import errno
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from archbuilder.diagnostics import SpecError, with_article
from archbuilder.graph.head import head_of
from archbuilder.parameters import MAXIMUM_INTEGER
from archbuilder.pytorch.build import Features
from archbuilder.pytorch.emitted import PACKAGE
from archbuilder.pytorch.keys import plain_names, plain_paths
from archbuilder.pytorch.matching import unwrapped
from archbuilder.pytorch.network import Again, Network
from archbuilder.pytorch.reading import ask_for_file, needed
from archbuilder.pytorch.report import CheckpointError
from archbuilder.tasks.checking import check
from archbuilder.tasks.dumping import dump

_SPEC, _MADE = "archbuilder.spec", "archbuilder.made"
"""Under which words a file's metadata holds the spec, and what was done to the network since."""


def save_network(model: nn.Module, path: str | Path) -> None:
    """Writes a network's weights and spec into a safetensors file.

    Raises:
        CheckpointError: if the model is none of a spec, or another one by now.
        OSError: if there is no such folder, or the file cannot be written.
        ModuleNotFoundError: if safetensors is not installed.
    """
    library = needed("safetensors.torch", "safetensors", "saving a network")
    inner = _network_in(model)
    state = model.state_dict()
    names = plain_names(model, state)
    differs = list(_differences(model, inner, {name: state[key] for name, key in names.items()}))
    if differs:
        what = ", ".join(differs[:3]) + (" ..." if len(differs) > 3 else "")
        raise CheckpointError(f"the model is no longer what its spec says: it differs in {what}; save {_WEIGHTS}")
    metadata = {"format": "pt", _SPEC: dump(inner.spec), _MADE: json.dumps(inner._as_built.made())}  # noqa: SLF001
    tensors = {plain: state[key].detach().contiguous() for plain, key in names.items()}
    try:
        _write(Path(path), lambda part: library.save_file(tensors, part, metadata))
    except OSError as error:  # which may name the file that is there meanwhile
        raise type(error)(error.errno, error.strerror, os.fspath(path)) from None


def _write(path: Path, write: Callable[[Path], None]) -> None:
    """Writes a file by way of one beside it, so that no other program reads half of it.

    Raises:
        OSError: if it cannot be written.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "this is a folder; name a file in it")
    if path.exists() and not path.is_file():
        raise FileExistsError(errno.EEXIST, "this is there and no file")
    part = path.with_name(f".archbuilder-{secrets.token_hex(8)}.part")
    try:
        part.touch()  # what hinders that, Python says as an `OSError`
        write(part)
        part.replace(path)
    except needed("safetensors", "safetensors", "saving a network").SafetensorError as error:
        raise OSError(errno.EIO, str(error)) from None
    finally:
        with suppress(OSError):
            part.unlink()


_WEIGHTS = "its weights alone: torch.save(model.state_dict(), path)"


def _network_in(model: nn.Module) -> Network:
    """The network that a model is, or that something has wrapped."""
    inner = unwrapped(model)
    if isinstance(inner, Network) and "_as_built" in vars(inner):
        if inner._as_built.alone:  # noqa: SLF001
            raise CheckpointError(
                f"a block by itself is no network, which could be saved with its spec; save {_WEIGHTS}"
            )
        return inner
    name = type(inner).__name__
    made = " that its class has made" if isinstance(inner, Network) else ""
    held = next((path for path, each in inner.named_modules() if path and "_as_built" in vars(each)), None)
    advice = f"save {_WEIGHTS}"
    if held is not None:
        which = f"model.{held}" if held.isidentifier() else f'model.get_submodule("{held}")'
        advice = f"its `{held}` has one; save that: archbuilder.save({which}, path), or {_WEIGHTS}"
    raise CheckpointError(f"{with_article(name)}{made} has no spec that could be saved with it; {advice}")


def _differences(model: nn.Module, inner: Network, state: Mapping[str, Tensor]) -> Iterator[str]:
    """What in a model is other than in one that is made anew: tensors, or else modules and what they are told."""
    fresh = inner._as_built.part("as it is", inner._as_built.returned)  # noqa: SLF001
    wanted = fresh.state_dict()
    shapes, found = ({key: value.shape for key, value in each.items()} for each in (wanted, state))
    if shapes != found:
        yield from (key for key in {**shapes, **found} if shapes.get(key) != found.get(key))
        return
    plain = plain_paths(model)
    now = {plain[path]: module for path, module in model.named_modules(remove_duplicate=False)}
    made = dict(fresh.named_modules(remove_duplicate=False))
    for path in {**made, **now}:
        if path not in made or path not in now or _kind(made[path]) != _kind(now[path]):
            yield path
        else:
            told, names = _told(now[path]), _told(made[path]).items()
            yield from (
                f"{path}.{name}" for name, value in names if told.get(name) != value and name not in _MEANINGLESS
            )
    yield from (path for path, other in zip(made, now, strict=False) if path != other)
    shared, meant = _shared(now), _shared(made)
    yield from (path for path, first in meant.items() if shared.get(path, first) != first)


_MEANINGLESS = frozenset(("training", "inplace"))
"""What may be another for the same numbers in the end."""


def _kind(module: nn.Module) -> tuple[str, str]:
    """What a module is. Norms over one process and over several compute the same; a class of a spec's may come out of a file
    that another version has written."""
    made = nn.BatchNorm2d if isinstance(module, nn.modules.batchnorm._BatchNorm) else type(module)  # noqa: SLF001
    return made.__name__, PACKAGE if made.__module__.startswith(PACKAGE) else made.__module__


def _told(module: nn.Module) -> dict[str, object]:
    """The numbers and words that a module was told, and whether it was given another `forward`."""
    own = {name: value for name, value in vars(module).items() if not name.startswith("_") and _is_plain(value)}
    forward = vars(module).get("forward")
    return {**own, "forward": None if isinstance(forward, Again) else forward}


def _is_plain(value: object) -> bool:
    several = value if isinstance(value, tuple | list) else [value]
    return all(isinstance(each, int | float | str | None) for each in several)


def _shared(modules: Mapping[str, nn.Module]) -> dict[str, str]:
    """The tensors in modules, each by its path, with the first path at which it stands."""
    first: dict[int, str] = {}
    return {
        f"{path}.{name}": first.setdefault(id(tensor), f"{path}.{name}")
        for path, module in modules.items()
        for name, tensor in (*module.named_parameters(recurse=False), *module.named_buffers(recurse=False))
    }


def saved_network(path: Path, told: Mapping[str, Any]) -> tuple[str, Callable[[Network], None], Features | None]:
    """The spec in a file, as a text, what was done to the network since it was built, and its feature maps. `told` is what is
    set in the spec.

    Raises:
        CheckpointError: if there is none.
        FileNotFoundError: if there is no such file.
        ModuleNotFoundError: if safetensors is not installed.
    """
    library = needed("safetensors", "safetensors", "reading this file")
    ask_for_file(path)
    try:
        with library.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except library.SafetensorError as error:
        raise CheckpointError(f"{path} is no safetensors file ({error})") from None
    if _SPEC not in metadata:
        raise CheckpointError(
            f"{path} has weights and no spec: name the spec, as in build(spec, weights=path); archbuilder.save writes both"
        )
    made = _note(metadata.get(_MADE, "{}"))
    if made is None:
        raise _no_network(path)
    features, called = made["features"], made["called"]
    if called is not None:
        features = dict(zip(features, called, strict=True))
    text = metadata[_SPEC]
    then = partial(_as_it_was, path=path, text=text, told=told, classes=made["classes"], pooled=made["pooled"])
    return text, then, features


def _note(text: str) -> dict[str, Any] | None:
    """What `AsBuilt.made` has said, as a file has it; None where that is damaged."""
    try:
        made = {"features": None, "called": None, "classes": None, "pooled": True, **json.loads(text)}
    except (ValueError, TypeError, RecursionError):
        return None
    features, called, classes = made["features"], made["called"], made["classes"]
    fine = (
        type(made["pooled"]) is bool
        and (classes is None or (type(classes) is int and 0 <= classes <= MAXIMUM_INTEGER))
        and (features is None or _is_list_of((str, int), features))
        and (
            called is None
            or (_is_list_of((str,), called) and features is not None and len(called) == len(set(features)))
        )
    )
    return made if fine else None


def _is_list_of(kinds: tuple[type, ...], value: object) -> bool:
    return isinstance(value, list) and all(type(each) in kinds for each in value)


def _as_it_was(
    network: Network, path: Path, text: str, told: Mapping[str, Any], classes: int | None, *, pooled: bool
) -> None:
    """Gives a network, as its spec and what is `told` have it, the classes that it was given after it was built."""
    asked = network.num_classes
    if classes is None or (classes == asked and pooled):
        return
    if told and _speaks_of_classes(text, told, asked):
        given = f"{path} has a network that was given {classes or 'no'} classes after it was built"
        wanted = f"{asked or 'none'} are asked for ({', '.join(f'`{name}`' for name in told)})"
        advice = f"leave that out, and call model.reset_classifier({asked}) on what is built"
        raise CheckpointError(f"{given}, and {wanted}: {advice}")
    try:
        network.reset_classifier(classes, None if pooled else "")
    except (ValueError, RuntimeError):
        raise _no_network(path) from None


def _speaks_of_classes(text: str, told: Mapping[str, Any], asked: int) -> bool:
    """Whether the classes of a spec would be others without what it is told, or with other numbers there."""
    others = {name: value + 1 if type(value) is int else value for name, value in told.items()}
    for each in ({}, others):
        with suppress(SpecError):
            head = head_of(check(text=text, overrides=each).graph)
            if (head.classes if head is not None else 0) != asked:
                return True
    return False


def _no_network(path: Path) -> CheckpointError:
    message = f"{path} says of its network what cannot be (`{_MADE}` in its metadata)"
    return CheckpointError(f"{message}: build(spec, weights=path) takes its weights alone")
