"""Texts made to take long or to fill the memory; run as a program, it judges each in a process of its own."""

from __future__ import annotations

import os
import resource
import sys
import traceback
from itertools import pairwise

from tests.properties.judge import judge

MEGABYTES = 300
"""Memory that one text may take beyond what the process has: reading 1 MB of nodes needs some."""

_HEAD = "name: net\ninput: {channels: 3, size: 16}\n"
_LETTERS = "abcdefghijklm"


def _laughs() -> str:
    """Thirteen lists, each of ten aliases of the one before: 10 ** 13 values."""
    text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    for before, name in pairwise(_LETTERS):
        text += f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    return text


def _steps(line: str, count: int = 1_000_000) -> str:
    """As many steps as a text can hold that is not refused by its length alone."""
    lines, length = [_HEAD, "stages:\n"], 0
    for number in range(count):
        lines.append(f"  {line.replace('#', str(number))}\n")
        length += len(lines[-1])
        if length > 180_000:
            break
    return "".join(lines)


TEXTS = {
    "billion laughs": _laughs(),
    "laughs inside a step": _laughs() + _HEAD + "stages: {z: *m}",
    "anchors around each other": f"{_HEAD}stages: {''.join(f'&a{i} [' for i in range(35))}{'[],' * 60_000}{']' * 35}",
    "anchors beside each other": _steps("a#: &a# {block: conv, kernel: 3}"),
    "steps": _steps("a#: norm"),
    "unknown blocks": _steps("a#: x"),
    "unknown names": _steps("a#: {block: $(b# + (# * 2))}"),
    "unknown steps": _steps("a#: {block: norm, from: b#}"),
    "unknown parameters": _steps("a#: {block: conv, b#: 1}"),
    "unknown keys": "".join(f"a{number}: 1\n" for number in range(20_000)),
    "unknown keys of one step": f"{_HEAD}stages: {{a: {{block: conv, {', '.join(f'a{n}: 1' for n in range(18_000))}}}}}",
    "wrong types": _steps("a#: 5"),
    "bad blocks": f"{_HEAD}blocks:\n" + "".join(f"  a{number}: [norm]\n" for number in range(10_000)),
    "bad expressions": _steps("a#: {block: conv, kernel: $(1 +)}"),
    "duplicate keys": "name: net\n" * 20_000,
    "steps inside steps": _steps("a#: [[[[[[norm]]]]]]"),
    "steps with an order": _steps("a#: {block: norm, after: a0}"),
    "computed parameters": f"{_HEAD}parameters:\n"
    + "".join(f"  a{number}: $(1 + 2 * 3)\n" for number in range(10_000)),
    "features": f"{_HEAD}stages: {{a: norm}}\nfeatures: [{'a, ' * 60_000}]",
    "values of one step": f"{_HEAD}stages: {{a: norm, b: {{block: add, from: [{'a, ' * 60_000}]}}}}",
    "parts of parts": f"{_HEAD}stages: {{a: {{block: conv, kernel: 1, width: 4096}}, s: {{block: split, parts: 4096}}, "
    f"b: {{block: concat, from: [{'s.*, ' * 19_000}]}}}}",
    "loops in loops": f"{_HEAD}stages:\n  for i in 10000:\n    for j in 10000:\n      a$i.b$j: norm\n",
    "loops of nothing": f"{_HEAD}stages:\n  for i in 10000:\n    for j in 10000:\n      a$i.b$j: {{block: norm, when: false}}\n",
    "loops of no loops": f"{_HEAD}stages:\n  for i in 10000:\n    for j in 10000:\n      for k in 0: {{a: norm}}\n",
    "names of repeats": _steps("a#: {block: norm, depth: 10000, names: x$repeat}", 1000),
    "all values of all steps": f"{_HEAD}stages:\n  a: norm\n  b: norm\n  for i in 9990: {{c$i: {{block: add, from: ['*']}}}}\n",
    "repeats that differ": f"{_HEAD}stages:\n"
    + "".join(f"  a{n}: {{block: conv, kernel: 3, width: $(repeat + 1), depth: 10000}}\n" for n in range(50)),
    "a block that doubles": f"{_HEAD}blocks:\n  b:\n    parameters: {{n: int, m: 0}}\n    body:\n"
    "      left: {block: b, n: $(n - 1), m: $(m * 2), when: $(n > 0)}\n"
    "      right: {block: b, n: $(n - 1), m: $(m * 2 + 1), when: $(n > 0)}\n"
    "      out: {block: identity, when: $(m < 0)}\nstages: {a: {block: b, n: 35}}",
    "blocks that use each other": f"{_HEAD}blocks:\n  a: {{body: [b]}}\n  b: {{body: [c, c]}}\n"
    "  c: {body: [a, norm]}\nstages: {x: a}",
    "a slot that grows": f"{_HEAD}blocks:\n  b:\n    parameters: {{s: {{type: steps, default: null}}}}\n    body:\n"
    "      more: {block: b, s: {x: {body: $s, inline: true}, y: norm}}\nstages: {a: b}",
    "a block in a slot that grows": f"{_HEAD}blocks:\n  b:\n    parameters: {{s: {{type: block, default: norm}}}}\n    body:\n"
    "      more: {block: b, s: {block: $s}}\nstages: {a: b}",
}


def is_well_judged(name: str) -> bool:
    """Whether one text is judged in time and little memory, in a copy of this process: it says if not."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            # Well above the bound, so that a failure is a MemoryError in the copy and no trouble for the machine.
            resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            judge(TEXTS[name])
            taken = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
            assert taken <= MEGABYTES, f"took {taken} MB"
            status = 0
        except BaseException:  # noqa: BLE001 -- the copy must not go on as if it were this process
            sys.stderr.write(f"{name}:\n{traceback.format_exc()}\n")
        finally:
            sys.stderr.flush()
            os._exit(status)
    return os.waitpid(child, 0)[1] == 0


if __name__ == "__main__":
    judge(f"{_HEAD}stages: {{a: {{block: bottleneck, width: 16}}}}")  # what is kept for later is no text's doing
    fine = [name for name in TEXTS if is_well_judged(name)]
    sys.exit(len(fine) != len(TEXTS))
