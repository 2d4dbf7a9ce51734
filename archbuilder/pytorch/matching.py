"""Which tensor of a checkpoint is which of a model, what is made of those that differ, and what to say where nothing can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor, nn

from archbuilder.diagnostics import shorten
from archbuilder.pytorch.keys import Reading
from archbuilder.pytorch.network import Network
from archbuilder.pytorch.report import CheckpointError, Row, Wishes

_COUNTER = "num_batches_tracked"


def unwrapped(model: nn.Module) -> nn.Module:
    """What DataParallel and `torch.compile` have wrapped."""
    while (
        inner := model._modules.get("module" if isinstance(model, _PARALLEL) else "_orig_mod")  # noqa: SLF001
    ) is not None and type(model).__name__ in _WRAPPERS:
        model = inner
    return model


_PARALLEL = (nn.DataParallel, nn.parallel.DistributedDataParallel)
_WRAPPERS = (*(each.__name__ for each in _PARALLEL), "OptimizedModule")


@dataclass
class Match:
    """What of a reading goes where in a model: `own` are its tensors, under plain names."""

    own: Mapping[str, Tensor]
    reading: Reading
    wishes: Wishes
    head: frozenset[str]
    """The names of the last layer's tensors."""
    beyond: frozenset[str]
    """The names of all that the model's spec has, of which the model may be a part."""
    values: dict[str, Callable[[], Tensor]] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    wrong: dict[str, list[str]] = field(default_factory=dict)
    misshapen: list[str] = field(default_factory=list)

    def make(self) -> None:
        """Goes through the tensors of the model, then those of the file."""
        counted = any(key.endswith(_COUNTER) for key in self.reading.state)
        for key in self.own:
            if self.wishes.head == "new" and key in self.head:
                self.rows.append(Row(key, "new", 'head="new"'))
            elif key in self.reading.state:
                self._both(key)
            elif key.endswith(_COUNTER) and not counted:  # files older than PyTorch 0.4.1 have none
                self.rows.append(Row(key, "new", "files of before PyTorch 0.4.1 count no batches"))
            else:
                self._new(key, "missing", key, "not in the file")
        for key in self.reading.state:
            self._left_out(key)
        outside = f"outside of `{self.reading.prefix}`"
        self.rows += [Row(key, "left out", outside) for key in self.reading.beside]

    def _new(self, key: str, kind: str, said: str, reason: str) -> None:
        if self.wishes.partial:
            self.rows.append(Row(key, "new", reason))
        else:
            self.wrong.setdefault(kind, []).append(said)

    def _both(self, key: str) -> None:
        theirs, ours = self.reading.state[key], self.own[key]
        if _kind(theirs) != _kind(ours) and not (key.endswith(_COUNTER) and _is_whole(theirs)):
            said = f"{key}: {_type(theirs)} in the file, {_type(ours)} in the model"
            self.wrong.setdefault("mistyped", []).append(said)
        elif theirs.shape == ours.shape:
            self.rows.append(Row(key, "loaded", self._how(theirs, ours)))
            self.values[key] = partial(theirs.to, ours.dtype)
        elif self.wishes.channels == "adapt" and self._is_adaptable(key):
            channels = f"{theirs.shape[1]} channels in the file, {ours.shape[1]} in the model"
            self.rows.append(Row(key, "adapted", f"{channels}: as timm does"))
            self.values[key] = partial(_adapted, theirs, ours)
        else:
            self.misshapen.append(key)
            shapes = f"{tuple(theirs.shape)} in the file, {tuple(ours.shape)} in the model"
            self._new(key, "misshapen", f"{key}: {shapes}", shapes)

    def _left_out(self, key: str) -> None:
        if key in self.own:
            if self.wishes.head == "new" and key in self.head:
                self.rows.append(Row(key, "left out", 'head="new"'))
        elif key in self.beyond:
            self.rows.append(Row(key, "left out", "beyond the model, which is a part of its spec"))
        elif self.wishes.partial:
            self.rows.append(Row(key, "left out", "not in the model"))
        else:
            self.wrong.setdefault("unexpected", []).append(key)

    def _how(self, theirs: Tensor, ours: Tensor) -> str:
        """What had to be done to a tensor that fits."""
        reading = self.reading
        prefix = f"without `{reading.prefix}`" if reading.prefix else ""
        named = f"named as in {reading.translated}" if reading.translated else ""
        converted = f"{_type(theirs)} in the file" if theirs.dtype != ours.dtype else ""
        return ", ".join(filter(None, (prefix, named, converted)))

    def _is_adaptable(self, key: str) -> bool:
        """Whether a tensor differs in the channels of the image alone: those that the first layer takes."""
        theirs, ours = self.reading.state[key].shape, self.own[key].shape
        first = next((value.shape for value in self.own.values() if value.dim() > 2), None)
        alike = len(theirs) == len(ours) > 2 and theirs[:1] == ours[:1] and theirs[2:] == ours[2:]
        return alike and first is not None and ours[1] == first[1]

    def advice(self) -> Iterator[str]:
        """What to say, where something does not fit."""
        loaded = sum(row.fate == "loaded" for row in self.rows)
        if not loaded:
            example = [shorten(next(iter(each), "")) for each in (self.reading.state, self.own)]
            yield f"no name in the file is one of the model's: those are like `{example[0]}`, these like `{example[1]}`"
            return
        differing = {*self.misshapen, *self.wrong.get("missing", ())}
        if differing & self.head:
            layer = min(differing & self.head).rpartition(".")[0]
            yield f'load_checkpoint(model, ..., head="new") keeps the model\'s own `{layer}`'
        if any(map(self._is_adaptable, self.misshapen)):
            yield 'load_checkpoint(model, ..., channels="adapt") makes a first layer for other channels'
        if (
            differing - self.head - {key for key in self.misshapen if self._is_adaptable(key)}
            or "unexpected" in self.wrong
        ):
            yield f"load_checkpoint(model, ..., partial=True) loads what fits, {loaded} of {len(self.own)} tensors"


