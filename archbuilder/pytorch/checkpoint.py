"""Weights from files into models, strictly, with a readable account of what does not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

_PREFIXES = ("module.", "_orig_mod.")
_WRAPPERS = ("state_dict", "model_state_dict", "model")
_SHOWN = 12


class CheckpointError(ValueError):
    """A checkpoint does not fit a model. `missing`, `unexpected` and `misshapen` list the keys."""

    def __init__(self, path: Path, missing: list[str], unexpected: list[str], misshapen: list[str]) -> None:
        self.missing, self.unexpected, self.misshapen = missing, unexpected, misshapen
        lines = [f"{path} does not fit the model"]
        for title, keys in (
            ("missing in the file", missing),
            ("not in the model", unexpected),
            ("of another shape", misshapen),
        ):
            if keys:
                lines.append(f"  {title} ({len(keys)}):")
                lines += [f"    {key}" for key in keys[:_SHOWN]]
                lines += [f"    ... and {len(keys) - _SHOWN} more"] if len(keys) > _SHOWN else []
        super().__init__("\n".join(lines))


def load_into(model: nn.Module, path: Path) -> None:
    """Loads a file of weights into a model. Nothing is changed where something does not fit.

    Raises:
        CheckpointError: if keys or shapes differ.
        ValueError: if the file holds no weights.
        FileNotFoundError: if there is no such file.
    """
    state = _without_prefixes(_read(path))
    own = model.state_dict()
    missing = [key for key in own if key not in state]
    unexpected = [key for key in state if key not in own]
    misshapen = [
        f"{key}: {tuple(state[key].shape)} in the file, {tuple(own[key].shape)} in the model"
        for key in own
        if key in state and state[key].shape != own[key].shape
    ]
    if missing or unexpected or misshapen:
        raise CheckpointError(path, missing, unexpected, misshapen)
    model.load_state_dict(state)


def _read(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    found: Any = torch.load(path, map_location="cpu", weights_only=True)
    for wrapper in _WRAPPERS:
        if isinstance(found, dict) and isinstance(found.get(wrapper), dict):
            found = found[wrapper]
            break
    if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
        raise ValueError(f"{path} holds no state_dict: a map from names to tensors")
    return {str(key): value for key, value in found.items()}


def _without_prefixes(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The state without what DataParallel and `torch.compile` put before each name."""
    while True:
        prefix = next((each for each in _PREFIXES if state and all(key.startswith(each) for key in state)), None)
        if prefix is None:
            return state
        state = {key[len(prefix) :]: value for key, value in state.items()}
