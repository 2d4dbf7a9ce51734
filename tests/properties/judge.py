"""What must hold of any text at all: a network that holds together, or diagnostics, in time and with nothing else raised."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import archbuilder
from archbuilder import SpecError
from archbuilder.tasks.checking import Checked

SECONDS = 1.0
"""Processor time that one text may take: unlike the wall's clock, it does not depend on what else the machine does."""

NAME = "broken.yaml"
_COMMANDS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What could command a terminal, or not be written to one."""


def judge(text: str) -> Checked | SpecError:
    """What `check` says of a text, which is judged on the way."""
    return judged(lambda: archbuilder.check(NAME, text=text), text)


def judged(check: Callable[[], Checked], text: str | None = None) -> Checked | SpecError:
    """What a check gives, in time, and its diagnostics such as a user can read. Any other exception passes through."""
    result, took = _timed(check)
    if took >= SECONDS:  # garbage of what ran before, or a busy machine, may have its share in one run, but not in all
        took = min(_timed(check)[1] for _ in range(2))
    assert took < SECONDS, f"took {took:.2f} s"
    if isinstance(result, SpecError):
        assert_readable(result, text)
    return result


def _timed(check: Callable[[], Checked]) -> tuple[Checked | SpecError, float]:
    """What a check gives or raises, and the processor time that it took."""
    begin = time.process_time()
    try:
        result: Checked | SpecError = check()
    except SpecError as error:
        result = error
    return result, time.process_time() - begin


def assert_readable(error: SpecError, text: str | None = None) -> None:
    """Every diagnostic says what is wrong, at a place that is there, in characters that a terminal can be given."""
    assert error.diagnostics
    for diagnostic in error.diagnostics:
        assert diagnostic.code
        assert diagnostic.message
        place = diagnostic.place
        assert place is not None, diagnostic
        assert place.line >= 1
        assert 1 <= place.column < place.end
        if text is not None and place.source.name == NAME:
            assert place.line <= len(re.split("\r\n|[\r\n\x85\u2028\u2029]", text))
    printed = str(error)
    printed.encode("utf-8")
    assert not _COMMANDS.search(printed), repr(_COMMANDS.search(printed))
    assert len(printed) < 400_000
