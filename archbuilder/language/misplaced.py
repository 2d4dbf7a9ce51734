"""What stands where it does not belong, for want of a few spaces or with too many: it is told once, and read as it was meant."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any, Final

from archbuilder.diagnostics import Place, Reporter, nearest, shorten
from archbuilder.language.habits import advice_for_turn
from archbuilder.language.merge import merge
from archbuilder.language.table import (
    Table,
    is_laid_over,
    is_whole,
    key_place,
    keys_in,
    replaced_by,
    texts_in,
    value_place,
)
from archbuilder.language.words import SECTIONS, STEP_KEYS


def find_beside(table: Table, words: Collection[str], reporter: Reporter) -> bool:
    """Whether what belongs beneath a word stands beside it, for want of spaces before it, which is reported: of the word,
    and of what is missing now, nothing more is to be said."""
    above = None
    for key, value in table.items():
        if key in words:
            above = key if value is None else None
        elif above is not None and nearest(key, words) is None:
            _report_beside(key, above, key_place(table, key), reporter)
            return True
    return False


def _report_beside(key: str, above: str, place: Place | None, reporter: Reporter) -> None:
    message = f"`{shorten(key)}` stands beside `{above}`, which has nothing beneath it"
    help = f"put more spaces before what belongs to `{above}` than before `{above}:`"
    reporter.error("indentation", message, place, help=help)


def in_their_places(table: Table, words: Iterable[str], homes: Collection[str], reporter: Reporter) -> Table:
    """A network, or a block, laid over what it extends, with what stands one level too deep among the steps of its `homes` beside
    these, and what stands beside a loop that it belongs to beneath it."""
    if table.place is None or table.place.source.shipped:
        return table
    arranged, lifted = table.copy(), Table(table.place)
    for home in [each for each in homes if _holds_steps(table.get(each))]:
        arranged[home] = steps = _beneath_their_loops(table[home], reporter)
        too_deep = [each for each in words if each in steps and each != home and _is_no_step(each, steps)]
        for word in too_deep:
            place, help = key_place(steps, word), "put fewer spaces before it"
            reporter.error("indentation", f"`{word}` belongs beside `{home}`", place, help=help)
            value = steps[word] if steps[word] is not None else _take_behind(word, steps, too_deep)
            lifted.put(word, value, place, value_place(steps, word))
            del steps[word]
    return merge(arranged, lifted) if lifted else arranged


def _holds_steps(section: Any) -> bool:
    return isinstance(section, Table) and not isinstance(section.get("block"), str)


def _is_no_step(word: str, steps: Table) -> bool:
    """Whether what stands behind a word of a network or a block, among its steps, is what the word says, and no step that is
    called so."""
    value = steps[word]
    if value is None:
        return word in SECTIONS and word not in {*steps.replaced, *steps.weak}
    if isinstance(value, dict):
        return not is_whole(value)
    if word in _NO_STEPS or isinstance(value, int | float):
        return True
    if isinstance(value, list):
        names = [each for each in value if isinstance(each, str) and each in steps]
        is_list_of_names = names == value and any(steps[name] != name for name in names)
        return is_list_of_names and word in ("register", "features")
    if word == "extends":
        return any(isinstance(each, dict) and not is_whole(each) for each in steps.values())
    return word == "help" and " " in value


_NO_STEPS: Final = ("return", "class")
"""Words of Python, which no step can be called."""


def _take_behind(word: str, steps: Table, others: Collection[str]) -> Table:
    """The steps behind a section that stands among those of another one, with nothing beneath it: they are its own."""
    names = list(steps)
    taken = Table(steps.place)
    for name in names[names.index(word) + 1 :]:
        if name in others:
            break
        taken.put(name, steps.pop(name), key_place(steps, name), value_place(steps, name))
    return taken


def _beneath_their_loops(steps: Table, reporter: Reporter) -> Table:
    """Steps of which those that stand beside a loop, and speak of its variable, stand beneath it, which is reported: it has
    nothing beneath it otherwise. The same in bodies and loops inside."""
    arranged, found = steps.copy(), dict[str, Table]()
    arranged.clear()
    empty: dict[str, str] = {}  # the variables of loops with nothing beneath them that follow each other
    for key, value in steps.items():
        into = arranged
        spoken = [loop for loop, variable in empty.items() if _speaks(variable, key, value)]
        if value is None and key.startswith("for "):
            variable = key.removeprefix("for ").partition(" in ")[0].strip()
            empty = {**({} if empty.keys() & found.keys() else empty), **({key: variable} if variable else {})}
        for loop in spoken:
            if loop not in found:
                found[loop] = Table(steps.place)
                if loop == spoken[-1]:
                    _report_beside(key, loop, key_place(steps, key), reporter)
            if into is not arranged and loop in arranged:  # it belongs beneath the one before, too
                del arranged[loop]
                into.put(loop, found[loop], key_place(steps, loop), value_place(steps, loop))
            into = found[loop]
        into.put(key, _inside(key, value, reporter), key_place(steps, key), value_place(steps, key))
    for loop in found.keys() & arranged.keys():
        past = next((each.value for each in replaced_by(steps, loop)), None)
        arranged[loop] = merge(past, found[loop], holds="steps") if isinstance(past, Table) else found[loop]
    return arranged


def _speaks(variable: str, key: str, step: Any) -> bool:
    """Whether an expression in the name of a step, or in what it says, has a word in it."""
    word = re.compile(rf"\$.*\b{re.escape(variable)}\b", re.DOTALL | re.ASCII)
    return any(word.search(text) for text in (key, *texts_in([step]), *keys_in(step)))


def _inside(key: str, step: Any, reporter: Reporter) -> Any:
    """A step, or a loop, in whose steps the same has been done."""
    if isinstance(step, Table) and key.startswith("for "):
        return _beneath_their_loops(step, reporter)
    if not isinstance(step, Table) or not isinstance(step.get("body"), Table):
        return step
    laid = step.copy()
    laid.name_place = step.name_place
    laid["body"] = _beneath_their_loops(step["body"], reporter)
    return laid


# ---- steps that are none ------------------------------------------------------------------------------------------


def what_is_missing(step: Table, container: Any, key: str | int) -> tuple[str, str]:
    """What is wrong with a step that is no use of a block and has no body, and what to write."""
    name, stands_for = shorten(str(next(iter(step), ""))), key_instead_of(step)
    help = "name a block, as in {block: conv, width: 64, kernel: 3}, or give its steps in `body`"
    if stands_for == "block":
        help = f"if `{name}` is its block, write {{block: {name}, ...}}"
    elif str(key).lower().startswith("for "):
        help = "a loop is written in lower case, as in `for i in 3:`"
    elif step and all(isinstance(each, dict) and is_whole(each) for each in step.values()):
        help = "write `body:` above its steps"
    if stands_for is not None and isinstance(container, list):
        if stands_for == "name":
            help = f"write what is behind `{name}:` alone, or the steps as a map, without dashes, to name them"
        if name.startswith("for "):
            help = "write the steps as a map, without dashes: a loop names what it makes"
        return f"`{name}` names no step here: the steps of a list are numbered", help
    steps = container if isinstance(container, dict) else {}
    cutoff = 0.65 if is_laid_over(container) and "$" not in str(key) else 0.75
    other = nearest(str(key), (name for name in steps if name != key), cutoff)
    help = f"did you mean the step `{other}`? if not, {help}" if other else help
    return "this step says neither `block` nor `body`", advice_for_turn(str(key), steps) or help


def key_instead_of(step: Any) -> str | None:
    """What the only key of a step stands for, if it is no word of a step: its `name`, or its `block`; None if it is a word."""
    if not isinstance(step, dict) or len(step) != 1:
        return None
    ((key, value),) = step.items()
    if key in STEP_KEYS or not isinstance(value, str | dict | list):
        return None
    return "name" if is_whole(value) else "block"
