"""Where weights come from: files, folders of shards, states at hand, and what other libraries download. Nothing of a file is
ever executed."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple, TypeAlias

import torch
from torch import Tensor

from archbuilder.diagnostics import printable, shorten
from archbuilder.pytorch.report import CheckpointError

State: TypeAlias = dict[str, Tensor]

_SAVE = "save the weights alone: torch.save(model.state_dict(), path)"
_WRAPPERS = (
    "state_dict_ema", "model_ema", "ema_state_dict", "params_ema", "ema", "state_dict", "model_state_dict", "model", "teacher",
    "student", "network", "net", "params",
)  # fmt: skip
"""Under which names trainers keep weights in what they save: averages first, which are the better ones."""
_METADATA: Final = ("argparse", "collections", "datetime", "detectron2", "fvcore", "lightning", "lightning_fabric", "mmengine",
                    "mmcv", "numpy", "omegaconf", "pathlib", "pytorch_lightning", "timm", "types", "typing", "yacs")  # fmt: skip
"""Whose objects trainers put beside weights: they are read as empty ones, since nobody needs them."""
_LIBRARY_FILES = (
    "model.safetensors.index.json",
    "model.safetensors",
    "pytorch_model.bin.index.json",
    "pytorch_model.bin",
)
_LONGEST_NAME: Final = 255
"""More bytes no file system takes for a name."""
_WIDEST: Final = 200
"""So much of a path is shown where there is no such file."""


class Read(NamedTuple):
    """Weights as they were found, and what to call their source."""

    state: State
    name: str


def read(source: Any, model: Any) -> Read:
    """The weights of a source, which is a file, an index of shards, a state, "torchvision", "timm" or "hf:owner/name"; for a
    model, if that says which network of a library it is.

    Raises:
        CheckpointError: if it holds none, or the model is none of that library.
        FileNotFoundError: if there is no such file.
        ModuleNotFoundError: if the library that it needs is not installed; the message says what to install.
        TypeError: if it is none of what weights can come from.
    """
    if isinstance(source, Mapping):
        return Read(_unwrapped(dict(source), "the state"), "the state")
    if not isinstance(source, str | Path):
        advice = "say model.state_dict()" if isinstance(source, torch.nn.Module) else 'as in "resnet50.pth"'
        kind = type(source).__name__
        raise TypeError(f"weights are a file, a state, or the name of a library, not a {kind}: {advice}")
    library, _, name = str(source).partition(":")
    if isinstance(source, str) and library in _LIBRARIES and (name or library != "hf"):
        return Read(_LIBRARIES[library](name, model), source)
    return Read(_read_file(Path(source)), str(source))


# ---- files -----------------------------------------------------------------------------------------------------------


def ask_for_file(path: Path) -> None:
    """Makes sure that there is a file.

    Raises:
        FileNotFoundError: if there is none, or there can be none of that name; the message says what may be meant.
    """
    try:
        found, almost = path.is_file(), _almost(path)
    except PermissionError:
        raise
    except (OSError, ValueError):  # no path: it is too long, or has a NUL in it
        found, almost = False, ""
    if not found:
        raise FileNotFoundError(f"there is no file {printable(shorten(str(path), _WIDEST))}{almost}")


def _read_file(path: Path) -> State:
    ask_for_file(path)
    if path.stat().st_size == 0:
        raise CheckpointError(f"{path} is empty; {_SAVE}")
    if _is_index(path.name):
        return _read_shards(path)
    return read_safetensors(path) if path.suffix.lower() == ".safetensors" else _unwrapped(_unpickled(path), str(path))


def _almost(path: Path) -> str:
    """What to write where a folder is named, or a name without an owner."""
    if path.is_dir():
        return ": it is a folder; name a file in it, or the index of its shards (model.safetensors.index.json)"
    return f'; of the Hugging Face hub, say "hf:{path}"' if re.fullmatch(r"[\w-]+/[\w.-]+", str(path)) else ""


def _read_shards(path: Path) -> State:
    files = _shards(path)
    state: State = {}
    for name in sorted(set(files.values())):
        state |= _read_file(path.with_name(name))
    if missing := [key for key in files if key not in state]:
        raise CheckpointError(f"{path} names tensors that its shards do not hold", missing=missing)
    return state


def _shards(path: Path) -> dict[str, str]:
    """In which file beside an index each tensor is."""
    try:
        files: dict[str, str] = json.loads(path.read_text("utf-8"))["weight_map"]
        fine = bool(files) and all(map(_is_shard, set(files.values())))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        fine = False
    if not fine:
        raise CheckpointError(f"{path} is no index of shards: it has no `weight_map` from tensors to files beside it")
    return files


def _is_shard(name: object) -> bool:
    """Whether a file beside an index may be called so, and is no index again."""
    if not isinstance(name, str) or not name.isprintable() or len(name.encode()) > _LONGEST_NAME:
        return False
    return Path(name).name == name not in ("", "..") and not _is_index(name)


def _is_index(name: str) -> bool:
    return name.lower().endswith(".index.json")


def read_safetensors(path: Path) -> State:
    """The tensors of a file, which stay there until they are asked for.

    Raises:
        CheckpointError: if it is none.
        ModuleNotFoundError: if safetensors is not installed.
    """
    library = needed("safetensors.torch", "safetensors", "reading this file")
    try:
        found: State = library.load_file(path)
    except needed("safetensors", "safetensors", "").SafetensorError as error:
        advice = "write it with safetensors.torch.save_file(model.state_dict(), path)"
        raise CheckpointError(f"{path} is no safetensors file ({error}); {advice}") from None
    return found


def needed(module: str, package: str, purpose: str) -> ModuleType:
    """A module of a library that is not always there.

    Raises:
        ModuleNotFoundError: if it is not installed; the message says what to install.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != module.partition(".")[0]:
            raise
        raise ModuleNotFoundError(f"{purpose} needs {package}: pip install {package}", name=error.name) from None


