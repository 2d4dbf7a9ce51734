"""Texts that are chosen by what they reach: those that reach code which none before did are changed further (libFuzzer)."""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["archbuilder"]):  # in what these import
    from tests.fuzz.__main__ import keep
    from tests.fuzz.mutants import mutant, seeds
    from tests.fuzz.verdict import verdict

SAID: Counter[str] = Counter()
CHANCE = random.Random(0)
BUILT = 0.02
"""The share of texts that are built as well: that takes a hundred times longer, and mutants do it always."""
SMALL = 3_000
"""Characters of the texts to begin with."""


def judge_bytes(data: bytes) -> None:
    """Judges what libFuzzer gives."""
    text = data.decode("utf-8", "replace")
    try:
        SAID[verdict(text, builds=CHANCE.random() < BUILT)] += 1
    except BaseException as error:
        keep(text, error)
        raise


def changed(data: bytes, maximum: int, seed: int) -> bytes:
    """A text that was kept, changed as mutants are, or byte by byte now and then."""
    chance = random.Random(seed)
    if chance.random() < 0.1:
        return bytes(atheris.Mutate(data, maximum))
    return mutant(chance, data.decode("utf-8", "replace") or None).encode("utf-8", "replace")[:maximum]


def main() -> None:
    """Begins with the seeds, and goes on for as long as libFuzzer is told."""
    with tempfile.TemporaryDirectory() as folder:
        for number, text in enumerate(each for each in seeds() if len(each) <= SMALL):
            (Path(folder) / f"{number}.yaml").write_text(text, "utf-8")
        atheris.Setup([*sys.argv, "-max_len=6000", "-rss_limit_mb=6000", "-timeout=60", "-print_final_stats=1",
            f"-artifact_prefix={folder}/", folder], judge_bytes, custom_mutator=changed)  # fmt: skip
        atheris.Fuzz()


if __name__ == "__main__":
    main()
