"""Under which names a checkpoint has what a model calls otherwise: what wrappers and trainers put before all names, and what
older files and other authors call the same tensors."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from torch import Tensor, nn

from archbuilder.pytorch.reading import State
from archbuilder.pytorch.report import CheckpointError

_COMPILED, _PARALLEL = "_orig_mod", "module"
"""What `torch.compile` and DataParallel call the module that they wrap."""
_PARALLELS = (nn.DataParallel, nn.parallel.DistributedDataParallel)
_HOLDERS: Final = frozenset("backbone base_model encoder model net network student teacher trunk".split())  # noqa: SIM905
"""What trainers and larger models call the network that they hold."""
_DEEPEST: Final = 8
"""So many of these words may stand one behind the other."""
_MOST: Final = 32
"""In so many ways they may do so in one file, since each is tried."""


class Reading(NamedTuple):
    """A state under the names of a model, so far as these were found; `beside` is what stands outside of a prefix."""

    state: State
    prefix: str = ""
    beside: tuple[str, ...] = ()
    translated: str = ""


def plain_names(model: nn.Module, state: Mapping[str, Tensor]) -> dict[str, str]:
    """The keys of a model's state, by what they are where nothing is wrapped."""
    plain = plain_paths(model)
    return {
        ".".join(filter(None, (plain[path], name))): key for key in state for path, _, name in [key.rpartition(".")]
    }


def plain_paths(model: nn.Module) -> dict[str, str]:
    """What the paths of a model's modules are where nothing is wrapped."""
    plain = {"": ""}
    for path, _ in model.named_modules(remove_duplicate=False):
        outer, _, name = path.rpartition(".")
        is_wrapper = name == (_PARALLEL if isinstance(model.get_submodule(outer), _PARALLELS) else _COMPILED)
        plain[path] = plain[outer] if is_wrapper else f"{plain[outer]}.{name}".removeprefix(".")
    return plain


def as_named_in(names: Collection[str], state: State, source: str, prefix: str | None = None) -> Reading:
    """The state under the names that fit those of a model best.

    Raises:
        CheckpointError: if several networks in it fit equally well, or nothing stands under the prefix that was asked for.
    """
    own = set(names)
    if prefix is not None:
        asked = prefix if not prefix or prefix.endswith(".") else f"{prefix}."
        readings = list(_translated(_under(state, asked)))
        if not readings[0].state:
            raise CheckpointError(f"{source} has nothing under `{asked}`")
    else:
        readings = []
        for reading in (each for found in _readings(state, names, source) for each in _translated(found)):
            if reading.state.keys() == own and not reading.beside:
                return reading
            readings.append(reading)
    ranked = sorted(readings, key=lambda reading: len(reading.state.keys() ^ own))
    best = ranked[0]
    equal = {each.prefix for each in ranked if len(each.state.keys() ^ own) == len(best.state.keys() ^ own)}
    if best.beside and len(equal) > 1:
        which = " and ".join(f"`{each}`" for each in sorted(equal)[:3]) + (" ..." if len(equal) > 3 else "")
        raise _several(source, f"several networks that fit: {which}", best.prefix)
    return best


def _several(source: str, which: str, example: str) -> CheckpointError:
    return CheckpointError(f'{source} holds {which}; say which, as in prefix="{example}"')


def _readings(state: State, names: Collection[str], source: str) -> Iterator[Reading]:
    """A state as it is; without what stands before all names, or before those of one network in it; without what wrappers put
    inside of names."""
    yield Reading(state)
    prefixes = _prefixes(state, list(names))
    if len(prefixes) > _MOST:
        raise _several(source, f"names under {len(prefixes)} prefixes", prefixes[0])
    for prefix in prefixes:
        found = _under(state, prefix)
        yield found
        yield from (found._replace(state=each) for each in _without(found.state, {_COMPILED}))
    for words in ({_COMPILED}, {_COMPILED, _PARALLEL}):
        yield from map(Reading, _without(state, words))


def _prefixes(state: State, names: Sequence[str]) -> list[str]:
    """What stands before the names of some tensors of the model, as far as it is known to mean nothing."""
    probes = [f".{name}" for name in [*names[:1], *names[len(names) // 2 :][:1], *names[-1:]]]
    last = {f".{name.rpartition('.')[2]}" for name in names}
    found = dict.fromkeys(key[: -len(probe) + 1] for probe in probes for key in state if key.endswith(probe))
    common = _common_prefix(state)
    found |= dict.fromkeys(common if any(key.endswith(tuple(last)) for key in state) else ())
    return [prefix for prefix in found if _means_nothing(prefix)]


def _means_nothing(prefix: str) -> bool:
    return prefix.count(".") <= _DEEPEST and set(prefix[:-1].split(".")) <= _HOLDERS | {_COMPILED, _PARALLEL}


def _common_prefix(state: State) -> list[str]:
    """The first words, one after the other, that stand before every name."""
    first = next(iter(state), "").split(".", _DEEPEST)
    prefixes = [".".join(first[:count]) + "." for count in range(1, len(first))]
    return [prefix for prefix in prefixes if all(key.startswith(prefix) for key in state)]


def _under(state: State, prefix: str) -> Reading:
    """What stands under a prefix. Beside what a wrapper wraps there is nothing; beside a backbone there may be a head."""
    inside = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    outside = {key: value for key, value in state.items() if not key.startswith(prefix)}
    if set(prefix[:-1].split(".")) <= {_COMPILED, _PARALLEL}:
        return Reading({**outside, **inside}, prefix)
    return Reading(inside, prefix, tuple(outside))


def _without(state: State, words: set[str]) -> Iterator[State]:
    """The state without some words in its names, if the names are still different ones then."""
    renamed = {".".join(word for word in key.split(".") if word not in words): value for key, value in state.items()}
    if len(renamed) == len(state):
        yield renamed


# ---- what others call the same ---------------------------------------------------------------------------------------


def _translated(reading: Reading) -> Iterator[Reading]:
    """A reading as it is, and in the words of each translation that changes something of it."""
    yield reading
    for what, translate in _TRANSLATIONS.items():
        renamed = {translate(key): value for key, value in reading.state.items()}
        if len(renamed) == len(reading.state) and renamed.keys() != reading.state.keys():
            yield reading._replace(state=renamed, translated=what)


def _of_old_densenet(key: str) -> str:
    return re.sub(r"(denselayer\d+\.(?:norm|relu|conv))\.([12])\.", r"\1\2.", key)


def _of_pvt_v2_authors(key: str) -> str:
    key = re.sub(r"^patch_embed1\.", "patch_embed.", key)
    key = re.sub(r"^patch_embed([234])\.", lambda found: f"stages.{int(found[1]) - 1}.downsample.", key)
    key = re.sub(r"^block(\d)\.", lambda found: f"stages.{int(found[1]) - 1}.blocks.", key)
    key = re.sub(r"^norm(\d)\.", lambda found: f"stages.{int(found[1]) - 1}.norm.", key)
    return key.replace("dwconv.dwconv.", "dwconv.")


_TRANSLATIONS: Final[dict[str, Callable[[str], str]]] = {
    "torchvision's DenseNet of before 2017": _of_old_densenet,
    "the authors' PVT v2": _of_pvt_v2_authors,
}
"""Whose names they are, and what they are called in the zoo. HRNet, Res2Net and PVT v1 have their authors' names there."""
