"""Weights from files into models, strictly, with a readable account of what does not fit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archbuilder.diagnostics import printable

if TYPE_CHECKING:
    from torch import Tensor, nn

INSTALL = 'loading a checkpoint needs torch: pip install "archbuilder-torch[torch]"'

_COMPILED, _PARALLEL = "_orig_mod", "module"
"""What `torch.compile` and DataParallel call the module that they wrap."""

_WRAPPERS = ("state_dict", "model_state_dict", "model")
_COUNTER = "num_batches_tracked"
_SAVE = "save the weights alone: torch.save(model.state_dict(), path)"
_SHOWN = 12


class CheckpointError(ValueError):
    """A checkpoint cannot be read, or does not fit a model. `missing`, `unexpected`, `misshapen` and `mistyped` list keys."""

    def __init__(
        self,
        message: str,
        *,
        missing: Sequence[str] = (),
        unexpected: Sequence[str] = (),
        misshapen: Sequence[str] = (),
        mistyped: Sequence[str] = (),
        unreadable: Sequence[str] = (),
    ) -> None:
        self.missing, self.unexpected = list(missing), list(unexpected)
        self.misshapen, self.mistyped = list(misshapen), list(mistyped)
        lines = [printable(line) for line in message.split("\n")]
        for title, keys in (
            ("missing in the file", self.missing),
            ("not in the model", self.unexpected),
            ("of another shape", self.misshapen),
            ("of another kind of number", self.mistyped),
            ("not plain", list(unreadable)),
        ):
            if keys:
                lines.append(f"  {title} ({len(keys)}):")
                lines += [f"    {printable(key)}" for key in keys[:_SHOWN]]
                lines += [f"    ... and {len(keys) - _SHOWN} more"] if len(keys) > _SHOWN else []
        super().__init__("\n".join(lines))


def load_into(model: nn.Module, path: Path) -> None:
    """Loads a file of weights into a model. Nothing is changed where something does not fit.

    Raises:
        CheckpointError: if the file holds no weights, keys, shapes or kinds of numbers differ, or the model has no memory.
        FileNotFoundError: if there is no such file.
        ModuleNotFoundError: if torch is not installed.
    """
    try:
        import torch  # noqa: F401 -- asked first, so that the message says what to do
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ModuleNotFoundError(INSTALL, name="torch") from None
    own = model.state_dict()
    if any(value.is_meta for value in own.values()):
        message = "the model is on the meta device, where there is no memory for weights"
        raise CheckpointError(f'{message}: call model.to_empty(device="cpu") first')
    names = _plain_names(model)
    state = _as_named_in(list(names), _read(path))
    _compare(path, {name: own[key] for name, key in names.items()}, state)
    try:  # first all are converted, then all are taken: nothing is changed by halves
        converted = {names[name]: value.to(own[names[name]].dtype) for name, value in state.items()}
    except RuntimeError as error:
        raise CheckpointError(f"{path} holds numbers that cannot be converted: {error}") from None
    model.load_state_dict(converted)


def _compare(path: Path, own: dict[str, Tensor], state: dict[str, Tensor]) -> None:
    """Makes sure that a state fits a model's own."""
    without_counters = not any(key.endswith(_COUNTER) for key in state)  # files older than PyTorch 0.4.1 have none
    both = [key for key in own if key in state]
    differences = {
        "missing": [key for key in own if key not in state and not (without_counters and key.endswith(_COUNTER))],
        "unexpected": [key for key in state if key not in own],
        "misshapen": [
            f"{key}: {tuple(state[key].shape)} in the file, {tuple(own[key].shape)} in the model"
            for key in both
            if state[key].shape != own[key].shape
        ],
        "mistyped": [
            f"{key}: {_type(state[key])} in the file, {_type(own[key])} in the model"
            for key in both
            if _kind(state[key]) != _kind(own[key])
        ],
    }
    if any(differences.values()):
        raise CheckpointError(f"{path} does not fit the model", **differences)


