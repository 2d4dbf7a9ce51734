"""Reads the pages of the documentation, and runs what stands in their fences.

The first word behind a fence's backticks is its language, the second says what is done with it:

    yaml            a whole spec, which must hold; with `# net.yaml` as its first line it is also a file of the page
    yaml error      a whole spec that is wrong; the page shows how, with `archbuilder check net.yaml`
    yaml part       some sections of a spec; a name is added, and steps where there are none; it must hold
    yaml blocks     a file of blocks, for `use`; it must hold, used by a spec of one step
    yaml other      no spec: it must be YAML
    console         `$ archbuilder ...` and `$ python ...` are run in the page's folder, the lines below are what they print
    python          run, the blocks of a page one after the other in one namespace; `# train.py` in the first line writes a file
    text output     what the Python block before it prints
    text            not run
    sh              commands that set something up; not run, but the targets of `make` must be there

`...` in an output stands for anything. `roughly` behind `console` or `text output` allows each number to be off by a third,
`loosely` does not look at numbers.
`slow`, likewise, leaves a block out of the everyday run. Fences in HTML comments count too: they set a page up.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
import re
import shlex
import subprocess
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from typer.testing import CliRunner

from archbuilder import SpecError, check
from archbuilder.cli import app
from archbuilder.plugin.registry import REGISTRY

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", *(path for path in FOLDER.rglob("*.md") if path.parent.name != "reference")])
REFERENCE = sorted((FOLDER / "reference").glob("*.md"))

KINDS = {
    "yaml": {"", "error", "part", "blocks", "other"},
    "console": {""},
    "python": {""},
    "text": {"", "output"},
    "sh": {""},
}
FLAGS = {"slow", "roughly", "loosely"}


@dataclass(frozen=True)
class Fence:
    """A block of a page between two lines of backticks. `line` is the number of its first line."""

    page: Path
    line: int
    language: str
    words: tuple[str, ...]
    text: str

    @property
    def kind(self) -> str:
        """What is done with it, beside the flags."""
        return " ".join(word for word in self.words if word not in FLAGS)

    @property
    def is_known(self) -> bool:
        return self.kind in KINDS.get(self.language, ())

    @property
    def is_slow(self) -> bool:
        return "slow" in self.words

    @property
    def tolerance(self) -> float:
        """By what share a number in an output may be off."""
        return math.inf if "loosely" in self.words else 1 / 3 if "roughly" in self.words else 0.0

    @property
    def file(self) -> str | None:
        """The name of the file that it is, said in its first line."""
        match = re.match(r"# ([\w./-]+\.(?:yaml|py))\n", self.text)
        return match[1] if match else None

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


_OPENING = re.compile(r"( *)```(\S*)(.*)")


def fences(page: Path) -> list[Fence]:
    """The blocks of a page, in order."""
    found: list[Fence] = []
    lines = page.read_text("utf-8").splitlines()
    number = 0
    while number < len(lines):
        match = _OPENING.fullmatch(lines[number])
        number += 1
        if match is None:
            continue
        indent, language, words = match.groups()
        start = number
        while lines[number].strip() != "```":
            number += 1
        text = "".join(f"{line.removeprefix(indent)}\n" for line in lines[start:number])
        found.append(Fence(page, start + 1, language, tuple(words.split()), text))
        number += 1
    return found


class PageError(AssertionError):
    """Something on a page is not as the page says."""


@dataclass
class Runner:
    """Runs the blocks of a page in a folder of its own."""

    folder: Path
    namespace: dict[str, Any] = field(default_factory=dict)
    printed: str = ""
    real: dict[Fence, str] = field(default_factory=dict)
    """What stands in the fences whose outputs are not as the page says."""

    def run(self, page: list[Fence], *, slow: bool) -> None:
        """Runs all blocks, those that are slow only if `slow`.

        Raises:
            PageError: with all that is not as the page says.
        """
        errors: list[str] = []
        with no_plugins_left():
            for number, fence in enumerate(page):
                if fence.is_slow and not slow:
                    continue
                following = page[number + 1] if number + 1 < len(page) else None
                try:
                    self._one(fence, following)
                except PageError as error:
                    errors.append(str(error))
        if errors:
            raise PageError("\n\n".join(errors))

    def _one(self, fence: Fence, following: Fence | None) -> None:
        if fence.file is not None:
            path = self.folder / fence.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(fence.text, "utf-8")
        if fence.language == "yaml":
            self._yaml(fence)
        elif fence.language == "console":
            self._console(fence)
        elif fence.language == "python" and fence.file is None:
            self._python(fence)
            if self.printed and not (following is not None and following.kind == "output"):
                raise PageError(f"{fence}: this prints, so an output must follow:\n{self.printed}")
        elif fence.kind == "output" and not agree(fence, fence.text, self.printed):
            self.real[fence] = self.printed
            raise PageError(f"{fence}: the block above prints\n{self.printed}--- instead of\n{fence.text}")

    def _yaml(self, fence: Fence) -> None:
        if fence.kind == "other":
            yaml.safe_load(fence.text)
            return
        text = complete(fence.text) if fence.kind == "part" else fence.text
        name = str(self.folder / (fence.file or "example.yaml"))
        if fence.kind == "blocks":
            text = complete(f"use: {fence.file}\n")
        try:
            with contextlib.chdir(self.folder):
                if fence.kind == "blocks" or fence.file is None:
                    check(name, text=text)
                else:
                    check(fence.file)
        except SpecError as error:
            if fence.kind != "error":
                raise PageError(f"{fence}: {error}") from None
        else:
            if fence.kind == "error":
                raise PageError(f"{fence}: this spec should be wrong")

    def _python(self, fence: Fence) -> None:
        output = io.StringIO()
        # Empty lines, so that a traceback shows the line of the page.
        code = compile("\n" * (fence.line - 1) + fence.text, str(fence.page), "exec")
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(output):
            try:
                exec(code, self.namespace)
            except Exception:  # noqa: BLE001 -- whatever a page's example raises
                raise PageError(f"{fence}: {traceback.format_exc()}") from None
        self.printed = output.getvalue()

    def _console(self, fence: Fence) -> None:
        transcript, errors = "", []
        for command, expected in commands(fence.text):
            code, output = self._run(command)
            printed = trimmed(output)
            transcript += f"$ {command}\n" + (f"{printed}\n" if printed else "")
            fails = re.search(r"(?m)^(.*: )?error(\[[\w-]+\])?:", expected) is not None
            if code != int(fails):
                errors.append(f"{fence}: `{command}` ended with {code}:\n{output}")
            elif not agree(fence, expected, output):
                errors.append(f"{fence}: `{command}` prints\n{output}--- instead of\n{expected}")
        if errors:
            self.real[fence] = transcript
            raise PageError("\n".join(errors))

    def _run(self, command: str) -> tuple[int, str]:
        """How a command ends, and what it prints. Only `archbuilder` and `python` are run, the first in this process: a new one
        would take many times as long."""
        program, *arguments = shlex.split(command)
        if program == "archbuilder":
            with contextlib.chdir(self.folder), no_plugins_left():
                result = CliRunner(env={**PLAIN, **dict.fromkeys(FORCED)}).invoke(app, arguments, prog_name=program)
            return result.exit_code, result.output
        if program == "python":
            words = [sys.executable, *arguments]
            done = subprocess.run(
                words, cwd=self.folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
            )
            return done.returncode, done.stdout.decode()
        raise PageError(f"only archbuilder and python are run, not `{command}`")


@contextlib.contextmanager
def no_plugins_left() -> Iterator[None]:
    """Takes back what a page's Python has defined: plugins hold for the whole process, and other pages run in it too."""
    entries, files, path = dict(REGISTRY.entries), dict(REGISTRY.files), list(sys.path)
    try:
        yield
    finally:
        folders = {file.parent for file in REGISTRY.files.keys() - files.keys()}
        for name, module in list(sys.modules.items()):  # plugins, and what they import beside them
            if Path(getattr(module, "__file__", None) or "/").parent in folders:
                del sys.modules[name]
        REGISTRY.entries, REGISTRY.files, sys.path[:] = entries, files, path


