"""How `forward` walks through lists of modules: `for i, branch in enumerate(self.branches)`, as TorchScript can follow it too."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from archbuilder.pytorch.constructor import Computed, python_name
from archbuilder.pytorch.formulas import rebuilt
from archbuilder.pytorch.plans import Item, Loop, Reference, Step, steps_in


@dataclass(frozen=True)
class Walked:
    """A list that a loop walks through: its modules, or, where it `is_row`, lists of them for the loops inside."""

    label: str
    is_row: bool

    @property
    def element(self) -> str:
        """What one of it is called: `branch` of `branches`."""
        if self.is_row:
            return "row"
        if self.label.endswith(("ches", "shes", "sses", "xes")):
            return self.label[:-2]
        if self.label.endswith("s") and not self.label.endswith("ss"):
            return self.label[:-1]
        return f"{self.label}_layer" if self.label else "layer"


def walked(loop: Loop, depth: int, order: Sequence[str | Loop], every: Sequence[Step]) -> Iterator[Walked]:
    """The lists that a loop in `depth` others walks through from end to end: what is in them is made there, and nowhere else.
    A list without a name is the class itself, if it has no other children."""
    inside = [step for step in steps_in([loop]) if step.made is not None and step.numbers[depth:]]
    for label in dict.fromkeys(step.label for step in inside):
        here = [step for step in inside if step.label == label]
        kinds = {(len(step.numbers), step.numbers[depth]) for step in here}
        alone = len(here) == filling(label, every) and (label != "" or len(order) == 1)
        if alone and len(kinds) == 1 and here[0].numbers[depth] == loop.variable:
            yield Walked(label, is_row=len(here[0].numbers) > depth + 1)


def joined_turns(items: Sequence[Item]) -> tuple[Item, ...]:
    """Items in which neighbours that fill one list in the same way are one loop: `for i in n`, and `for i in n .. m`."""
    return _joined(items, list(steps_in(items)))


def _joined(items: Sequence[Item], every: Sequence[Step]) -> tuple[Item, ...]:
    found: list[Item] = []
    for _, run in groupby(items, key=_filled):
        same = list(run)
        loops = [item for item in same if isinstance(item, Loop)]
        first = next(steps_in(loops or same))
        if len(same) > 1 and loops and len(same) == filling(first.label, every) and _filled(same[0]) is not None:
            found.append(replace(loops[0], items=(first,)))
        else:
            found += [
                replace(each, items=_joined(each.items, every)) if isinstance(each, Loop) else each for each in same
            ]
    return tuple(found)


def filling(label: str, every: Sequence[Step]) -> int:
    """How many steps append modules to a list."""
    return sum(step.label == label and step.made is not None and bool(step.numbers) for step in every)


def _filled(item: Item) -> object:
    """The list that an item fills, and in which way: equal for two items that do the same, each by its own number. None for an
    item that does more than that."""
    step = item.items[0] if isinstance(item, Loop) and len(item.items) == 1 else item
    if not isinstance(step, Step) or step.made is None or not step.listed:
        return None
    return step.label, step.listed, [_by_own(each, step.numbers[-1]) for each in step.inputs]


def _by_own(reference: Reference, number: str) -> object:
    """What is read, in words that are the same wherever it is read by the step's own number."""
    if not isinstance(reference.item, Computed) or reference.item.tree is None:
        return reference
    own = rebuilt(reference.item.tree, lambda each: _OWN if _is_called(each, number) else None)
    return reference.name, ast.dump(own)


_OWN: Final = ast.Name("own number", ast.Load())


def _is_called(tree: ast.AST, name: str) -> bool:
    return isinstance(tree, ast.Name) and python_name(tree.id) == name
