"""What is judged of a text, whatever it is: nothing is raised but what is documented, in bounded time and memory; and what is
fine is the same network however it is read: counted or built, written as source, or dumped and read again."""

from __future__ import annotations

import ast
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import archbuilder
from archbuilder import SpecError
from archbuilder.diagnostics import TooManyStepsError
from archbuilder.tasks.checking import Checked
from tests.properties.judge import NAME, judge
from tests.properties.test_broken import holds_together, is_small

SECONDS = 20
"""Of processor time, after which a text is said to hang; in less, `judge` says what takes too long."""
MEGABYTES = 400
"""By which the process may grow with one text."""


class HangError(AssertionError):
    """A text, or a reader of its network, takes too long."""


@contextmanager
def in_time() -> Iterator[None]:
    """Ends what takes too long."""

    def end(*_: object) -> None:
        raise HangError

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def verdict(text: str, *, builds: bool = True) -> str:
    """Judges a text: "wrong", "fine", or "built" where it was also built. Whatever is raised is a finding."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with in_time():
        result = judge(text)
        said = "wrong" if isinstance(result, SpecError) else _read(text, result, builds=builds)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
    assert grown < MEGABYTES, f"took {grown} MB"
    return said


def _read(text: str, network: Checked, *, builds: bool) -> str:
    """Reads a network in every way, those that take long only where it is small."""
    again_is_the_same(network)
    for depth in ("stage", "block", "layer"):
        with suppress(TooManyStepsError):
            rows = network.summary.rows(depth)
            assert sum(row.parameters for row in rows if row.level == 0) == network.summary.parameters
    if not is_small(network.graph):
        return "fine"
    for depth in ("block", "layer"):
        archbuilder.render(network.graph, format="dot", depth=depth)
    ast.parse(archbuilder.to_source(network.graph))
    if not builds:
        return "fine"
    holds_together(text)
    return "built"


def again_is_the_same(network: Checked) -> None:
    """A dump stands alone: read again, it is the same network."""
    dumped = archbuilder.dump(network.architecture)
    again = archbuilder.check(NAME, text=dumped)
    same = (again.summary.parameters, again.summary.macs, again.summary.layers, again.summary.output_shape)
    own = network.summary
    assert same == (own.parameters, own.macs, own.layers, own.output_shape), dumped
    if is_small(network.graph):
        assert again.summary.state == own.state, dumped
