"""One way of timing for all benchmarks: in turns, the fastest of several."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping


def fastest(candidates: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Seconds of the fastest call of each.

    Each round calls all of them, so that a machine that slows down slows down all; and each round begins with another
    one, so that none is always the one after the same neighbour. One round before the first warms up.
    """
    names = list(candidates)
    best = dict.fromkeys(names, float("inf"))
    for turn in range(rounds + 1):
        start = turn % len(names)
        for name in names[start:] + names[:start]:
            started = time.perf_counter()
            candidates[name]()
            seconds = time.perf_counter() - started
            if turn:
                best[name] = min(best[name], seconds)
    return best
