"""Looks for texts that break something: `make fuzz MINUTES=5`, or `python -m tests.fuzz --minutes 5`.

Half of the time goes to mutants of specs, half to texts that reach code which no other one reached, if `atheris` is installed;
otherwise mutants get all of it. What is found is written to `build/fuzz/`, beside the exception, and the run ends with 1.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import subprocess
import sys
import time
import traceback
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

FINDINGS = Path(__file__).parents[2] / "build" / "fuzz"


def keep(text: str, error: BaseException) -> None:
    """Writes a finding to a file of its own."""
    FINDINGS.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    said = "".join(traceback.format_exception(error))
    (FINDINGS / f"{name}.yaml").write_text(text, "utf-8", errors="surrogatepass")
    (FINDINGS / f"{name}.txt").write_text(said, "utf-8", errors="backslashreplace")
    print(f"found build/fuzz/{name}.yaml: {type(error).__name__}: {str(error)[:200]}", flush=True)


def try_mutants(seconds: float, seed: int) -> int:
    """Judges mutants for some time; how many of them broke something."""
    from tests.fuzz.mutants import mutant
    from tests.fuzz.verdict import verdict

    chance, said, found = random.Random(seed), Counter[str](), 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        text = mutant(chance)
        try:
            said[verdict(text)] += 1
        except Exception as error:  # noqa: BLE001 -- whatever is raised is a finding
            keep(text, error)
            found += 1
    counts = ", ".join(f"{count:,} {kind}" for kind, count in said.items())
    print(f"mutants (seed {seed}): {said.total() + found:,} texts ({counts}), {found} findings", flush=True)
    return found


def follow_coverage(seconds: float, seed: int) -> int:
    """The same with texts that are chosen by what they reach, in a process of its own; 1 where something broke."""
    command = [sys.executable, "-m", "tests.fuzz.guided", f"-max_total_time={max(1, round(seconds))}", f"-seed={seed}"]
    done = subprocess.run(
        command, check=False, env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    )
    return int(done.returncode != 0)


def main() -> int:
    """Runs both for the time that is said; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Look for texts that break something.")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    wanted = parser.parse_args()
    is_guided = find_spec("atheris") is not None
    seconds = 60 * wanted.minutes / (2 if is_guided else 1)
    found = try_mutants(seconds, wanted.seed)
    if is_guided:
        found += follow_coverage(seconds, wanted.seed)
    else:
        print("texts by coverage: left out, since atheris is not installed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
