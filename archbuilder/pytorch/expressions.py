"""The expressions that make a class's children, and how those of several instances become one with arguments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from archbuilder.graph.op import Construct
from archbuilder.pytorch.names import argument_name

ABSENT: Final = object()
"""Stands where an instance has nothing, so that any value would do."""


class CannotUnify(Exception):
    """Instances differ in more than values; they need classes of their own."""


@dataclass(frozen=True)
class Argument:
    """A value that the class's constructor is given, or one that follows from it in a simple `form`."""

    name: str
    form: str = "{}"

    @property
    def negated(self) -> bool:
        """Whether the opposite is meant."""
        return self.form == OPPOSITE

    def text(self, reached: str = "") -> str:
        """The value as an expression; `reached` says how the argument is reached, where not by its name."""
        return self.form.format(reached or self.name)


OPPOSITE: Final = "not {}"
HALF: Final = "{} // 2"


@dataclass(frozen=True)
class Conditional:
    """A module in the instances whose flag is set, `nn.Identity()` in the others."""

    flag: Argument
    made: Module


@dataclass(frozen=True)
class Run:
    """Equal modules, one behind the other; with a `flag`, only in the instances where that is set."""

    made: Module
    count: Any = 1
    flag: Argument | None = None


@dataclass(frozen=True)
class Chain:
    """An `nn.Sequential`. `names` are its children's where they are not numbers from 0; `gaps` the places, counted with
    all others, of steps that were left out."""

    runs: tuple[Run, ...]
    names: tuple[str, ...] = ()
    gaps: tuple[int, ...] = ()

    @property
    def places(self) -> list[Run | None]:
        """The runs, with None for each step that was left out."""
        left = iter(self.runs)
        return [None if at in self.gaps else next(left) for at in range(len(self.runs) + len(self.gaps))]


Module: TypeAlias = Construct | Chain | Conditional

IDENTITY: Final = Construct("nn.Identity")