def _unpickled(path: Path) -> Any:
    """What `torch.save` has put into a file, as long as reading it runs nothing."""
    try:
        with torch.serialization.safe_globals(_stand_ins(path)):
            try:
                return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
            except RuntimeError:  # of before PyTorch 1.6: nothing of it can be mapped
                return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 -- torch raises what it meets in a damaged file
        raise CheckpointError(f"{path} {_why_unreadable(error)}; {_SAVE}") from None


def _stand_ins(path: Path) -> list[Any]:
    """Empty classes for those objects beside the weights that are nobody's business; of all others torch says no."""
    try:
        asked = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except Exception:  # noqa: BLE001 -- what is wrong with the file is said when it is read
        return []
    return [(type(name, (_Nothing,), {}), name) for name in asked if name.partition(".")[0] in _METADATA]


class _Nothing:
    """What stands for an object of a trainer's: it takes whatever it is told, and does nothing."""

    def __new__(cls, *_: object, **__: object) -> Any:
        return super().__new__(cls)

    def __init__(self, *_: object, **__: object) -> None: ...

    def __setstate__(self, state: object) -> None: ...


def _why_unreadable(error: Exception) -> str:
    """What is wrong with a file that `torch.load` refuses."""
    text = str(error)
    asked = re.search(r"GLOBAL ([\w.]+)", text)
    if asked is not None:
        return f"holds more than tensors (it asks for `{asked[1]}`), and reading it could run code, so it is not read"
    if "TorchScript" in text:
        return "holds a TorchScript program, not weights"
    return "is no file of weights: `torch.save` did not write it, or it is damaged"