def _type(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _kind(tensor: Tensor) -> str:
    """The kind of a tensor's numbers; those of one kind are converted, as half precision is to single."""
    if tensor.is_floating_point():
        return "float"
    return "complex" if tensor.is_complex() else "integer"


# ---- names -----------------------------------------------------------------------------------------------------------


def _plain_names(model: nn.Module) -> dict[str, str]:
    """The model's keys, by what they are where nothing is wrapped."""
    return {_plain_name(model, key): key for key in model.state_dict()}


def _plain_name(model: nn.Module, key: str) -> str:
    """A key of a model without what wrappers inside of the model put there."""
    from torch import nn

    kept: list[str] = []
    outer: Any = model
    for word in key.split("."):
        parallel = isinstance(outer, nn.DataParallel | nn.parallel.DistributedDataParallel)
        if word != (_PARALLEL if parallel else _COMPILED):
            kept.append(word)
        outer = getattr(outer, word, None)
    return ".".join(kept)


def _as_named_in(names: Sequence[str], state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The state, with what wrappers put into its names taken out so far as it then fits a model's names best."""
    return min(_readings(state), key=lambda reading: len(reading.keys() ^ set(names)))


def _readings(state: dict[str, Tensor]) -> Iterator[dict[str, Tensor]]:
    """A state as it is; without what stands before all names; without what wrappers put inside of names."""
    shorter: dict[str, Tensor] | None = state
    while shorter is not None:
        yield shorter
        yield from _without(shorter, {_COMPILED})
        shorter = _without_prefix(shorter)
    yield from _without(state, {_COMPILED, _PARALLEL})


def _without_prefix(state: dict[str, Tensor]) -> dict[str, Tensor] | None:
    for prefix in (f"{_PARALLEL}.", f"{_COMPILED}."):
        if state and all(key.startswith(prefix) for key in state):
            return {key.removeprefix(prefix): value for key, value in state.items()}
    return None


def _without(state: dict[str, Tensor], words: set[str]) -> Iterator[dict[str, Tensor]]:
    """The state without some words in its names, if the names are still different ones then."""
    renamed = {".".join(word for word in key.split(".") if word not in words): value for key, value in state.items()}
    if len(renamed) == len(state):
        yield renamed


# ---- files -----------------------------------------------------------------------------------------------------------


def _read(path: Path) -> dict[str, Tensor]:
    """The weights in a file."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    if path.stat().st_size == 0:
        raise CheckpointError(f"{path} is empty; {_SAVE}")
    return _read_safetensors(path) if path.suffix.lower() == ".safetensors" else _read_pickle(path)


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ModuleNotFoundError as error:
        if error.name != "safetensors":
            raise
        raise ModuleNotFoundError(
            "reading this file needs safetensors: pip install safetensors", name="safetensors"
        ) from None
    try:
        return load_file(path)
    except SafetensorError as error:
        advice = "write it with safetensors.torch.save_file(model.state_dict(), path)"
        raise CheckpointError(f"{path} is no safetensors file ({error}); {advice}") from None


def _read_pickle(path: Path) -> dict[str, Tensor]:
    import torch

    try:
        found: Any = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 -- what is no checkpoint makes an unpickler fail in any way
        raise CheckpointError(f"{path} {_why_unreadable(error)}; {_SAVE}") from None
    for wrapper in _WRAPPERS:
        if isinstance(found, dict) and isinstance(found.get(wrapper), dict):
            found = found[wrapper]
            break
    if not isinstance(found, dict) or not all(isinstance(value, torch.Tensor) for value in found.values()):
        raise CheckpointError(f"{path} holds no state_dict, which is a map from names to tensors; {_SAVE}")
    odd = [f"{key}: {_kind_of_storage(value)}" for key, value in found.items() if not _is_plain(value)]
    if odd:
        raise CheckpointError(f"{path} holds tensors that are no plain numbers in memory; {_SAVE}", unreadable=odd)
    return {str(key): value for key, value in found.items()}


def _is_plain(tensor: Tensor) -> bool:
    """Whether a tensor is numbers in memory, one beside the other, as weights are."""
    import torch

    dense = tensor.layout == torch.strided and not (tensor.is_meta or tensor.is_nested)
    return dense and type(tensor) in (torch.Tensor, torch.nn.Parameter)


def _kind_of_storage(tensor: Tensor) -> str:
    """How a tensor that is not plain is kept, in a word."""
    import torch

    if tensor.is_meta or tensor.is_nested:
        return "meta" if tensor.is_meta else "nested"
    return "sparse" if tensor.layout != torch.strided else type(tensor).__name__


def _why_unreadable(error: Exception) -> str:
    """What is wrong with a file that `torch.load` refuses."""
    text = str(error)
    asked = re.search(r"GLOBAL ([\w.]+)", text)
    if asked is not None:
        return f"holds more than tensors (it asks for `{asked[1]}`), and reading it could run code, so it is not read"
    if "TorchScript" in text:
        return "holds a TorchScript program, not weights"
    return "is no file of weights: `torch.save` did not write it, or it is damaged"