FORCED = {"FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS"}
"""Variables that make typer write for a terminal."""
PLAIN = {"NO_COLOR": "1", "COLUMNS": "100"}


def environment() -> dict[str, str]:
    """That of a program on a page: the package importable, no colours, one thread."""
    path = os.pathsep.join([str(ROOT), *(each for each in sys.path if each)])
    kept = {name: value for name, value in os.environ.items() if name not in FORCED}
    return {**kept, **PLAIN, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


def commands(text: str) -> Iterator[tuple[str, str]]:
    """The commands of a console block, each with what it prints."""
    parts = re.split(r"(?m)^\$ ", text)
    if parts[0].strip():
        raise PageError(f"a console block begins with `$ `: {parts[0]}")
    for part in parts[1:]:
        command, _, expected = part.partition("\n")
        while command.endswith("\\"):
            more, _, expected = expected.partition("\n")
            command = command[:-1] + more
        yield command, expected


def complete(text: str) -> str:
    """Some sections of a spec as a whole one: a name, and where there are no steps a stage are added."""
    keys = set(re.findall(r"(?m)^(\w+):", text))
    start = "" if "name" in keys else "name: example\n"
    steps = keys & {"stem", "stages", "neck", "head", "extends"}
    return start + text + ("" if steps else "stages: {layer1: {block: basic, width: 16, depth: 2}}\n")


_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


def agree(fence: Fence, expected: str, printed: str) -> bool:
    """Whether what was printed is what the page says."""
    wanted, found = trimmed(expected), trimmed(printed)
    return matches(wanted, found) or (fence.tolerance > 0 and nearly(wanted, found, fence.tolerance))


def trimmed(text: str) -> str:
    """A text without spaces at the ends of lines, and without empty lines around it."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def matches(expected: str, found: str) -> bool:
    """Whether a text is what is expected, where `...` stands for anything."""
    pattern = ".*?".join(re.escape(part) for part in expected.split("..."))
    return re.fullmatch(pattern, found, re.DOTALL) is not None


def nearly(expected: str, found: str, tolerance: float) -> bool:
    """Whether two texts differ in nothing but numbers, and these by no more than a share of the larger."""
    if _NUMBER.sub("#", expected).split() != _NUMBER.sub("#", found).split():
        return False
    pairs = zip(_NUMBER.findall(expected), _NUMBER.findall(found), strict=True)
    numbers = [(float(a.replace(",", "")), float(b.replace(",", ""))) for a, b in pairs]
    return all(abs(a - b) <= max(a, b) * tolerance for a, b in numbers if a != b)
