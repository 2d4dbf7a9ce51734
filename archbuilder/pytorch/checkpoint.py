"""Weights into models: what fits is found first, then all is taken or nothing is, and a report says what became of each
tensor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from archbuilder.pytorch.report import CheckpointError, Report, Wishes

if TYPE_CHECKING:
    from torch import Tensor, nn

    from archbuilder.pytorch.network import Network

INSTALL = 'loading a checkpoint needs torch: pip install "archbuilder-torch[torch]"'

Weights: TypeAlias = str | Path | Mapping[str, Any]
"""Where weights come from."""


@dataclass(frozen=True)
class Fit:
    """What a model takes from a source: its tensors by its own keys, as they are there, and what became of each."""

    values: dict[str, Callable[[], Tensor]]
    report: Report


def ask_for_torch() -> None:
    """Makes sure that torch is there.

    Raises:
        ModuleNotFoundError: if it is not installed; the message says what to install.
    """
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ModuleNotFoundError(INSTALL, name="torch") from None


def ask_for_model(model: object) -> None:
    """Makes sure that torch is there, and that a model is one.

    Raises:
        TypeError: if it is none.
        ModuleNotFoundError: if torch is not installed; the message says what to install.
    """
    ask_for_torch()
    from torch import nn

    if not isinstance(model, nn.Module):
        raise TypeError(f"expected a model, as `archbuilder.build(spec)` gives, got {type(model).__name__}")


def fit(model: nn.Module, source: Weights, wishes: Wishes) -> Fit:
    """Finds what of a source goes where in a model; nothing is changed yet.

    Raises:
        CheckpointError: if the source holds no weights, or keys, shapes or kinds of numbers differ.
        FileNotFoundError: if there is no such file.
        ModuleNotFoundError: if torch, or what the source needs, is not installed.
    """
    ask_for_torch()
    from archbuilder.pytorch.keys import as_named_in, plain_names
    from archbuilder.pytorch.matching import match
    from archbuilder.pytorch.reading import read

    state, name = read(source, model)
    own = model.state_dict()
    names = plain_names(model, own)
    reading = as_named_in(names, state, name, wishes.prefix)
    found = match(model, {plain: own[key] for plain, key in names.items()}, reading, name, wishes)
    return Fit({names[plain]: value for plain, value in found.values.items()}, Report(name, tuple(found.rows)))


def take(model: nn.Module, found: Fit) -> Report:
    """Puts what fits into a model."""
    converted = {key: value() for key, value in found.values.items()}  # all, before anything is changed
    model.load_state_dict(converted, strict=False)
    return found.report


def give(model: nn.Module, found: Fit) -> None:
    """Gives a model without memory what fits as its own: copies, since a file that is mapped may be written anew."""
    import torch
    from torch import nn

    modules, zero, device = dict(model.named_modules()), torch.zeros((), dtype=torch.int64), torch.get_default_device()
    values = dict(found.values)
    for key in found.report.new:  # counters that old files do not have
        values[key] = zero.clone
    for key, value in values.items():
        path, _, name = key.rpartition(".")
        module = modules[path]
        empty = module._parameters.get(name)  # noqa: SLF001
        if empty is None:
            module._buffers[name] = value().to(device, copy=True)  # noqa: SLF001
        else:
            own = nn.Parameter(value().to(device, copy=True), empty.requires_grad)
            module._parameters[name] = own  # noqa: SLF001


def load_into(model: nn.Module, source: Weights, wishes: Wishes) -> Report:
    """Loads weights into a model. Nothing is changed where something does not fit.

    Raises:
        CheckpointError: as for `fit`; or because the model has no memory.
        FileNotFoundError: if there is no such file.
        ModuleNotFoundError: if torch, or what the source needs, is not installed.
    """
    ask_for_model(model)
    found = fit(model, source, wishes)
    if any(value.is_meta for value in model.state_dict().values()):
        message = "the model is on the meta device, where there is no memory for weights"
        raise CheckpointError(f'{message}: call model.to_empty(device="cpu") first')
    return take(model, found)


def made_with(make: Callable[..., Network], source: Weights, then: Callable[[Network], None] | None = None) -> Network:
    """A network with the weights of a source, all of them: none is drawn before, so it is made without memory first.

    Args:
        make: what makes the network.
        source: where its weights come from.
        then: what is done to the network before it is given them.

    Raises:
        CheckpointError: as for `fit`.
        FileNotFoundError: if there is no such file.
        ModuleNotFoundError: if what the source needs is not installed.
    """
    model = make(empty=True)
    if then is not None:
        then(model)
    found = fit(model, source, Wishes())
    if not any(value.is_meta for value in model.state_dict().values()):  # modules of others, which are made with memory
        take(model, found)
    else:
        give(model, found)
    return model
