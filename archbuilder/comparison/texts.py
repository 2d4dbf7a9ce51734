"""Writes a difference down: for people as text and as Markdown, for programs as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from archbuilder.analysis.numbers import abbreviate
from archbuilder.analysis.summary import Summary
from archbuilder.analysis.table import aligned, escape_markdown, markdown_table
from archbuilder.comparison.changes import Change
from archbuilder.comparison.facts import FIGURES, Facts, Stage, larger_by
from archbuilder.comparison.keys import Pattern
from archbuilder.comparison.statements import Repeated, Statement, in_words, value_in_words
from archbuilder.diagnostics import TooManyStepsError, printable, shorten

_WORDS: Final = {"layers": "layers", "parameters": "parameters", "macs": "MACs", "activations": "activations"}
"""What figures are called."""
_SHOWN: Final = 6
"""How many patterns of keys are shown."""
_NAMED: Final = 20
"""How many stages are named."""
_LINE: Final = 100
"""From how many characters on the changes of a stage stand in lines of their own."""


def _listed(names: Sequence[str]) -> str:
    """Some names, of very many the first."""
    shown = [shorten(printable(name)) for name in names[:_NAMED]]
    return ", ".join([*shown, *([f"{len(names) - _NAMED:,} more"] if len(names) > _NAMED else [])])


class Group(NamedTuple):
    """Stages in which the same differs; `follows` if that is so because of something else."""

    stages: tuple[Stage, ...]
    statements: tuple[str, ...]
    follows: bool = False

    @property
    def label(self) -> str:
        """The stages by their names."""
        sections, stages = ([stage.name for stage in self.stages if stage.is_section == of] for of in (True, False))
        word = f"stage{'s' * (len(stages) > 1)} "
        return ", ".join(filter(None, (_listed(sections), word + _listed(stages) if stages else "")))

    @property
    def figures(self) -> list[str]:
        """By how much parameters and MACs grow."""
        found = []
        for figure in ("parameters", "macs"):
            grown = [stage.grows(figure) for stage in self.stages]
            total = None if None in grown else sum(each or 0 for each in grown)
            if total is None:
                found.append(f"{_WORDS[figure]} not known")
            elif total:
                found.append(f"{signed(total)} {_WORDS[figure]}")
        return found

    def lines(self) -> list[str]:
        """What is said of them: one line, or where that is long several."""
        end = " (follows)" if self.follows else ""
        line = f"{self.label}: {', '.join((*self.statements, *self.figures))}{end}"
        if len(line) <= _LINE or len(self.statements) < 2:
            return [line]
        return [
            f"{self.label}: {', '.join(self.figures) or 'changed'}{end}",
            *(f"  {each}" for each in self.statements),
        ]


def signed(count: int) -> str:
    """How much larger something is, in three figures: "+18.9 M"."""
    return f"{'-' if count < 0 else '+'}{abbreviate(abs(count))}"


def groups_of(facts: Facts) -> tuple[Group, ...]:
    """The stages in which something differs, those with the same statements together; last those where that follows."""
    own: dict[tuple[str, ...], list[Stage]] = {}
    following: dict[tuple[str, ...], list[Stage]] = {}
    for stage in facts.stages:
        if stage.statements:
            own.setdefault(tuple(map(str, stage.statements)), []).append(stage)
        elif (reasons := _reasons(stage)) or stage.grows("parameters") != 0 or stage.grows("macs") != 0:
            following.setdefault(reasons, []).append(stage)
    return (
        *(Group(tuple(stages), statements) for statements, stages in own.items()),
        *(Group(tuple(stages), reasons, follows=True) for reasons, stages in following.items()),
    )


def _reasons(stage: Stage) -> tuple[str, ...]:
    """What is to be said of a stage in which nothing differs but what follows from something else."""
    said = tuple(in_words(change) for change in stage.pair.changes if change.what != "name")
    changes = (change for pair in (stage.pair, *stage.pair.inner) for change in pair.changes)
    is_renamed = stage.before == stage.after and any(change.what == "name" for change in changes)
    return said or (("numbered anew",) if is_renamed else ())


def in_a_line(facts: Facts) -> str:
    """A difference in one line."""
    title = _title(facts)
    if not facts:
        return f"{title}: no difference"
    count = (
        len(facts.changes)
        + len(facts.repeated)
        + sum(len(group.statements) for group in groups_of(facts) if not group.follows)
    )
    return f"{title}: {count} change{'s' * (count != 1)}"


def _title(facts: Facts) -> str:
    a, b = (shorten(printable(name)) for name in facts.names)
    return f"{a} -> {b}"


def _of_network(change: Change) -> str:
    """What differs between networks as a whole, in words."""
    kind = "" if change.what.split(".")[0] in ("input", "register", "features", "outputs") else "parameter "
    return f"{kind}{shorten(printable(change.what))}: {value_in_words(change.before)} -> {value_in_words(change.after)}"


def _of_steps(repeated: Repeated) -> str:
    """What differs in many steps, and where these are."""
    return f"{repeated} ({_listed(repeated.stages)})"


def in_lines(facts: Facts) -> list[str]:
    """What differs, in a line for each stage or what is so in several."""
    whole = (*map(_of_network, facts.changes), *map(_of_steps, facts.repeated))
    return [*whole, *(line for group in groups_of(facts) for line in group.lines())]


def as_text(facts: Facts, width: int | None = None) -> str:
    """A difference for people: what differs, in which stage, the totals, and what becomes of a checkpoint."""
    if not facts:
        return in_a_line(facts)
    header, *rows = _totals(facts)
    return "\n".join(
        [
            _title(facts),
            "",
            *in_lines(facts),
            "",
            aligned(header, rows, right=(1, 2, 3), width=width),
            "",
            *_of_keys(facts),
        ]
    )


def as_markdown(facts: Facts) -> str:
    """The same as Markdown, for a comment on a change."""
    if not facts:
        return escape_markdown(in_a_line(facts))
    lines = [f"**{escape_markdown(_title(facts))}**", ""]
    whole = (*map(_of_network, facts.changes), *map(_of_steps, facts.repeated))
    lines += [f"- {escape_markdown(each)}" for each in whole]
    for group in groups_of(facts):
        first, *others = group.lines()
        lines += [f"- {escape_markdown(first)}", *(f"  - {escape_markdown(each.strip())}" for each in others)]
    header, *rows = _totals(facts)
    first, *others = _of_keys(facts)
    lines += ["", *markdown_table(header, rows, right=(1, 2, 3)), "", f"- {escape_markdown(first)}"]
    return "\n".join([*lines, *(f"  - {escape_markdown(each.strip())}" for each in others)])


def _totals(facts: Facts) -> Iterator[tuple[str, str, str, str]]:
    """The figures of both networks, and by how much they grow."""
    a, b = (shorten(printable(name), 30) for name in facts.names)
    yield ("", a, b, "")
    for figure, word in _WORDS.items():
        before, after = getattr(facts.a, figure), getattr(facts.b, figure)
        grown = larger_by(before, after)
        if figure == "layers":
            yield word, f"{before:,}", f"{after:,}", f"{grown:+,}" if grown else ""
        else:
            yield word, abbreviate(before), abbreviate(after), signed(grown) if grown else ""


def _of_keys(facts: Facts) -> Iterator[str]:
    """What becomes of a checkpoint."""
    try:
        keys = facts.keys
    except TooManyStepsError as error:
        yield f"the keys of checkpoints were not compared: {error}"
        return
    a, b = (shorten(printable(name)) for name in facts.names)
    yield f"{keys.fit:,} of the {keys.of_a:,} keys of a checkpoint of {a} fit {b}"
    for what, patterns in (
        ("of another shape", keys.other_shape),
        (f"only in {a}", keys.only_in_a),
        (f"only in {b}", keys.only_in_b),
    ):
        if patterns:
            count = sum(each.number for each in patterns)
            more = f", and {len(patterns) - _SHOWN} more" if len(patterns) > _SHOWN else ""
            yield f"  {what} ({count:,}): {', '.join(map(_pattern, patterns[:_SHOWN]))}{more}"


def _pattern(pattern: Pattern) -> str:
    keys = shorten(printable(pattern.keys))
    if pattern.before is None or pattern.after is None:
        return keys
    return f"{keys} {_shape(pattern.before)} -> {_shape(pattern.after)}"


def _shape(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape)) or "1"


def as_data(facts: Facts) -> dict[str, Any]:
    """The same for programs, with exact numbers."""
    return {
        "a": _network(facts.names[0], facts.a),
        "b": _network(facts.names[1], facts.b),
        "same": not facts,
        "changes": [
            *(_change((), Statement("", each)) for each in facts.changes),
            *_changes_of_steps(facts),
            *_changes(facts),
        ],
        "stages": [_stage(stage) for stage in facts.stages],
        "keys": _keys(facts),
    }


def _network(name: str, summary: Summary) -> dict[str, Any]:
    figures = {figure: getattr(summary, figure) for figure in _WORDS}
    return {"name": name, "input": list(summary.input_shape), "output": list(summary.output_shape), **figures}


def _changes_of_steps(facts: Facts) -> Iterator[dict[str, Any]]:
    for repeated in facts.repeated:
        found = _change(repeated.stages, Statement("", repeated.change, repeated.of))
        yield {**found, "times": repeated.times, "text": str(repeated)}


def _changes(facts: Facts) -> Iterator[dict[str, Any]]:
    for group in groups_of(facts):
        stages = tuple(stage.name for stage in group.stages)
        if not group.follows:
            yield from (_change(stages, statement) for statement in group.stages[0].statements)


def _change(stages: Iterable[str], statement: Statement) -> dict[str, Any]:
    what, before, after, _ = statement.change
    of = {"of": statement.of} if statement.of else {}
    values = {"what": what, "before": _plain(before), "after": _plain(after)}
    return {"stages": list(stages), "place": statement.place, **of, **values, "text": str(statement)}


def _plain(value: Any) -> Any:
    """A value as JSON can have it."""
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _stage(stage: Stage) -> dict[str, Any]:
    a, b = stage.pair.a, stage.pair.b
    figures = {each: [getattr(stage.before, each), getattr(stage.after, each)] for each in FIGURES}
    return {"a": a and a.name, "b": b and b.name, "kind": stage.pair.kind, **figures}


def _keys(facts: Facts) -> dict[str, Any] | None:
    """What becomes of a checkpoint; None of networks that have too many keys."""
    try:
        keys = facts.keys
    except TooManyStepsError:
        return None
    patterns = {name: list(map(_of_pattern, getattr(keys, name))) for name in ("other_shape", "only_in_a", "only_in_b")}
    return {"of_a": keys.of_a, "of_b": keys.of_b, "fit": keys.fit, **patterns}


def _of_pattern(pattern: Pattern) -> dict[str, Any]:
    shapes = {} if pattern.before is None else {"before": pattern.before, "after": pattern.after}
    return {"keys": pattern.keys, "count": pattern.number, **shapes}
