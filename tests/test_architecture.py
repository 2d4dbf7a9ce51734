"""The house: language <- lower -> graph <- readers. Every import of every file is read, and held against its room's rules."""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from archbuilder.graph.table import OPS

PACKAGE = Path(__file__).parents[1] / "archbuilder"

PAGE = Path(__file__).parents[1] / "docs" / "architecture.md"


def table() -> dict[str, set[str]]:
    """What each room, a folder or a file of the package, may import besides itself, as the page says; `api` is the package."""
    section = PAGE.read_text("utf-8").partition("\n## Rooms\n")[2].partition("\n## ")[0]
    rows = re.findall(r"(?m)^\| `(\w+)` \| ([^|]*)\|", section)
    return {room: set(re.findall(r"`(\w+)`", allowed)) for room, allowed in rows}


ROOMS = table()

FEW_OF_ITS_ROOM = {
    ("pytorch", "analysis"): {
        "archbuilder.pytorch.run",  # compares what a network does with its summary
        "archbuilder.pytorch.network",  # shows its table
        "archbuilder.pytorch.report",  # is one
    },
    ("pytorch", "tasks"): {
        "archbuilder.pytorch.run",
        "archbuilder.pytorch.saving",  # writes a spec beside weights
    },
    ("pytorch", "plugin"): {"archbuilder.pytorch.foreign"},  # compares a user's module with its declaration
}
"""What a room may import, but only in few of its modules."""

NO_OPS = {
    ("cli", "parameter"): "the title of a column",
    ("draw", "activation"): "a role",
    ("draw", "attention"): "a role",
    ("draw", "identity"): "a kind of shortcut",
    ("draw", "linear"): "a role",
    ("draw", "norm"): "a role",
    ("explain", "parameter"): "what a value may come from",
    ("lowering", "identity"): "what a block in Python makes of an empty slot: the word that a spec would use",
}
"""The words in tables and comparisons of a room that are names of ops, but mean something else there."""

LAZY = {
    "archbuilder": "torch is not needed to check, nor graphviz to build",
    "archbuilder.analysis.facts": "memory and receptive fields are not needed to check",
    "archbuilder.draw": "what draws is not needed to check, nor what writes one format to write another",
    "archbuilder.lowering.steps": "what runs plugins is not needed without one",
    "archbuilder.lowering.uses": "what runs plugins is not needed without one",
    "archbuilder.plugin": "what defines blocks is not needed to look one up",
    "archbuilder.pytorch.build": "says what to install where there is no torch",
    "archbuilder.pytorch.checkpoint": "says what to install where there is no torch",
}
"""The modules that import others of ours inside functions, beside the command, and why."""

ONLY_IN = {
    "torch": {"pytorch"},
    "torchinfo": {"pytorch"},
    "safetensors": {"pytorch"},
    "yaml": {"language", "cli"},
    "pydantic": {"plugin", "language"},  # a block's parameters in Python are a model
    "pydantic_core": {"language"},
    "graphviz": {"draw"},
    "resvg_py": {"draw"},
    "fpdf": {"draw"},
    "rich": {"analysis", "cli"},
    "typer": {"cli"},
    "PIL": {"pytorch"},
}
"""Which rooms know a library that does not belong to Python."""


@dataclass(frozen=True)
class Import:
    """One import: of which module, in which line, whether in a function, and whether for type checkers alone."""

    module: str
    line: int
    inside: bool
    typing: bool


def imports(source: str) -> list[Import]:
    """Every import of a source, wherever it stands."""
    return list(_imports(ast.parse(source).body, inside=False, typing=False))


def _imports(body: list[ast.stmt], *, inside: bool, typing: bool) -> Iterator[Import]:
    for node in body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, inside, typing)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for name in _modules_of(node):
                yield Import(name, node.lineno, inside, typing)
        else:
            for_types = typing or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
            deeper = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            for child in ast.iter_child_nodes(node):
                blocks = [child] if isinstance(child, ast.stmt) else getattr(child, "body", [])
                if isinstance(blocks, list):
                    yield from _imports(blocks, inside=deeper, typing=for_types)


def _modules_of(node: ast.ImportFrom) -> list[str]:
    """The modules that `from a import b` reaches: `a.b` where that is a module of ours, else `a`."""
    module = node.module or ""
    if module.partition(".")[0] != "archbuilder":
        return [module]
    names = [f"{module}.{alias.name}" for alias in node.names]
    return [name if name in MODULES else module for name in names]


