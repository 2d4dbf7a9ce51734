"""How the command ends: never in a traceback, and with nothing that it started left behind."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, NoReturn

from archbuilder.cli.reports import BROKEN_PIPE, complain, let_output_go
from archbuilder.diagnostics import Ended

_OWN_FAULT: Final = 70
"""The exit code where the command itself is wrong, as in BSD's sysexits."""


def end_in_order() -> None:
    """Makes interrupts and requests to end exceptions, so that whatever is under way can clear up: a picture is laid out in a
    process of its own, which would run on."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)


def _end(number: int, _frame: Any) -> NoReturn:
    raise Ended(128 + number)


def with_quiet_end(run: Callable[[], None]) -> None:
    """Runs the command, and turns whatever it could not handle into a line and an exit code."""
    try:
        _run(run)
    except KeyboardInterrupt:
        _leave(130)
    except BrokenPipeError:
        _leave(BROKEN_PIPE)
    except OSError as error:
        _say(f"{f'{error.filename}: ' if error.filename else ''}{error.strerror or error}")
        _leave(1)
    except RecursionError:
        _say("this is nested too deep")
        _leave(1)
    except MemoryError:
        _say("there is not enough memory")
        _leave(1)
    except Exception as error:  # noqa: BLE001 -- nobody is helped by a traceback who did not write this
        _say(f"archbuilder itself is wrong here, please report it: {_described(error)}")
        _leave(_OWN_FAULT)


def _run(run: Callable[[], None]) -> None:
    """Runs the command, and writes what is still in the buffers, which may fail, too."""
    try:
        run()
    except SystemExit:
        sys.stdout.flush()
        raise


def _described(error: BaseException) -> str:
    """What went wrong, and where: whoever mends it needs no more."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code.co_filename if trace is not None else "?"
    return f"{type(error).__name__}: {error} ({os.path.basename(code)}:{trace.tb_lineno if trace is not None else 0})"  # noqa: PTH119


def _say(message: str) -> None:
    with suppress(OSError):
        complain(message)
        sys.stderr.flush()


def _leave(code: int) -> NoReturn:
    """Ends without writing what cannot be written."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends anyway
    let_output_go()
    raise SystemExit(code)