@dataclass
class Arguments:
    """The arguments of a class, found by asking for values.

    `known` holds what each instance calls its values (parameters of the block, what it derives from them, and
    `in_channels`); an argument gets such a name where its values agree with it in all instances.
    """

    count: int
    known: dict[str, tuple[Any, ...]]
    taken: dict[str, tuple[Any, ...]] = field(default_factory=dict)

    def value(self, values: Sequence[Any], hint: str) -> Any:
        """A literal, if the values of all instances agree, else an argument with these values."""
        given = [value for value in values if value is not ABSENT]
        if all(_same(value, given[0]) for value in given):
            namesake = self._namesake(values, hint) if len(given) < len(values) else None
            return given[0] if namesake is None else Argument(namesake)
        if not all(isinstance(value, int | float | str | tuple | None) for value in given):
            raise CannotUnify
        known = self._known(tuple(values), hint)
        if known is not None:
            return Argument(known)
        if all(isinstance(value, bool) for value in given):
            opposite = tuple(value if value is ABSENT else not value for value in values)
            known = self._known(opposite, hint)
            if known is not None:
                return Argument(known, OPPOSITE)
        followed = self._half(values) if hint.endswith("_padding") else None
        if hint.endswith(("_width", "_channels")):
            followed = self._multiple(values)
        return followed or Argument(self._new(tuple(values), hint))

    def flag(self, values: Sequence[Any], name: str) -> Any:
        """Whether a step is there: true or false, if all instances agree, else an argument with these values."""
        return self.value(values, name if name in self.known else f"with_{name}")

    def presence(self, values: Sequence[Any], name: str) -> Argument | None:
        """Which instances have a part, as a flag that the fewer of them are given; none where all have it.

        It is no other part's flag: that they come together says nothing of either.
        """
        there = [value for value in values if value is not ABSENT]
        if all(there):
            return None
        opposite = [value if value is ABSENT else not value for value in values]
        for known, others in self.known.items():
            for wanted, form in ((values, "{}"), (opposite, OPPOSITE)):
                if _agree(wanted, others):
                    self.taken[known] = others
                    return Argument(known, form)
        if 2 * sum(there) <= len(there):
            return Argument(self._new(tuple(values), f"with_{name}"))
        return Argument(self._new(tuple(opposite), f"without_{name}"), OPPOSITE)

    def _namesake(self, values: Sequence[Any], hint: str) -> str | None:
        """The value that a part is called after, where not all instances have the part: it is meant in the others too."""
        for name, others in self.known.items():
            called_so = hint == name or hint.endswith(f"_{name}")
            if called_so and _agree(values, others) and not all(_same(each, others[0]) for each in others):
                self.taken[name] = others
                return name
        return None

    def _half(self, values: Sequence[Any]) -> Argument | None:
        """Half of a known value, as the padding is of an odd kernel."""
        for name, known in self.known.items():
            if not all(type(each) is int for each in known):
                continue
            if _agree(values, tuple(each // 2 for each in known)):
                self.taken[name] = known
                return Argument(name, HALF)
        return None

    def _multiple(self, values: Sequence[Any]) -> Argument | None:
        """A small multiple of another argument, or its half. That the values differ makes an accident unlikely."""
        for name, others in {**self.taken, **self.known}.items():
            if not all(type(each) is int for each in others if each is not ABSENT):
                continue
            for form, times, parts in _MULTIPLES:
                found = [each if each is ABSENT else _whole(each * times, parts) for each in others]
                if _agree(values, found):
                    self.taken[name] = others
                    return Argument(name, form)
        return None

    def _known(self, values: tuple[Any, ...], hint: str) -> str | None:
        """The name of an argument, or of what the instances know, that has these values."""
        for name in self._candidates(hint):
            if _agree(values, self.known[name]):
                self.taken[name] = self.known[name]
                return name
        return next((name for name, others in self.taken.items() if _agree(values, others)), None)

    def _new(self, values: tuple[Any, ...], wanted: str) -> str:
        name = hint = argument_name(wanted)
        number = 2
        while name in self.known or (name in self.taken and not _agree(values, self.taken[name])):
            name, number = f"{hint}{number}", number + 1
        before = self.taken.get(name, (ABSENT,) * self.count)
        self.taken[name] = tuple(new if old is ABSENT else old for old, new in zip(before, values, strict=True))
        return name

    def _candidates(self, hint: str) -> Iterator[str]:
        if hint in self.known:
            yield hint
        yield from (name for name in self.known if name != hint)

    def ordered(self) -> list[str]:
        """The names of all arguments: known ones first, in their own order."""
        return [name for name in self.known if name in self.taken] + [
            name for name in self.taken if name not in self.known
        ]


_MULTIPLES: Final = (("2 * {}", 2, 1), ("3 * {}", 3, 1), ("4 * {}", 4, 1), ("8 * {}", 8, 1), (HALF, 1, 2))


def _whole(number: int, parts: int) -> int | None:
    """One of equal parts of a number, if that is a whole one."""
    return number // parts if number % parts == 0 else None


def _same(left: Any, right: Any) -> bool:
    return type(left) is type(right) and bool(left == right)


def _agree(values: Sequence[Any], known: Sequence[Any]) -> bool:
    pairs = zip(values, known, strict=True)
    return all(value is ABSENT or (other is not ABSENT and _same(value, other)) for value, other in pairs)


def unify_modules(made: Sequence[Any], arguments: Arguments, hint: str) -> Module:
    """One expression for the modules of all instances (`ABSENT` where an instance has none).

    Raises:
        CannotUnify: if they are not of one form.
    """
    present = [each for each in made if each is not ABSENT]
    real = [each for each in present if each != IDENTITY]
    if not real:
        return IDENTITY
    if len(real) == len(present):
        return _unify_present(made, arguments, hint)
    flag = arguments.flag([each if each is ABSENT else each != IDENTITY for each in made], hint)
    there = [ABSENT if each is ABSENT or each == IDENTITY else each for each in made]
    return Conditional(flag, _unify_present(there, arguments, hint))


def _unify_present(made: Sequence[Any], arguments: Arguments, hint: str) -> Module:
    first = next(each for each in made if each is not ABSENT)
    if any(each is not ABSENT and type(each) is not type(first) for each in made):
        raise CannotUnify
    if isinstance(first, Construct):
        return _unify_constructs(made, first, arguments, hint)
    if isinstance(first, Chain):
        return _unify_chains(made, first, arguments, hint)
    raise CannotUnify


def _unify_constructs(made: Sequence[Any], first: Construct, arguments: Arguments, hint: str) -> Construct:
    keys = [key for each in made if each is not ABSENT for key, _ in each.keywords]
    order = sorted(dict.fromkeys(keys), key=_keyword_rank)
    for each in made:
        if each is not ABSENT and (each.callee != first.callee or len(each.arguments) != len(first.arguments)):
            raise CannotUnify
    positional = tuple(
        _unify_values(_column(made, number), arguments, _positional_hint(first.callee, number, hint))
        for number in range(len(first.arguments))
    )
    keywords = tuple((key, _unify_values(_keyword(made, key), arguments, f"{hint}_{key}")) for key in order)
    return Construct(first.callee, positional, keywords)


def _keyword_rank(key: str) -> int:
    """Where a keyword stands in a call: as torch orders them; others keep their order, in front."""
    return _KEYWORD_ORDER.index(key) if key in _KEYWORD_ORDER else -1


_KEYWORD_ORDER: Final = (
    "kernel_size",
    "stride",
    "padding",
    "dilation",
    "groups",
    "ceil_mode",
    "bias",
    "eps",
    "momentum",
)


def _column(made: Sequence[Any], number: int) -> list[Any]:
    return [each if each is ABSENT else each.arguments[number] for each in made]


def _keyword(made: Sequence[Any], key: str) -> list[Any]:
    return [each if each is ABSENT else dict(each.keywords).get(key, DEFAULTS.get(key, ABSENT)) for each in made]


def _positional_hint(callee: str, number: int, hint: str) -> str:
    if callee == "DropPath":
        return f"{hint}_rate"
    return "in_channels" if callee in ("nn.Conv2d", "nn.Linear") and number == 0 else f"{hint}_width"


DEFAULTS: Final[dict[str, Any]] = {
    "stride": 1,
    "padding": 0,
    "dilation": 1,
    "groups": 1,
    "bias": True,
    "inplace": False,
    "eps": 1e-5,
    "momentum": 0.1,
    "ceil_mode": False,
    "count_include_pad": True,
}
"""What torch takes where a keyword is left out; needed where only some instances write it."""


def _unify_values(values: Sequence[Any], arguments: Arguments, hint: str) -> Any:
    if any(isinstance(value, Construct | Chain | Conditional) for value in values):
        return unify_modules(values, arguments, hint)
    if hint.endswith("_inplace"):  # in place only where every instance allows it
        return all(value is True for value in values if value is not ABSENT)
    return arguments.value(values, hint)


def _unify_chains(made: Sequence[Any], first: Chain, arguments: Arguments, hint: str) -> Chain:
    there = [each for each in made if each is not ABSENT]
    if any(each.names != first.names for each in there):
        raise CannotUnify
    columns: list[Any] = [each if each is ABSENT else each.runs for each in made]
    if any(_kinds(each) != _kinds(first) for each in there) and not first.names:
        columns = [each if each is ABSENT else each.places for each in made]
    (length, *others) = {len(column) for column in columns if column is not ABSENT}
    if others:
        raise CannotUnify
    rows = [[each if each is ABSENT else each[at] for each in columns] for at in range(length)]
    rows = [row for row in rows if any(isinstance(run, Run) for run in row)]
    runs = [
        _unify_runs(row, arguments, f"{hint}_{at}" if len(rows) > 1 else hint, f"{hint}_depth")
        for at, row in enumerate(rows)
    ]
    return Chain(tuple(runs), first.names)


def _kinds(chain: Chain) -> list[Any]:
    """What stands in a list, roughly: lists of one length and the same kinds need no look at what was left out."""
    return [run.made.callee if isinstance(run.made, Construct) else type(run.made) for run in chain.runs]


def _unify_runs(row: list[Any], arguments: Arguments, hint: str, depth: str) -> Run:
    """One run for those of all instances; None where an instance leaves it out, so that later ones move up."""
    flag = arguments.presence([run if run is ABSENT else run is not None for run in row], hint)
    given: list[Any] = [run if isinstance(run, Run) else ABSENT for run in row]
    if flag is not None and any(run is not ABSENT and run.count != 1 for run in given):
        raise CannotUnify
    made = unify_modules([run if run is ABSENT else run.made for run in given], arguments, hint)
    count = arguments.value([run if run is ABSENT else run.count for run in given], depth)
    return Run(made, count, flag)
