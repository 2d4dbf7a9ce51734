"""What the command says of blocks: their list, and one of them."""

from __future__ import annotations

from typing import Any, Literal

from archbuilder.analysis.table import aligned
from archbuilder.cli.reports import say, terminal_width
from archbuilder.parameters import Parameter, describe
from archbuilder.tasks.catalogue import Entry, catalogue, find_entry


def list_blocks(format: Literal["table", "json"]) -> None:
    """Prints every shipped block and every op, and what each can be told."""
    entries = catalogue()
    if format == "json":
        import json

        say(json.dumps([_as_plain(each) for each in entries], indent=2))
        return
    rows = [(each.name, each.kind, each.help) for each in entries]
    say(aligned(("name", "", "`archbuilder show NAME` prints one"), rows, width=terminal_width(), cut=(2,)))


def show_block(name: str) -> bool:
    """Prints a shipped block's YAML, or what an op can be told; whether there is such a block."""
    entry = find_entry(name)
    if entry is None:
        return False
    if entry.kind == "block":
        say(entry.text.rstrip("\n"))
        return True
    rows = [(each.name, each.type, _default_of(each), each.help) for each in entry.parameters]
    say(f"{name}: {entry.help}; an op, which has no steps inside")
    header = ("parameter", "type", "default", "")
    say(aligned(header, rows, width=terminal_width(), cut=(3, 2)) if rows else "no parameters")
    return True


def _default_of(parameter: Parameter) -> str:
    if parameter.required:
        return "required"
    return parameter.default if isinstance(parameter.default, str) else describe(parameter.default)


def _as_plain(entry: Entry) -> dict[str, Any]:
    parameters = [
        {"name": each.name, "type": each.type, "required": each.required, "help": each.help}
        | ({} if each.required else {"default": each.default})
        for each in entry.parameters
    ]
    return {"name": entry.name, "kind": entry.kind, "help": entry.help, "parameters": parameters}
