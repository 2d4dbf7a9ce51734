"""Writes what commands and Python blocks print today into the pages: `python -m tests.docs.update [PAGE ...]`.

Outputs that agree with their page stay as they are, `...` and all. The difference is to be read before it is committed.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.docs.pages import PAGES, Fence, PageError, Runner, fences


def update(page: Path, *, slow: bool) -> list[Fence]:
    """Renews the outputs of a page; the fences that were not up to date."""
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(Path(folder))
        try:
            runner.run(fences(page), slow=slow)
        except PageError as error:
            sys.stderr.write(f"{error}\n")
    lines = page.read_text("utf-8").split("\n")
    for fence, text in sorted(runner.real.items(), key=lambda item: -item[0].line):
        first = fence.line - 1
        length = fence.text.count("\n")
        indent = lines[first - 1][: len(lines[first - 1]) - len(lines[first - 1].lstrip())]
        new = [f"{indent}{line}".rstrip() for line in text.rstrip("\n").split("\n")]
        lines[first : first + length] = new
    page.write_text("\n".join(lines), "utf-8")
    return list(runner.real)


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--slow"]
    for each in [Path(word).resolve() for word in words] or PAGES:
        for stale in update(each, slow="--slow" in sys.argv):
            sys.stdout.write(f"{stale}: renewed\n")