def name_of(path: Path) -> str:
    parts = ("archbuilder", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = sorted(PACKAGE.rglob("*.py"))
MODULES = {name_of(path) for path in FILES}
OWN = {path: imports(path.read_text("utf-8")) for path in FILES}


def room_of(module: str) -> str:
    """The folder or file of the package that a module lies in; `api` for the package itself."""
    return module.split(".")[1] if "." in module else "api"


def faults(module: str, found: list[Import]) -> list[str]:
    """What a module may not import."""
    room, wrong = room_of(module), []
    for each in found:
        top = each.module.partition(".")[0]
        if top == "archbuilder":
            other = room_of(each.module)
            if room in ROOMS and other not in ROOMS[room] | {room}:
                wrong.append(f"line {each.line}: `{room}` may not import `{each.module}`")
            if module not in (few := FEW_OF_ITS_ROOM.get((room, other), {module})):
                names = ", ".join(f"`{name}`" for name in sorted(few))
                wrong.append(f"line {each.line}: in `{room}`, only {names} may import `{each.module}`")
            if other == "cli" and room not in ("cli", "__main__"):
                wrong.append(f"line {each.line}: nothing imports the command")
            if each.module.startswith("archbuilder.graph.ops.") and room != "graph":
                wrong.append(
                    f"line {each.line}: an op says what there is to know of it; only `graph` may import its class"
                )
            if each.inside and room != "cli" and module not in LAZY:
                wrong.append(f"line {each.line}: `{each.module}` is imported inside a function")
        elif room not in ONLY_IN.get(top, {room}) and not (each.typing and room == "api"):
            wrong.append(f"line {each.line}: only {', '.join(sorted(ONLY_IN[top]))} may import `{top}`")
        elif top not in ONLY_IN and top not in sys.stdlib_module_names:
            wrong.append(f"line {each.line}: `{top}` is neither Python's nor listed here")
    return wrong


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_file_keeps_to_its_room(path: Path) -> None:
    assert faults(name_of(path), OWN[path]) == []


def names_of_ops(source: str) -> Iterator[tuple[int, str]]:
    """Where a source tells ops apart by their names: in the keys of a table, in a list of words, or in a comparison."""
    tree = ast.parse(source)
    spared = {inner for node in ast.walk(tree) if _speaks_of_others(node) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        words: list[ast.expr | None] = []
        if isinstance(node, ast.Dict):
            words = node.keys
        elif isinstance(node, ast.List | ast.Tuple | ast.Set):
            words = list(node.elts)
        elif isinstance(node, ast.Compare):
            words = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            words = [node.value]
        elif isinstance(node, ast.Subscript):
            words = [node.slice]
        for word in words:
            if isinstance(word, ast.Constant) and word.value in OPS and word not in spared:
                yield word.lineno, str(word.value)


def _speaks_of_others(node: ast.AST) -> bool:
    """Whether what stands in it are words of a type, or what is compared with a role: that is the name of a role."""
    if isinstance(node, ast.Subscript):
        return ast.unparse(node.value).endswith("Literal")
    sides = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
    return any(isinstance(side, ast.Attribute) and side.attr == "role" for side in sides)


READERS = [path for path in FILES if room_of(name_of(path)) not in ("graph", "api", "__main__")]


@pytest.mark.parametrize("path", READERS, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_reader_names_an_op(path: Path) -> None:
    room = room_of(name_of(path))
    found = [each for each in names_of_ops(path.read_text("utf-8")) if (room, each[1]) not in NO_OPS]
    assert found == []


def test_no_exception_is_left_that_nobody_needs() -> None:
    met = {(room_of(name_of(path)), name) for path in READERS for _, name in names_of_ops(path.read_text("utf-8"))}
    assert met == set(NO_OPS)


def test_the_root_is_small() -> None:
    """What lies in the package itself; all else has a room."""
    assert {path.name for path in PACKAGE.glob("*.py")} == {
        "__init__.py",
        "__main__.py",
        "diagnostics.py",
        "display.py",
        "parameters.py",
        "start.py",
    }
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders - rooms <= {"blocks", "specs"}  # data


def test_every_room_has_its_rules() -> None:
    assert {room_of(module) for module in MODULES} == {*ROOMS, "api", "__main__"}


def test_the_page_allows_nothing_that_is_not_used() -> None:
    used: dict[str, set[str]] = {room: set() for room in ROOMS}
    for path, found in OWN.items():
        if (room := room_of(name_of(path))) in ROOMS:
            others = {room_of(each.module) for each in found if each.module.partition(".")[0] == "archbuilder"}
            used[room] |= others - {room}
    assert used == ROOMS


def test_rooms_stand_in_a_line() -> None:
    """No room can be reached from itself: each may import only rooms that the table lists before it."""
    listed = list(ROOMS)
    for room, allowed in ROOMS.items():
        assert all(listed.index(other) < listed.index(room) for other in allowed - {"api"}), room


def cycle(graph: dict[str, set[str]]) -> list[str]:
    """The members of cycles: what is left when whatever imports nothing that is left is taken away, again and again."""
    left = {module: set(others) for module, others in graph.items()}
    while free := [module for module, others in left.items() if not others & left.keys() - {module}]:
        for module in free:
            del left[module]
    return sorted(left)


def test_no_import_runs_back() -> None:
    """Not in functions and not for type checkers alone either: a cycle that is put off is one."""
    modules = {name_of(path): {each.module for each in found} & MODULES for path, found in OWN.items()}
    assert cycle(modules) == []
    rooms: dict[str, set[str]] = {}
    for module, others in modules.items():
        if room_of(module) in ROOMS:
            rooms.setdefault(room_of(module), set()).update(room_of(other) for other in others)
    assert cycle(rooms) == []


HIDDEN = """
class A:
    def f(self):
        try:
            import numpy
        except ImportError:
            pass
"""


@pytest.mark.parametrize(
    ("module", "source", "expected"),
    [
        ("archbuilder.language.x", "from archbuilder.graph.graph import Graph", "may not import `archbuilder.graph.graph`"),
        ("archbuilder.graph.x", "import archbuilder.language.load", "`graph` may not import `archbuilder.language.load`"),
        ("archbuilder.graph.x", "import yaml", "only cli, language may import `yaml`"),
        ("archbuilder.graph.ops.x", "from pydantic import BaseModel", "only language, plugin may import `pydantic`"),
        ("archbuilder.draw.x", "from archbuilder.graph.ops import weighted", "only `graph` may import its class"),
        ("archbuilder.pytorch.x", "from archbuilder.graph.ops.weighted import Linear", "an op says what there is to know"),
        ("archbuilder.graph.x", "if True:\n    import torch", "only pytorch may import `torch`"),
        ("archbuilder.lowering.x", "def f():\n    from torch import nn", "only pytorch may import `torch`"),
        ("archbuilder.cli.x", "import torchinfo", "only pytorch may import `torchinfo`"),
        ("archbuilder.analysis.x", "from archbuilder.draw import render", "`analysis` may not import `archbuilder.draw`"),
        ("archbuilder.analysis.x", "from archbuilder.lowering import steps", "`analysis` may not import `archbuilder.lowering"),
        ("archbuilder.draw.x", "from archbuilder import pytorch", "`draw` may not import `archbuilder.pytorch`"),
        ("archbuilder.pytorch.x", "import archbuilder.lowering.steps", "`pytorch` may not import `archbuilder.lowering.steps`"),
        ("archbuilder.pytorch.x", "import archbuilder.plugin.values", "only `archbuilder.pytorch.foreign` may import"),
        ("archbuilder.tasks.checking", "from archbuilder import cli", "nothing imports the command"),
        ("archbuilder.language.x", "def f():\n    import archbuilder.language.zoo", "`archbuilder.language.zoo` is imported"),
        ("archbuilder.language.x", HIDDEN, "`numpy` is neither Python's nor listed here"),
        ("archbuilder.language.x", "with open(0) as f:\n    import requests", "`requests` is neither Python's nor listed here"),
    ],
)  # fmt: skip
def test_the_check_can_fail(module: str, source: str, expected: str) -> None:
    assert any(expected in fault for fault in faults(module, imports(source)))


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ('SIGNS = {"add": "+", "mean": "m"}', ["add"]),
        ('FOLLOWERS = ("norm", "activation", "rest")', ["norm", "activation"]),
        ('def f(op):\n    return op.name == "conv"', ["conv"]),
        ('if op.name in {"linear"}: pass', ["linear"]),
        ('match op.name:\n    case "split": pass', ["split"]),
        ('kind = OPS["max_pool"]', ["max_pool"]),
        ('Kind = Literal["norm", "linear"]\ndef f(op: Kind) -> bool:\n    return op.role == "norm"', []),
        ('role = op.role in ("linear", "norm"); said = "the conv"; name = "conv"', []),
    ],
)
def test_the_search_for_names_of_ops_can_fail(source: str, named: list[str]) -> None:
    assert [name for _, name in names_of_ops(source)] == named


def test_the_search_for_cycles_can_fail() -> None:
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}, "e": set()}) == ["a", "b", "c", "d"]
