"""What comes before all imports where this process is the command: while they run, an interrupt ends it quietly.

Python would print where it was. For everybody else who imports the package nothing is changed.
"""

import signal
import sys


def is_command() -> bool:
    """Whether this process is `archbuilder`, or `python -m archbuilder`, of which Python has read no more yet than that."""
    if sys.argv[:1] == ["-m"]:
        return "archbuilder" in sys.orig_argv
    program = sys.argv[0] if sys.argv else ""
    return program.replace("\\", "/").rpartition("/")[2].partition(".")[0] == "archbuilder"


def be_quiet() -> None:
    """Leaves interrupts to the system, unless whoever started this process has them ignored."""
    if is_command() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


be_quiet()