def _unwrapped(found: Any, name: str) -> State:
    """The state in what a trainer has saved."""
    for _ in _WRAPPERS:  # no trainer wraps more often, but a map may hold itself
        if not isinstance(found, Mapping) or _is_state(found):
            break
        found = next((found[word] for word in _WRAPPERS if isinstance(found.get(word), Mapping)), None)
    if not isinstance(found, Mapping) or not found or not _is_state(found):
        raise CheckpointError(f"{name} holds no state_dict, which is a map from names to tensors; {_SAVE}")
    odd = [f"{key}: {_kind_of_storage(value)}" for key, value in found.items() if not _is_plain(value)]
    if odd:
        raise CheckpointError(f"{name} holds tensors that are no plain numbers in memory; {_SAVE}", unreadable=odd)
    return {str(key): value for key, value in found.items()}


def _is_state(found: Mapping[Any, Any]) -> bool:
    return all(isinstance(value, Tensor) for value in found.values())


def _is_plain(tensor: Tensor) -> bool:
    """Whether a tensor is numbers in memory, one beside the other, as weights are."""
    dense = tensor.layout == torch.strided and not (tensor.is_meta or tensor.is_nested)
    return dense and type(tensor) in (torch.Tensor, torch.nn.Parameter)


def _kind_of_storage(tensor: Tensor) -> str:
    """How a tensor that is not plain is kept, in a word."""
    if tensor.is_meta or tensor.is_nested:
        return "meta" if tensor.is_meta else "nested"
    return "sparse" if tensor.layout != torch.strided else type(tensor).__name__


# ---- libraries -------------------------------------------------------------------------------------------------------


def _of_torchvision(name: str, model: Any) -> State:
    models = needed("torchvision.models", "torchvision", 'weights="torchvision"')
    name = name or _named_by(model, "torchvision")
    try:
        weights = models.get_weight(name) if "." in name else next(iter(models.get_model_weights(name)))
    except (ValueError, StopIteration):
        raise CheckpointError(f"torchvision has no weights called {name}") from None
    found: State = weights.get_state_dict(progress=False, check_hash=True, weights_only=True, map_location="cpu")
    return found


def _of_timm(name: str, model: Any) -> State:
    timm = needed("timm", "timm", 'weights="timm"')
    name = name or _named_by(model, "timm")
    if not timm.is_model(name.partition(".")[0]) or not timm.is_model_pretrained(name):
        raise CheckpointError(f"timm has no weights called {name}")
    found: State = timm.create_model(name, pretrained=True).state_dict()
    return found


def _named_by(model: Any, library: str) -> str:
    """Which network of a library a model is, by the spec that it was built from."""
    spec = getattr(model, "spec", None)
    if spec is not None and spec.reference is not None and spec.reference.weights == library:
        return str(spec.name)
    who = "the model" if spec is None else f"`{spec.name}`"
    message = f"{who} does not say that it is a network of {library} (reference: {{weights: {library}}})"
    raise CheckpointError(f'{message}: say which, as in "{library}:resnet50"')


def _of_hub(name: str, _model: Any) -> State:
    hub = needed("huggingface_hub", "huggingface_hub", 'weights="hf:..."')
    owner, _, rest = name.partition("/")
    repository, _, file = rest.partition("/")
    repository = f"{owner}/{repository}"
    files = set(hub.list_repo_files(repository))
    chosen = file or next((each for each in _LIBRARY_FILES if each in files), "")
    if chosen not in files:
        asked = file or " or ".join(_LIBRARY_FILES)
        raise CheckpointError(f'{repository} has no {asked}: name its file, as in "hf:{repository}/FILE"')
    path = Path(hub.hf_hub_download(repository, chosen))
    if _is_index(chosen):
        for shard in sorted(set(_shards(path).values()) & files):
            hub.hf_hub_download(repository, shard)
    return _read_file(path)


_LIBRARIES: Final[dict[str, Callable[[str, Any], State]]] = {
    "torchvision": _of_torchvision,
    "timm": _of_timm,
    "hf": _of_hub,
}
