"""Blocks as tables: the shipped ones, those of files that a spec uses, and those that patch another."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

from archbuilder.diagnostics import Reporter, Source, suggest
from archbuilder.language import zoo
from archbuilder.language.definitions import BlockDefinition
from archbuilder.language.files import HOW_TO_NAME, Files
from archbuilder.language.merge import arrange_body, merge, settle_removed
from archbuilder.language.misnamed import take_out_words
from archbuilder.language.misplaced import find_beside, in_their_places
from archbuilder.language.networks import is_network
from archbuilder.language.reader import read_yaml
from archbuilder.language.table import Items, Table
from archbuilder.language.validation import as_meant, extends_no_text, words_of
from archbuilder.language.words import STEP_FIELDS
from archbuilder.parameters import describe

_MAXIMUM_BASES: Final = 20


_NAME: Final = re.compile(r"^  (\w+):", re.MULTILINE)
"""A block's name in a shipped file: a key in `blocks`, which are indented by two spaces."""


@cache
def shipped_files() -> dict[str, Path]:
    """The file of each shipped block, by name. Names are looked for in the text: reading all files takes many times longer."""
    paths = sorted(zoo.BLOCKS.glob("*.yaml"))
    return {name: path for path in paths for name in _NAME.findall(path.read_text("utf-8"))}


def shipped_table(name: str) -> Table:
    """A shipped block as read.

    Raises:
        KeyError: if there is no shipped block of this name.
    """
    table: Table = _blocks_of(shipped_files()[name])[name]
    return table


@cache
def _blocks_of(path: Path) -> Table:
    """The blocks of a shipped file. Parsed definitions are all that is kept from one call to the next."""
    reporter = Reporter()
    table = read_yaml(Source(f"blocks/{path.name}", path.read_text("utf-8"), shipped=True), reporter)
    reporter.raise_if_any()
    blocks: Table = table["blocks"] if table is not None else Table()
    return blocks


def _is_op(name: str) -> bool:
    """Whether shipped blocks use an op of this name; the ops themselves are not known here."""
    use = re.compile(rf"\bblock: {re.escape(name)}\b")
    return name not in shipped_files() and any(
        use.search(file.read_text("utf-8")) for file in {*shipped_files().values()}
    )


def text_of_block(name: str) -> str:
    """The YAML of a shipped block, as a file of blocks has it."""
    place = shipped_table(name).place
    if place is None:
        raise ValueError(f"{name} was not read from a text")
    lines = place.source.text.split("\n")
    first = place.line - 2  # the line of the name stands before that of the first key
    last = next((at for at in range(first + 1, len(lines)) if re.match(r" {0,2}\S", lines[at])), len(lines))
    return "blocks:\n" + "\n".join(lines[first:last]).rstrip() + "\n"


def resolve_blocks(table: Table, reporter: Reporter) -> Table:
    """`table` with its own blocks laid over those that they extend."""
    written = table.get("blocks")
    if not isinstance(written, Table):
        return table
    own, words = written.copy(), words_of(BlockDefinition)
    for name, definition in written.items():
        if isinstance(definition, Table):
            own[name] = _as_meant(definition, words, reporter)
    resolved = own.copy()
    for name in own:
        definition = _resolved(name, own, reporter, ())
        if definition is not None:
            resolved[name] = definition
    laid = table.copy()
    laid["blocks"] = resolved
    declared = {name: each.get("parameters") for name, each in resolved.items() if isinstance(each, Table)}
    refused = {name: STEP_FIELDS & each.keys() for name, each in declared.items() if isinstance(each, dict)}
    refused = {name: words for name, words in refused.items() if words}  # as will be said
    if refused:
        take_out_words(laid, refused)
    return laid


def _as_meant(definition: Table, words: list[str], reporter: Reporter) -> Table:
    """A definition with all of it under the words that were meant, and in its places; without what is beyond that."""
    if find_beside(definition, words, reporter):
        return _broken(Table(definition.place))
    meant = as_meant(definition, words, reporter)
    if extends_no_text(meant, reporter):
        return _broken(Table(definition.place))
    return meant if "extends" in meant else in_their_places(meant, words, ["body"], reporter)


