"""How a spec is laid over its base: maps merge, anything else replaces, and null is a value.

The rules are the same for `extends`, for `variants` and for what is set on the command line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from itertools import pairwise
from typing import Any, Final

from archbuilder.diagnostics import Note, Place, Reporter, suggest
from archbuilder.language.arithmetic import FormulaError
from archbuilder.language.formula import Formula
from archbuilder.language.habits import advice_for_turn
from archbuilder.language.table import Items, Past, Table, copied_table, key_place, value_place
from archbuilder.language.words import MAY_GO_UNUSED, NOT_INHERITED, PLACING, SECTIONS
from archbuilder.parameters import describe


def merge(base: Table, over: Table, *, inherited: bool = False, holds: str = "network") -> Table:
    """`over` laid upon `base`; neither is changed. `holds` says what stands in them, as `_inside` names it.

    Entries of an inherited base become weak: they may go unused. So do the parameters of a step whose block changes. What is
    weak in `over`, since it holds for its variants, stays so.
    """
    merged = base.copy()
    merged.place = over.place or (base.place if any(over.value_places.values()) else None)
    weaken = inherited or ("block" in over and over["block"] != base.get("block"))
    merged.weak = (frozenset(base if weaken else base.weak) - over.keys()) | over.weak
    merged.broken = base.broken or over.broken
    replaced: dict[str, tuple[Past, ...]] = {}
    for key, value in over.items():
        old, inside = base.get(key), _inside(base, holds, key)
        laid = value
        if (
            inside == "step"
            and isinstance(old, str)
            and isinstance(value, Table)
            and not {"block", "body"} & value.keys()
        ):
            old = _in_full(old, base.value_places.get(key))
        if isinstance(old, Table) and isinstance(value, Table) and not _changes_kind(old, value):
            laid = merge(old, value, inherited=inherited, holds=inside)
        elif key in base:
            past = Past(old, base.value_places.get(key))
            replaced[key] = (*over.replaced.get(key, ()), past, *base.replaced.get(key, ()))
        elif key in over.replaced:
            replaced[key] = over.replaced[key]
        merged.put(key, laid, over.key_places.get(key), over.value_places.get(key))
    if replaced:
        merged.replaced = {**base.replaced, **replaced}
    return merged


def _inside(base: Table, holds: str, key: str) -> str:
    """What stands behind a key: `blocks`, a `block`, `steps`, a `step`, or something that is merged without asking."""
    if holds == "network":
        return "steps" if key in SECTIONS else "blocks" if key == "blocks" else ""
    if holds == "steps" and not isinstance(base.get("block"), str):
        return "steps" if key.startswith("for ") else "step"
    if holds == "blocks":
        return "block"
    return "steps" if key == "body" and holds else ""


def _in_full(name: str, place: Place | None) -> Table:
    """A step that is written in short, `norm` for example, as a map that can be patched."""
    table = Table(place)
    table.put("block", name, place, place)
    return table


def _changes_kind(old: Table, new: Table) -> bool:
    """Whether one is a use of a block and the other a body of its own: these replace each other."""
    return ("block" in old and "body" in new) or ("body" in old and "block" in new)


def inherit(base: Table) -> Table:
    """What a spec takes over from the one that it extends."""
    table = base.copy()
    for word in NOT_INHERITED:  # a base says it of itself alone
        table.pop(word, None)
    weaken(table)
    return table


def join_plugins(merged: Table, base: Table, over: Table) -> None:
    """Gives a merged spec the plugins of both that it is made of."""
    first, second = listed_plugins(base), listed_plugins(over)
    if first is None or second is None:
        return
    joint = Items(second.place)
    for listed in (first, second):
        for number, file in enumerate(listed):
            if file not in joint:
                joint.append(file)
                joint.places.append(listed.places[number])
    merged["plugins"] = joint


def listed_plugins(table: Table) -> Items | None:
    """The plugins that a spec asks for, as a list with places; None where there are none, or something else is written."""
    written = table.get("plugins")
    if isinstance(written, str):
        written = [written]
    if not isinstance(written, list):
        return None
    listed = Items(getattr(written, "place", None))
    listed.extend(written)
    listed.places = list(getattr(written, "places", None) or [table.value_places.get("plugins")] * len(written))
    return listed


def weaken(table: Table) -> None:
    """Lets what a base says go unused, since it is there for all that are made of it; but there must be its steps, and what its
    blocks declare."""
    for word in MAY_GO_UNUSED:
        if isinstance(table.get(word), Table):
            table[word] = copied_table(table[word], weak=True)
        elif word in table:
            table.weak |= {word}
    for word in SECTIONS:
        if word in table:
            table[word] = _with_weak_steps(table[word])
    if isinstance(table.get("blocks"), Table):
        table["blocks"] = blocks = table["blocks"].copy()
        blocks.weak = frozenset(blocks)
        for name, definition in blocks.items():
            if isinstance(definition, Table) and "body" in definition:
                blocks[name] = definition.copy()
                blocks[name]["body"] = _with_weak_steps(definition["body"])


def _with_weak_steps(body: Any) -> Any:
    """A body, or one use of a block, of which all may go unused that its steps say."""
    weak = copied_table(body, weak=True)
    if isinstance(body, Table) and not isinstance(body.get("block"), str):
        weak.weak = body.weak
    return weak


def arrange(table: Table, reporter: Reporter) -> Table:
    """`table` with the steps of its sections in the places that `before` and `after` ask for."""
    arranged = table.copy()
    for name in SECTIONS:
        section = table.get(name)
        if isinstance(section, Table):
            arranged[name] = arrange_steps(section, reporter)
    return arranged


def arrange_body(body: Table, reporter: Reporter) -> Table:
    """The steps of a block's body likewise, those of the bodies and loops inside it too."""
    arranged = arrange_steps(body, reporter)
    inner: dict[str, Table] = {}
    for key, step in arranged.items():
        if not isinstance(step, Table):
            continue
        if key.startswith("for "):
            inner[key] = arrange_body(step, reporter)
        elif isinstance(step.get("body"), Table):
            inner[key] = step.copy()
            inner[key]["body"] = arrange_body(step["body"], reporter)
    if not inner:
        return arranged
    copied = arranged.copy()
    copied.update(inner)
    return copied


