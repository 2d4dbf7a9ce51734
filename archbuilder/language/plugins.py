"""The plugins that a spec asks for: a list of files, and no more than that. Nothing here loads one."""

from __future__ import annotations

from pathlib import Path

from archbuilder.language.table import Items, Table


def locate_plugins(table: Table, folder: Path | None) -> Table:
    """`table` with the paths of its plugins, which are seen from the file that asks for them, as whole paths."""
    listed = _listed(table)
    if listed is None:
        return table
    whole = Items(listed.place)
    whole.extend(str(Path((folder or Path()) / file).absolute()) if isinstance(file, str) else file for file in listed)
    whole.places = listed.places
    located = table.copy()
    located["plugins"] = whole
    return located


def join_plugins(merged: Table, base: Table, over: Table) -> None:
    """Gives a merged spec the plugins of both that it is made of."""
    first, second = _listed(base), _listed(over)
    if first is None or second is None:
        return
    joint = Items(second.place)
    for listed in (first, second):
        for number, file in enumerate(listed):
            if file not in joint:
                joint.append(file)
                joint.places.append(listed.places[number])
    merged["plugins"] = joint


def _listed(table: Table) -> Items | None:
    """The plugins of a spec as a list with places; None where it asks for none, or writes something else."""
    written = table.get("plugins")
    if isinstance(written, str):
        written = [written]
    if not isinstance(written, list):
        return None
    listed = Items(getattr(written, "place", None))
    listed.extend(written)
    listed.places = list(getattr(written, "places", None) or [table.value_places.get("plugins")] * len(written))
    return listed
