"""The rooms of the house, as docs/architecture.md lists them: who may import whom."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.docs.pages import FOLDER, ROOT

PACKAGE = ROOT / "archbuilder"
PUBLIC = {"__init__", "__main__"}


@cache
def rooms() -> dict[str, set[str]]:
    """What each room may import, as the page says."""
    text = (FOLDER / "architecture.md").read_text("utf-8")
    section = text.partition("\n## Rooms\n")[2].partition("\n## ")[0]
    rows = re.findall(r"(?m)^\| `(\w+)` \| ([^|]*)\|", section)
    return {room: set(re.findall(r"`(\w+)`", allowed)) for room, allowed in rows}


def room_of(module: str) -> str:
    """The room of a module; `api` is the package itself."""
    return module.split(".")[1] if "." in module else "api"


def imports(source: str) -> Iterator[str]:
    """Every module of ours that a source imports, wherever in it: in functions, and for type checkers alone."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] == "archbuilder")
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            if node.module == "archbuilder":
                names = [alias.name for alias in node.names]
                yield from (f"archbuilder.{name}" if name in rooms() else "archbuilder" for name in names)
            elif (node.module or "").startswith("archbuilder."):
                yield str(node.module)


def files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def own_room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def forbidden(room: str, source: str) -> list[str]:
    """The imports of a source that its room may not have."""
    allowed = rooms()[room] | {room}
    return [module for module in imports(source) if room_of(module) not in allowed]


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_rooms_import_what_they_may(path: Path) -> None:
    room = own_room(path)
    if room in PUBLIC:
        return
    assert room in rooms(), f"docs/architecture.md does not list {room}"
    assert forbidden(room, path.read_text("utf-8")) == []


def test_the_page_allows_nothing_that_is_not_used() -> None:
    used: dict[str, set[str]] = {room: set() for room in rooms()}
    for path in files():
        if own_room(path) not in PUBLIC:
            room = own_room(path)
            used[room] |= {room_of(module) for module in imports(path.read_text("utf-8"))} - {room}
    assert used == rooms()


def test_rooms_stand_in_a_line() -> None:
    """No room can be reached from itself: each may import only rooms that the table lists before it."""
    listed = list(rooms())
    for room, allowed in rooms().items():
        assert all(listed.index(other) < listed.index(room) for other in allowed - {"api"}), room


def test_a_wrong_import_is_found() -> None:
    assert forbidden("graph", "import archbuilder.spec.load") == ["archbuilder.spec.load"]
    assert forbidden("graph", "def late():\n    from archbuilder.lower import lower_architecture") == [
        "archbuilder.lower"
    ]
    assert forbidden("graph", "if TYPE_CHECKING:\n    from archbuilder import spec") == ["archbuilder.spec"]
    assert forbidden("graph", "from archbuilder.graph.op import Op\nimport math") == []


def test_bounds_are_those_of_the_code() -> None:
    from archbuilder import diagnostics, parameters
    from archbuilder.lower import body
    from archbuilder.spec import blocks, formula, load, reader, scalars, values

    text = (FOLDER / "language.md").read_text("utf-8").partition("\n## Bounds\n")[2].partition("\n## ")[0]
    stated = re.findall(r"(?m)^\| .* \| ([\d][\d,^ ]*) \|$", text)
    assert stated == [
        f"{reader.MAXIMUM_BYTES:,}",
        f"{reader.MAXIMUM_VALUES:,}",
        f"{reader.MAXIMUM_NESTING}",
        f"{scalars._MAXIMUM_DIGITS}",
        f"2^{parameters.MAXIMUM_INTEGER.bit_length() - 1}",
        f"{formula.MAXIMUM_LENGTH}, {formula.MAXIMUM_DEPTH}",
        f"{values.MAXIMUM_REPEATS:,}",
        f"{body.MAXIMUM_NODES:,}",
        f"{body.MAXIMUM_RECURSION}",
        f"{load.MAXIMUM_BASES}",
        f"{blocks._MAXIMUM_BASES}",
        f"{diagnostics.MAXIMUM_DIAGNOSTICS}",
    ]
