"""A spec that is larger by a factor takes about that factor longer: no work is quadratic in the size of a text, or of a network.

Counted are the calls that Python makes, which do not depend on what else the machine does; slow tests measure time as well, for
what one call may do.
"""

# ruff: noqa: E501 -- each text is read best in one line

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import archbuilder
from archbuilder import SpecError
from archbuilder.analysis.records import as_csv
from archbuilder.analysis.table import as_markdown, as_table
from archbuilder.cli.options import check_with_variants

RATIO = 2.6
HEAD = "name: net\ninput: {channels: 8, size: 16}\n"


def lines(count: int, line: str) -> str:
    """A line as often as that; `#` stands for its number."""
    return "".join(f"{line.replace('#', str(number))}\n" for number in range(count))


def chained(count: int, line: str) -> str:
    """Likewise, where `BEFORE` stands for the number before it."""
    return "".join(f"{line.replace('BEFORE', str(max(0, n - 1))).replace('#', str(n))}\n" for n in range(count))


STEPS = f"{HEAD}stages:\n"
TEXTS: dict[str, Callable[[int], str]] = {
    "steps": lambda n: STEPS + lines(n, "  a#: norm"),
    "blocks": lambda n: STEPS + lines(n, "  a#: {block: basic, width: 8}"),
    "different blocks": lambda n: STEPS + lines(n, "  a#: {block: basic, width: 8, after_last_norm: {d: {block: norm, eps: 0.#1}}}"),
    "a loop": lambda n: f"{STEPS}  for i in {n}: {{a$i: norm}}\n",
    "loops": lambda n: STEPS + lines(n, "  for i# in 2: {a#.$i#: norm}"),
    "steps in lists": lambda n: f"{STEPS}  a: [{'[norm, activation], ' * n}]\n",
    "steps that are left out": lambda n: f"{STEPS}  a: norm\n" + lines(n, "  b#: {block: norm, when: false}"),
    "repeats that differ": lambda n: f"{STEPS}  a: {{block: conv, kernel: 3, width: $(repeat + 1), depth: {n}}}\n",
    "branches": lambda n: STEPS + chained(n, "  a#: norm\n  b#: {block: norm, from: a#}\n  c#: {block: add, from: [a#, b#]}"),
    "shortcuts": lambda n: f"{STEPS}  a: norm\n" + lines(n, "  b#: norm\n  c#: {block: add, from: [b#, a]}"),
    "scalars of several lines": lambda n: STEPS + lines(n, '  a#:\n    {block: "no\n      rm"}'),
    "comments": lambda n: STEPS + lines(n, "  a#: norm  # xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
    "expressions": lambda n: STEPS + lines(n, '  a#: {block: conv, kernel: "$(1 + 2 * (# - #))"}'),
    "unknown blocks": lambda n: STEPS + lines(n, "  a#: nrom"),
    "unknown steps": lambda n: STEPS + lines(n, "  a#: {block: norm, from: b#}"),
    "parameters": lambda n: f"{HEAD}parameters:\n{lines(n, '  p#: 8')}stages:\n{lines(n, '  a#: {block: conv, kernel: 1, width: $p#}')}",
    "unused parameters": lambda n: f"{HEAD}parameters:\n{lines(n, '  p#: 8')}stages: {{a: norm}}\n",
    "own blocks": lambda n: f"{HEAD}blocks:\n{lines(n, '  b#: {body: [norm, activation]}')}stages:\n{lines(n, '  a#: b#')}",
    "unused own blocks": lambda n: f"{HEAD}blocks:\n{lines(n, '  b#: {parameters: {k: 3}, body: [norm]}')}stages: {{a: norm}}\n",
    "blocks that extend": lambda n: f"{HEAD}blocks:\n{lines(n, '  b#: {extends: basic, body: {relu: null}}')}stages: {{a: norm}}\n",
    "defaults": lambda n: f"{HEAD}blocks:\n{lines(n, '  b#: {parameters: {k: 3}, body: [{block: conv, kernel: $k}]}')}"
    f"defaults:\n{lines(n, '  b#: {k: 1}')}stages:\n{lines(n, '  a#: b#')}",
    "unused defaults": lambda n: f"{HEAD}blocks:\n{lines(n, '  b#: {parameters: {k: 3}, body: [{block: conv, kernel: $k}]}')}"
    f"defaults:\n{lines(n, '  b#: {k: 1}')}stages: {{a: norm}}\n",
    "an unknown step in a loop": lambda n: f"{STEPS}  for i in {n}: {{a$i: {{block: norm, from: zz}}}}\n",
    "an unknown step of a loop": lambda n: f"{STEPS}  for i in {n}: {{a.$i: {{block: norm, from: \"$('input' if i == 0 else 'b.-1')\"}}}}\n",
    "unknown steps in a loop": lambda n: f"{STEPS}  for i in {n}: {{a$i: {{block: add, from: ['zz.*', input]}}}}\n",
    "a step too far back in a loop": lambda n: f"{STEPS}  for i in {n}: {{a.$i: {{block: add, from: [a.-9000, input]}}}}\n",
    "an unknown step for each turn": lambda n: f"{STEPS}  for i in {n}: {{a$i: {{block: norm, from: zz$i}}}}\n",
    "turns of a loop that nothing takes": lambda n: f"{STEPS}  for i in {n}: {{a.$i: {{block: norm, from: input}}}}\n",
    "an unknown name in a loop": lambda n: f"{STEPS}  for i in {n}: {{a$i: {{block: conv, kernel: 3, width: $zz}}}}\n",
    "an unknown block in a loop": lambda n: f"{STEPS}  for i in {n}: {{a$i: {{block: konv, kernel: 3}}}}\n",
    "a wrong value in a loop": lambda n: f"{STEPS}  for i in {n}: {{a$i: {{block: conv, kernel: -1}}}}\n",
    "a misspelt value in a loop": lambda n: f"{STEPS}  for i in {n}: {{a$i: {{block: norm, kind: bacth}}}}\n",
    "a misspelt parameter in a loop": lambda n: f"{STEPS}  for i in {n}: {{a$i: {{block: conv, kernel: 3, wdith: 3}}}}\n",
    "the last step of a loop": lambda n: f"{STEPS}  for i in {n}: {{a.$i: {{block: norm, from: \"$('input' if i == 0 else 'a.-1')\"}}}}\n",
    "one turn of a loop": lambda n: f"{STEPS}  for i in {n}: {{a.$i: norm}}\n  s: {{block: add, from: [a.7, a.{n - 1}]}}\n",
    "a turn for each turn": lambda n: f"{STEPS}  for i in {n}: {{a.$i: {{block: norm, from: input}}}}\n  for j in {n}: {{b.$j: {{block: norm, from: a.$j}}}}\n"
    "  s: {block: add, from: b.*}\n",
    "a product": lambda n: f"{STEPS}  for i in {n}: {{a.$i: {{block: norm, from: input}}}}\n  p: {{block: multiply, from: a.*}}\n",
    "features": lambda n: f"{STEPS}{lines(n, '  a#: norm')}features: [{', '.join(f'a{k}' for k in range(n))}]\n",
    "renamed steps": lambda n: f"{STEPS}{lines(n, '  a#: norm')}rename: {{{', '.join(f'a{k}: b{k}' for k in range(n))}}}\n",
    "registered steps": lambda n: f"{STEPS}{lines(n, '  a#: norm')}register: [{', '.join(f'a{k}' for k in range(n))}]\n",
    "outputs": lambda n: f"{STEPS}{lines(n, '  a#: norm')}{lines(n, '  o#: {block: norm, from: a#, output: always}')}",
    "placed steps": lambda n: f"{STEPS}  x: norm\n" + lines(n, "  a#: {block: norm, before: x}"),
    "placed steps in a row": lambda n: f"{STEPS}  a0: norm\n  x: norm\n" + chained(n + 1, "  b#: {block: norm, after: bBEFORE}").replace("b0: {block: norm, after: b0}", "b0: norm"),
    "many inputs": lambda n: f"{STEPS}{lines(n, '  a#: {block: norm, from: input}')}  s: {{block: add, from: [{', '.join(f'a{k}' for k in range(n))}]}}\n",
    "parts": lambda n: f"{STEPS}  c: {{block: conv, kernel: 1, width: {n}}}\n  p: {{block: split, parts: {n}}}\n"
    f"  s: {{block: concat, from: [{', '.join(f'p.{k}' for k in range(n))}]}}\n",
    "aliases": lambda n: f"{STEPS}  x: &x {{block: norm, eps: 0.1}}\n" + lines(n, "  a#: *x"),
    "a line of flow": lambda n: f"{HEAD}stages: {{{', '.join(f'a{k}: norm' for k in range(n))}}}\n",
    "an open quote": lambda n: f'{HEAD}help: "{":$(" * n * 10}\nstages: {{a: norm}}\n',
    "open brackets": lambda n: f"{HEAD}help: {{{'$((( ' * n * 10}\nstages: {{a: norm}}\n",
    "a long name": lambda n: f"{STEPS}  {'a' * n * 20}: norm\n",
    "dots": lambda n: f"{STEPS}  {'a.' * n * 20}a: norm\n",
    "output stride": lambda n: f"output_stride: 8\n{STEPS}" + lines(n, "  a#: {block: basic, width: 8}"),
    "drop paths": lambda n: STEPS + lines(n, "  a#: {block: basic, width: 8, after_last_norm: {d: {block: drop_path, rate: 0.1}}}"),
    "texts": lambda n: f"{STEPS}  a: {{block: activation, kind: {'x' * n * 50}}}\n",
    "tabs": lambda n: f"{STEPS}  a: norm {chr(9) * n * 20}}}\n",
}  # fmt: skip


def quietly(text: str) -> None:
    try:
        archbuilder.check("net.yaml", text=text)
    except SpecError as error:
        str(error)


def calls_of(run: Callable[[], object]) -> int:
    """How many functions are called, Python's own among them."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
    return count


def grows_alike(small: Callable[[], object], large: Callable[[], object]) -> bool:
    """Whether the larger takes about the factor longer in processor time, of some runs the shortest: others disturb."""
    least = [float("inf"), float("inf")]
    for _ in range(8):
        for number, run in enumerate((small, large)):
            begin = time.process_time()
            run()
            least[number] = min(least[number], time.process_time() - begin)
        if least[1] / least[0] <= RATIO or least[1] < 0.05:
            return True
    return False


EVERYDAY = (
    "steps", "a loop", "scalars of several lines", "features", "parameters", "own blocks", "expressions", "unknown steps",
    "an open quote", "parts", "an unknown step in a loop", "an unknown name in a loop", "a wrong value in a loop",
)  # fmt: skip


def calls_grow(kind: str) -> float:
    quietly(TEXTS[kind](10))  # what is read once only is no part of it
    small, large = (calls_of(lambda count=count: quietly(TEXTS[kind](count))) for count in (110, 220))
    return large / small


@pytest.mark.parametrize("kind", EVERYDAY)
def test_calls_grow_as_the_text(kind: str) -> None:
    assert calls_grow(kind) <= RATIO


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(TEXTS.keys() - set(EVERYDAY)))
def test_calls_grow_as_any_text(kind: str) -> None:
    assert calls_grow(kind) <= RATIO


@pytest.mark.slow
@pytest.mark.parametrize("kind", TEXTS)
def test_time_grows_as_the_text(kind: str) -> None:
    quietly(TEXTS[kind](10))
    small, large = TEXTS[kind](900), TEXTS[kind](1800)
    assert grows_alike(lambda: quietly(small), lambda: quietly(large))


# ---- files -----------------------------------------------------------------------------------------------------------


def variants(folder: Path, count: int) -> Callable[[], object]:
    path = folder / f"variants{count}.yaml"
    path.write_text(
        f"{HEAD}stages: {{a: norm}}\nvariants:\n{lines(count, '  v#: {stages: {a: {eps: 0.#1}}}')}", "utf-8"
    )
    return lambda: check_with_variants(str(path), {}, None)


def bases(folder: Path, count: int) -> Callable[[], object]:
    for level in range(10):
        base = f"extends: ./base{count}_{level - 1}.yaml\n" if level else ""
        text = f"{base}{HEAD}stages:\n{lines(count, f'  a{level}_#: norm')}"
        (folder / f"base{count}_{level}.yaml").write_text(text, "utf-8")
    return lambda: archbuilder.check(folder / f"base{count}_9.yaml")


def used_files(folder: Path, count: int) -> Callable[[], object]:
    for number in range(count):
        (folder / f"blocks{number}.yaml").write_text(f"blocks: {{b{number}: {{body: [norm, activation]}}}}\n", "utf-8")
    names = ", ".join(f"./blocks{number}.yaml" for number in range(count))
    (folder / f"uses{count}.yaml").write_text(f"{HEAD}use: [{names}]\nstages: {{a: b0}}\n", "utf-8")
    return lambda: archbuilder.check(folder / f"uses{count}.yaml")


def used_blocks(folder: Path, count: int) -> Callable[[], object]:
    for number in range(5):
        text = "blocks:\n" + lines(count, f"  b{number}_#: {{body: [norm, activation]}}")
        (folder / f"many{count}_{number}.yaml").write_text(text, "utf-8")
    names = ", ".join(f"./many{count}_{number}.yaml" for number in range(5))
    (folder / f"many{count}.yaml").write_text(f"{HEAD}use: [{names}]\nstages: {{a: b0_0}}\n", "utf-8")
    return lambda: archbuilder.check(folder / f"many{count}.yaml")


FILES = [variants, bases, used_files, used_blocks]


@pytest.mark.parametrize("make", FILES)
def test_calls_grow_as_the_files(tmp_path: Path, make: Callable[[Path, int], Callable[[], object]]) -> None:
    make(tmp_path, 5)()
    small, large = (calls_of(make(tmp_path, count)) for count in (40, 80))
    assert large / small <= RATIO


@pytest.mark.slow
@pytest.mark.parametrize("make", FILES)
def test_time_grows_as_the_files(tmp_path: Path, make: Callable[[Path, int], Callable[[], object]]) -> None:
    make(tmp_path, 5)()
    assert grows_alike(make(tmp_path, 150), make(tmp_path, 300))


# ---- what reads a network --------------------------------------------------------------------------------------------

READERS: dict[str, Callable[[archbuilder.Checked], object]] = {
    "rows": lambda checked: checked.summary.rows("layer"),
    "table": lambda checked: as_table(checked.summary, "layer"),
    "csv": lambda checked: as_csv(checked.summary, "layer"),
    "markdown": lambda checked: as_markdown(checked.summary, "layer"),
    "state": lambda checked: list(checked.graph.state()),
    "text": lambda checked: str(checked.graph),
    "source": lambda checked: archbuilder.to_source(checked.graph),
    "dump": lambda checked: archbuilder.dump(checked.architecture),
    "drawing of stages": lambda checked: archbuilder.render(checked.graph, format="dot", depth="stage"),
    "drawing of layers": lambda checked: archbuilder.render(checked.graph, format="dot", depth="layer"),
    "why": lambda checked: archbuilder.why(checked.architecture, "a0.eps"),
}
NETWORKS = ("steps", "a loop", "steps in lists", "steps that are left out", "branches", "shortcuts", "different blocks",
            "one turn of a loop", "a turn for each turn", "a product", "repeats that differ")  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("reader", READERS)
def test_calls_grow_as_the_network(reader: str, network: str) -> None:
    small, large = (calls_of(lambda count=count: _read(reader, _network(network, count))) for count in (60, 120))
    assert large / small <= RATIO


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("reader", ["table", "csv", "markdown", "source"])
def test_time_grows_as_the_network(reader: str, network: str) -> None:
    small, large = _network(network, 450), _network(network, 900)
    assert grows_alike(lambda: _read(reader, small), lambda: _read(reader, large))


def _network(kind: str, count: int) -> archbuilder.Checked:
    return archbuilder.check("net.yaml", text=TEXTS[kind](count))


def _read(reader: str, checked: archbuilder.Checked) -> None:
    anew = replace(checked, summary=archbuilder.summarize(checked.graph))  # which keeps what it was asked before
    try:
        READERS[reader](anew)
    except SpecError as error:
        str(error)
