"""A network in one file: its weights, and the spec from which it is made again."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from archbuilder.parameters import MAXIMUM_INTEGER
from archbuilder.pytorch.build import Features
from archbuilder.pytorch.keys import plain_names
from archbuilder.pytorch.matching import unwrapped
from archbuilder.pytorch.network import Network
from archbuilder.pytorch.reading import ask_for_file, needed
from archbuilder.pytorch.report import CheckpointError
from archbuilder.tasks.dumping import dump

_SPEC, _MADE = "archbuilder.spec", "archbuilder.made"
"""Under which words a file's metadata holds the spec, and what was done to the network since."""


def save_network(model: nn.Module, path: Path) -> None:
    """Writes a network's weights and spec into a safetensors file.

    Raises:
        CheckpointError: if the model is none of a spec, or another one by now.
        ModuleNotFoundError: if safetensors is not installed.
    """
    library = needed("safetensors.torch", "safetensors", "saving a network")
    inner = unwrapped(model)
    advice = "save its weights alone: torch.save(model.state_dict(), path)"
    if not isinstance(inner, Network):
        raise CheckpointError(f"a {type(inner).__name__} has no spec that could be saved with it; {advice}")
    state = model.state_dict()
    names = plain_names(model, state)
    wanted = {key: tensor.shape for key, tensor in inner._as_built.returned().state()}  # noqa: SLF001
    differs = [
        key for key in {**wanted, **names} if key not in names or wanted.get(key) != tuple(state[names[key]].shape)
    ]
    if differs:
        what = ", ".join(differs[:3]) + (" ..." if len(differs) > 3 else "")
        raise CheckpointError(f"the model is no longer what its spec says: it differs in {what}; {advice}")
    metadata = {"format": "pt", _SPEC: dump(inner.spec), _MADE: json.dumps(inner._as_built.made())}  # noqa: SLF001
    tensors = {plain: state[key].detach().contiguous() for plain, key in names.items()}
    part = path.with_name(f".{path.name}.part")  # so that no other program reads half a file
    try:
        library.save_file(tensors, part, metadata)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def saved_network(path: Path) -> tuple[str, Callable[[Network], None], Features | None]:
    """The spec in a file, as a text, what was done to the network since it was built, and its feature maps.

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
    return metadata[_SPEC], partial(_as_it_was, path=path, classes=made["classes"], pooled=made["pooled"]), features


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


def _as_it_was(network: Network, path: Path, classes: int | None, *, pooled: bool) -> None:
    if classes is not None:
        try:
            network.reset_classifier(classes, None if pooled else "")
        except (ValueError, RuntimeError):
            raise _no_network(path) from None


def _no_network(path: Path) -> CheckpointError:
    message = f"{path} says of its network what cannot be (`{_MADE}` in its metadata)"
    return CheckpointError(f"{message}: build(spec, weights=path) takes its weights alone")