def arrange_steps(section: Table, reporter: Reporter) -> Table:
    """The steps of one map in the places that `before` and `after` ask for."""
    order = _Order(section)
    behind: dict[str, str] = {}
    settled: dict[str, Table] = {}
    keys, circular = _anchors_first(section)
    for key in keys:
        step = section[key]
        wish = _wish(step)
        if wish is None:
            continue
        side, anchor = wish
        settled[key] = _without_wish(step)
        if side == "before" and "after" in step:
            message = f"`{key}` can be put before or after a step, not both"
            reporter.error("bad-value", message, step.key_places.get("after"), help="remove one of them")
        place = step.value_places.get(side)
        if not isinstance(anchor, str):
            message = f"`{side}` must be the name of a step, got {describe(anchor)}"
            reporter.error("bad-value", message, place)
            continue
        if anchor not in section or anchor == key:
            help = advice_for_turn(anchor, section) or suggest(anchor, [name for name in section if name != key])
            reporter.error("unknown-step", f"there is no step `{anchor}` to put `{key}` {side}", place, help=help)
            continue
        if key in circular:
            message = f"`{key}` is put {side} `{anchor}`, which stands where `{key}` does"
            reporter.error("bad-value", message, place, help="let one of them stand where it is written")
        elif side == "before":
            order.move(key, order.before[anchor])
        else:  # several behind the same step keep the order in which they are written
            order.move(key, behind.get(anchor, anchor))
            behind[anchor] = key
    if not settled:
        return section
    arranged = section.copy()
    arranged.clear()
    for key in order.names():
        arranged[key] = settled.get(key, section[key])
    return arranged


class _Order:
    """Names in a row that can be moved: each knows the one before it and the one behind it; None is before and behind all."""

    def __init__(self, names: Iterable[str]) -> None:
        row: list[str | None] = [None, *names, None]
        self.behind = dict(pairwise(row))
        self.before = {behind: name for name, behind in pairwise(row)}

    def move(self, name: str, to: str | None) -> None:
        """Puts a name behind another one."""
        if to == name:
            return
        self._join(self.before[name], self.behind[name])
        after = self.behind[to]
        self._join(to, name)
        self._join(name, after)

    def _join(self, name: str | None, behind: str | None) -> None:
        self.behind[name], self.before[behind] = behind, name

    def names(self) -> Iterator[str]:
        """The names, one behind the other."""
        name = self.behind[None]
        while name is not None:
            yield name
            name = self.behind[name]


def _anchors_first(section: Table) -> tuple[list[str], set[str]]:
    """The steps in such an order that each comes behind the one that it wants to stand beside; and those that close a circle."""
    ordered, circular = dict[str, None](), set[str]()
    for key in section:
        chain, last = {key: None}, key
        while True:
            wish = _wish(section[last])
            anchor = wish[1] if wish is not None else None
            if not isinstance(anchor, str) or anchor not in section or anchor in chain or anchor in ordered:
                break
            chain[anchor], last = None, anchor
        if isinstance(anchor, str) and anchor in chain and anchor != last:
            circular.add(last)
        ordered.update(dict.fromkeys(reversed(chain)))
    return list(ordered), circular


def _without_wish(step: Table) -> Table:
    """A step whose place among the others is settled."""
    settled = step.copy()
    for side in PLACING:
        settled.pop(side, None)
    return settled


def _wish(step: Any) -> tuple[str, Any] | None:
    if not isinstance(step, Table):
        return None
    for side in PLACING:
        if side in step:
            return side, step[side]
    return None