def match(model: nn.Module, own: Mapping[str, Tensor], reading: Reading, source: str, wishes: Wishes) -> Match:
    """What of a source goes where in a model.

    Raises:
        CheckpointError: if something differs that was not said to, or nothing fits at all.
    """
    inner = unwrapped(model)
    path = inner.pretrained_cfg.get("classifier") if isinstance(inner, Network) else None
    if wishes.head is not None and not path:
        message = 'head="new" is for classifiers that archbuilder has built, and this model is none'
        raise CheckpointError(f"{message}: say partial=True, which loads what fits")
    head = frozenset(key for key in own if path and key.startswith(f"{path}."))
    found = Match(own, reading, wishes, head, _beyond(inner) if reading.state.keys() - own.keys() else frozenset())
    found.make()
    if found.wrong:
        raise CheckpointError(f"{source} does not fit the model", **found.wrong, advice=list(found.advice()))
    if not found.values:
        raise CheckpointError(f"nothing in {source} fits the model", advice=list(found.advice()))
    return found


def _beyond(model: nn.Module) -> frozenset[str]:
    """The names of all that a model's spec has."""
    return frozenset(key for key, _ in model._as_built.lower().state()) if isinstance(model, Network) else frozenset()  # noqa: SLF001


def _adapted(theirs: Tensor, ours: Tensor) -> Tensor:
    """The weights of a first layer for another number of channels: for one their sum, so that a grey picture gives what it
    gave; else repeated, and scaled to the same size."""
    before, channels = theirs.shape[1], ours.shape[1]
    if channels == 1:
        return theirs.float().sum(dim=1, keepdim=True).to(ours.dtype)
    repeated = torch.cat([theirs.float()] * -(-channels // before), dim=1)[:, :channels]
    return (repeated * (before / channels)).to(ours.dtype)


def _type(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _is_whole(count: Tensor) -> bool:
    """Whether a count is a whole number, though it was made another kind of number with all the rest: `state[key].half()`."""
    return count.is_floating_point() and bool((count.isfinite() & (count == count.round())).all())


def _kind(tensor: Tensor) -> str:
    """The kind of a tensor's numbers; those of one kind are converted, as half precision is to single."""
    if tensor.is_floating_point():
        return "float"
    return "complex" if tensor.is_complex() else "integer"
