"""Loops of a body: what they run over."""

from __future__ import annotations

from archbuilder.language.models import Loop, Step
from archbuilder.language.values import MAXIMUM_REPEATS
from archbuilder.lower.evaluation import Evaluation, GiveUp
from archbuilder.lower.frame import Frame
from archbuilder.parameters import describe


def turns_of(loop: Loop, step: Step, frame: Frame, evaluation: Evaluation) -> range:
    """The numbers that a loop runs over.

    Raises:
        GiveUp: if it cannot run; that is reported.
    """
    at = step.name_place
    start, stop = (evaluation.evaluate(bound, frame, at) for bound in (loop.start, loop.stop))
    for bound in (start, stop):
        if type(bound) is not int:
            message = f"a loop runs over whole numbers, got {describe(bound)}"
            evaluation.error(frame, "bad-loop", message, at)
            raise GiveUp
    if stop - start > MAXIMUM_REPEATS:
        message = f"a loop has at most {MAXIMUM_REPEATS:,} turns, this one has {stop - start:,}"
        evaluation.error(frame, "bad-loop", message, at)
        raise GiveUp
    if loop.variable in (*frame.variables, "repeat", "here"):
        message = f"`{loop.variable}` is the name of another variable here"
        evaluation.error(frame, "shadowed", message, at, "give the loop's variable another name")
        raise GiveUp
    return range(start, stop)
