"""Names that nothing can have, and what speaks of them all the same: of one mistake nothing is said where it is repeated."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from archbuilder.diagnostics import MAXIMUM_DIAGNOSTICS
from archbuilder.language.dotted import NO_NAMES
from archbuilder.language.formula import Formula
from archbuilder.language.table import Table, copied_table
from archbuilder.language.validation import take_out
from archbuilder.language.words import RESERVED


def is_name(written: Any) -> bool:
    """Whether an expression can speak of it: a word of ASCII letters, digits and underscores, and none of its own."""
    return isinstance(written, str) and written.isidentifier() and written.isascii() and written not in NO_NAMES


def objection_to_name(name: str) -> str | None:
    """Why a value cannot be called so that expressions can speak of it; None if it can."""
    if name in RESERVED:
        return f"`{name}` always means {'the number of a repeat' if name == 'repeat' else 'the value that goes in'}"
    if name in NO_NAMES:
        return f"`{name}` is a word of expressions"
    if not is_name(name):
        return "expressions speak of words of letters from a to z, digits and underscores that begin with no digit"
    return None


def silenced(value: Any, names: Collection[str]) -> Any:
    """A copy of what is written in which all that is to be computed from one of some names, which were refused, has no value,
    as if that had been reported; a step that is called by it is one that went wrong. Of what is no name an expression may
    speak by its first word: `$num-classes` is `$num` with a text behind it."""
    refused = list(names)[:MAXIMUM_DIAGNOSTICS]  # more are not told either
    firsts = [re.split(r"\W", name, maxsplit=1, flags=re.ASCII)[0] for name in refused if not is_name(name)]
    either = "|".join(re.escape(name) for name in (*refused, *firsts) if name)
    if not either:
        return value
    spoken = re.compile(rf"(?<!\w)(?:{either})(?!\w)")

    def speaks(text: str) -> bool:
        return "$" in text and spoken.search(text, text.index("$")) is not None

    whole = [copied_table(value)]
    left: list[Any] = [whole]
    while left:
        container = left.pop()
        for key, each in list(container.items() if isinstance(container, dict) else enumerate(container)):
            if isinstance(key, str) and speaks(key) and isinstance(container, Table):
                container[key] = stand_in = Table()
                stand_in.broken = True
                if key.startswith("for ") and isinstance(each, Table):
                    stand_in.put("body", each)
                    left.append(stand_in)
            elif isinstance(each, str) and speaks(each):
                container[key] = Formula.malformed(each)
            elif isinstance(each, dict | list):
                left.append(each)
    return whole[0]


def take_out_words(network: Table, blocks: Mapping[str, AbstractSet[str]]) -> None:
    """Takes from the uses of blocks, and from what defaults say of these, what they say of parameters that a block cannot have,
    since they are called by words of a step: `blocks` has these words by block."""
    left: list[Any] = [network]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            used = value.get("block")
            found = [(value, blocks[used])] if isinstance(used, str) and used in blocks else []
            inside = [(value[name], blocks[name]) for name in blocks.keys() & value.keys()]
            for table, words in (*found, *inside):
                is_step = table is not value and isinstance(table, Table) and not {"block", "body"}.isdisjoint(table)
                for word in words & table.keys() if isinstance(table, Table) and not is_step else ():
                    take_out(table, word)
        if isinstance(value, dict | list):
            left += value.values() if isinstance(value, dict) else value
