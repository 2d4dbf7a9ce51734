"""Which keys of a checkpoint of one network fit another one, and in patterns which do not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

Shape: TypeAlias = tuple[int, ...]
Fit: TypeAlias = Literal["fit", "counter", "other shape", "only in a", "only in b"]


class Pattern(NamedTuple):
    """Keys that have something in common, `layer3.6–22.*`: their number, and their two shapes where these differ."""

    keys: str
    number: int
    before: Shape | None = None
    after: Shape | None = None


@dataclass(frozen=True)
class Keys:
    """How many keys of the first network there are, how many of these fit the second one, and in patterns what does not."""

    of_a: int
    of_b: int
    fit: int
    other_shape: tuple[Pattern, ...]
    only_in_a: tuple[Pattern, ...]
    only_in_b: tuple[Pattern, ...]


def keys_of(a: Mapping[str, Shape], b: Mapping[str, Shape]) -> Keys:
    """What becomes of a checkpoint of `a` in `b`: keys and shapes of both, in order."""
    fits: dict[str, Fit] = {key: _fit(a.get(key), b.get(key)) for key in {**a, **b}}
    for key, fit in fits.items():
        if fit == "fit" and not a[key]:
            fits[key] = "counter"
    trees = _trees(fits)
    shapes = {key: (a[key], b[key]) for key, fit in fits.items() if fit == "other shape"}
    patterns = (tuple(_in_few(trees, fit, shapes)) for fit in _UNFIT)
    return Keys(len(a), len(b), sum(fit in ("fit", "counter") for fit in fits.values()), *patterns)


def _fit(before: Shape | None, after: Shape | None) -> Fit:
    if before is None or after is None:
        return "only in b" if before is None else "only in a"
    return "fit" if before == after else "other shape"


_UNFIT: Final[tuple[Fit, ...]] = ("other shape", "only in a", "only in b")

_Trees: TypeAlias = "dict[str, Counter[Fit]]"
"""Of each prefix of keys: how many keys below it are of which kind."""


def _trees(fits: Mapping[str, Fit]) -> _Trees:
    found: _Trees = {}
    for key, fit in fits.items():
        parts = key.split(".")
        for stop in range(1, len(parts) + 1):
            found.setdefault(".".join(parts[:stop]), Counter())[fit] += 1
    return found


def _is_all(kinds: Counter[Fit] | None, fit: Fit) -> bool:
    """Whether all keys below a prefix are of one kind; the counters of norms have the same shape everywhere."""
    return kinds is not None and fit in kinds and all(each in (fit, "counter") for each in kinds)


_NUMBER: Final = re.compile(r"\d+")


def _in_few(trees: _Trees, fit: Fit, shapes: Mapping[str, tuple[Shape, Shape]]) -> list[Pattern]:
    """The keys of one kind in few patterns: the largest prefixes below which everything is of that kind, those alike in one."""
    of_form: dict[str, list[str]] = {}
    whole: dict[str, bool] = {}
    for prefix, kinds in trees.items():
        form, is_all = _form(prefix), _is_all(kinds, fit)
        whole[form] = whole.get(form, True) and is_all
        if is_all and not _is_all(trees.get(prefix.rpartition(".")[0]), fit):
            of_form.setdefault(form, []).append(prefix)
    found: list[Pattern] = []
    for form, prefixes in of_form.items():
        below = [Pattern(_below(trees, each), trees[each][fit], *shapes.get(each, ())) for each in prefixes]
        merged = list(_merged(_merged(below)))
        found += [_starred(below)] if whole[form] and len(merged) > 1 else merged
    return list(_merged(found))


def _form(prefix: str) -> str:
    """A prefix without its numbers; one in the name of what it ends in, such as `conv1`, is no number."""
    around, dot, last = prefix.rpartition(".")
    return f"{_NUMBER.sub('#', around)}{dot}{'#' if last.isdecimal() else last}"


def _below(trees: _Trees, prefix: str) -> str:
    return prefix if trees[prefix].total() == 1 else f"{prefix}.*"


def _starred(patterns: Sequence[Pattern]) -> Pattern:
    """Patterns that differ in numbers as one, where all that is called so is of the same kind."""
    numbers = zip(*(_NUMBER.findall(each.keys) for each in patterns), strict=True)
    names = iter(["*" if len(set(each)) > 1 else each[0] for each in numbers])
    keys = _NUMBER.sub(lambda _: next(names), patterns[0].keys)
    same = all(each[2:] == patterns[0][2:] for each in patterns)
    return Pattern(keys, sum(each.number for each in patterns), *(patterns[0][2:] if same else ()))


def _merged(patterns: Iterable[Pattern]) -> Iterator[Pattern]:
    """Patterns that differ in one number which goes up from one to the next as one, with the first and the last."""
    run: list[Pattern] = []
    rising: int | None = None
    for pattern in patterns:
        at = _rising(run[-1], pattern) if run else None
        if at is None or rising not in (None, at):
            yield from _as_one(run, rising)
            run, rising = [], None
        else:
            rising = at
        run.append(pattern)
    yield from _as_one(run, rising)


def _rising(before: Pattern, after: Pattern) -> int | None:
    """Which number of a key is one more in the next one, where all else is equal."""
    if before[1:] != after[1:] or _NUMBER.sub("#", before.keys) != _NUMBER.sub("#", after.keys):
        return None
    steps = [
        int(other) - int(one)
        for one, other in zip(*(_NUMBER.findall(each.keys) for each in (before, after)), strict=True)
    ]
    unequal = [at for at, step in enumerate(steps) if step]
    return unequal[0] if len(unequal) == 1 and steps[unequal[0]] == 1 else None


def _as_one(run: list[Pattern], rising: int | None) -> Iterator[Pattern]:
    if rising is None:
        yield from run
        return
    first, last = run[0].keys, run[-1].keys
    match = list(_NUMBER.finditer(first))[rising]
    keys = f"{first[: match.end()]}–{_NUMBER.findall(last)[rising]}{first[match.end() :]}"
    yield run[0]._replace(keys=keys, number=sum(each.number for each in run))