def _resolved(name: str, own: Table, reporter: Reporter, chain: tuple[str, ...]) -> Table | None:
    definition = own[name] if name in own else shipped_table(name) if name in shipped_files() else None
    if not isinstance(definition, Table) or not isinstance(definition.get("extends"), str):
        return definition if isinstance(definition, Table) else None
    base_name, place = definition["extends"], definition.value_places.get("extends")
    if name in chain or len(chain) >= _MAXIMUM_BASES:
        reporter.error("endless-extends", f"the block `{name}` extends itself", place)
        return _broken(definition)
    if base_name not in own and base_name not in shipped_files():
        help = suggest(base_name, [*shipped_files(), *own])
        if is_network(base_name):
            help = f"it is a network, which another one can be made of: `extends: {base_name}` at the top"
        elif _is_op(base_name):
            use = f"body: [{{block: {base_name}, ...}}]"
            help = f"a block extends a block, and `{base_name}` has no steps: use it in one, as in `{use}`"
        reporter.error("unknown-block", f"there is no block `{base_name}` to extend", place, help=help)
        return _broken(definition)
    base = _resolved(base_name, own, reporter, (*chain, name))
    if base is None:
        return _broken(definition)
    _refuse_numbers(base, definition, base_name, reporter)
    merged = in_their_places(merge(base, definition, holds="block"), words_of(BlockDefinition), ["body"], reporter)
    for word in ("parameters", "let"):
        declared, inherited = merged.get(word), base.get(word)
        if isinstance(declared, Table) and isinstance(inherited, Table):
            merged[word] = declared = declared.copy()
            declared.weak = frozenset(inherited.keys() - (definition.get(word) or {}).keys())  # these may go unused
    if "help" not in definition and isinstance(base.get("help"), str):
        merged["help"] = base["help"]
    body = merged.get("body")
    if isinstance(body, Table):
        merged["body"] = arrange_body(body, reporter)
    merged.weak |= {"register"} - definition.keys()
    return settle_removed(merged, reporter, ["body"])


def _refuse_numbers(base: Table, definition: Table, base_name: str, reporter: Reporter) -> None:
    """A list of steps is replaced as a whole: its steps have numbers, but these are no names to patch them by."""
    body = definition.get("body")
    if not (isinstance(base.get("body"), Items) and isinstance(body, Table)):
        return
    number = next((key for key in body if key.isdigit()), None)
    if number is not None:
        message = f"the steps of `{base_name}` are a list, so they cannot be patched by number"
        advice = "write the whole list anew, as in `body: [..., norm]`"
        reporter.error("bad-patch", message, body.key_places.get(number), help=advice)


def _broken(definition: Table) -> Table:
    """A definition that has been reported, with a body so that nothing more is said of it."""
    table = definition.copy()
    table.broken = True
    table.pop("extends", None)
    table["body"] = Table(definition.place)
    return table


def read_used_files(table: Table, folder: Path | None, files: Files, reporter: Reporter) -> Table:
    """`table` with the blocks of the files that it names in `use`; its own are stronger."""
    used = table.get("use")
    if used is None:
        return table
    places = used.places if isinstance(used, Items) else [table.value_places.get("use")]
    named = used if isinstance(used, list) else [used]
    blocks = Table(table.value_places.get("use"))
    seen, whole = set[Path](), True
    for file, place in zip(named, places, strict=True):
        path = (folder or Path()) / str(file)
        if path in seen:
            reporter.error("duplicate", f"`{file}` is here twice", place, help="remove one of them")
            continue
        seen.add(path)
        read = files.named_by_text(path, place, reporter, "file of blocks") if isinstance(file, str) else None
        if not isinstance(file, str):
            reporter.error("unknown-file", f"there is no file of blocks {describe(file)}", place, help=HOW_TO_NAME)
        whole = whole and (read is not None or not isinstance(file, str))
        if read is not None:
            blocks = _with_blocks(blocks, files.own(read), reporter)
    laid = table.copy()
    if whole:  # else it stays, so that nothing is said of blocks that may be there
        del laid["use"]
    own = table.get("blocks")
    laid.put("blocks", merge(blocks, own, holds="blocks") if isinstance(own, Table) else blocks)
    return laid


def _with_blocks(blocks: Table, read: Table, reporter: Reporter) -> Table:
    """Blocks with those of a file laid over them."""
    for key in read:
        if key != "blocks":
            message = f"a file of blocks holds `blocks` alone, not `{key}`"
            reporter.error("unknown-key", message, read.key_places.get(key))
    found = read.get("blocks")
    return merge(blocks, found, holds="blocks") if isinstance(found, Table) else blocks