# ---- steps that are removed ------------------------------------------------------------------------------------------

_NAMING: Final = ("features", "rename", "register", "return")
"""The words beside a body that name its steps."""


def settle_removed(table: Table, reporter: Reporter, bodies: Iterable[str] = SECTIONS) -> Table:
    """A network, or a block, in which nothing names a step that was removed: what does is reported at the null that removes it,
    and what depends on it stays silent. What a base says of it in `rename` and `register` goes with it."""
    bodies = [
        name for name in bodies if isinstance(table.get(name), Table) and type(table[name].get("block")) is not str
    ]
    removed = {name for body in bodies for name in _removed_in(table[body])}
    if not removed:
        return table
    settled, named = _without_names(table, removed), dict[str, list[Note]]()
    for name, by, place in _names_in(settled, bodies):
        for end in (*(at for at, letter in enumerate(name) if letter == "."), len(name)):
            if name[:end] in removed:  # all of it, or a part of what it gives
                shown = place if place is None or not place.source.shipped else None
                named.setdefault(name[:end], []).append(Note(f"`{by}` names it", shown))
    for body in bodies:
        settled[body] = steps = settled[body].copy()
        for name in filter(named.__contains__, _removed_in(steps)):
            place = steps.value_places.get(name)
            help = f"say anew what names it, or write `{name}: {{when: false}}`: what is left out hands on what goes into it"
            notes = tuple(named[name][:_MAXIMUM_NOTES])
            reporter.error("bad-patch", f"`{name}` is removed here, but still named", place, help=help, notes=notes)
            steps[name] = stand_in = Table(place)
            stand_in.broken, stand_in.name_place = True, steps.key_places.get(name)
    return settled


_MAXIMUM_NOTES: Final = 3


def _removed_in(steps: Table) -> list[str]:
    """The steps that a base has and a patch removed; a loop cannot be."""
    gone = (key for key, step in steps.items() if step is None and not key.startswith("for "))
    return [key for key in gone if key in steps.replaced or key in steps.weak]


def _before_dollar(text: str) -> list[str]:
    """The name whose parts, or the steps in which, a text with an expression behind a dot speaks of."""
    whole, dot, _ = text.partition("$")[0].rpartition(".")
    return [whole] if dot else []


def _without_names(table: Table, removed: set[str]) -> Table:
    """A copy whose weak `rename` and `register` say nothing of steps that were removed."""
    settled, gone = table.copy(), set(removed)
    rename, register = table.get("rename"), table.get("register")
    if isinstance(rename, Table):
        idle = {old for old in removed & rename.keys() if "rename" in table.weak or old in rename.weak}
        gone |= {rename[old] for old in idle if isinstance(rename[old], str)}
        settled["rename"] = left = rename.copy()
        for old in idle:
            del left[old]
    if isinstance(register, Items) and "register" in table.weak:
        settled["register"] = listed = Items(register.place)
        for name, place in zip(register, register.places, strict=True):
            if name not in gone:
                listed.append(name)
                listed.places.append(place)
    return settled


_WORD: Final = re.compile(r"[A-Za-z_][\w.]*")


def _names_in(table: Table, bodies: Iterable[str]) -> Iterator[tuple[str, str, Place | None]]:
    """The names of steps that a network or a block speaks of, each with the step or the word that names it, and where."""
    for word in _NAMING:
        yield from ((name, word, place) for name, place in _texts_behind(table, word))
    known = {name for word in ("parameters", "let") if isinstance(table.get(word), Table) for name in table[word]}
    left = [(table[body], known) for body in bodies]
    while left:
        steps, known = left.pop()
        for key, step in steps.items():
            if isinstance(step, Table) and key.startswith("for "):
                variable, _, turns = key.removeprefix("for ").partition(" in ")
                left.append((step, known | {variable.strip()}))
                yield from ((name, key, step.place) for name in _WORD.findall(turns) if name not in known)
            elif isinstance(step, Table):
                texts = [(word, *text) for word in step if word != "body" for text in _texts_behind(step, word)]
                for word, text, place in texts:
                    names = _spoken_in(text) - known if "$" in text else set[str]()
                    if word == "from":
                        names |= {*_before_dollar(text)} if "$" in text else {text}
                    yield from ((name, key, place) for name in sorted(names))


def _texts_behind(table: Table, word: str) -> list[tuple[str, Place | None]]:
    """The text behind a key, those in the list there, or the keys of the map there, each with its place."""
    value = table.get(word)
    if isinstance(value, dict):
        return [(each, key_place(value, each)) for each in value]
    if isinstance(value, list):
        return [(each, value_place(value, number)) for number, each in enumerate(value) if isinstance(each, str)]
    return [(value, value_place(table, word))] if isinstance(value, str) else []


def _spoken_in(text: str) -> AbstractSet[str]:
    """The names in an expression; none in one that is malformed, which will be said."""
    try:
        return Formula(text).names
    except FormulaError:
        return frozenset()
