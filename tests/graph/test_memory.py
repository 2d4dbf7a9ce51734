"""What an op says of its memory is what torch does."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from archbuilder.graph.answers import Expression, Memory
from archbuilder.graph.op import Op
from archbuilder.graph.shapes import Held, Shape, dimensions
from tests.graph.test_ops import CASES, MAP, TOKENS, Case, computed, identify, made
from tests.memory import kept_by, peak_of


def given(case: Case) -> list[Tensor]:
    """Numbers for the inputs, as a layer before would give them."""
    return [
        torch.rand(*shape.sizes if isinstance(shape, Held) else (1, *dimensions(shape))).requires_grad_()
        for shape in case.inputs
    ]


def applied(op: Op, case: Case, inputs: list[Tensor], *, train: bool = True) -> tuple[Callable[[], Any], list[Tensor]]:
    emitted = op.emit()
    held = [tensor for tensor, shape in zip(inputs, case.inputs, strict=True) if isinstance(shape, Held)]
    if isinstance(emitted, Expression):
        return lambda: computed(emitted, inputs), held
    module = made(emitted).train(train)
    return lambda: module(*inputs if len(inputs) == 1 else [inputs]), [*held, *module.parameters(), *module.buffers()]


COMPUTED = [
    *(
        case
        for case in CASES
        if case.op not in ("norm", "parameter") or case.inputs[:1] == (MAP,) or case.given.get("kind")
    ),
    Case("conv", {"kernel": 2, "padding": "same"}),
    Case("conv", {"kernel": [4, 3], "padding": "same", "bias": True}),
    Case("conv", {"kernel": 5, "padding": "same", "padding_mode": "circular"}),
    Case("conv", {"kernel": 3, "padding": "same", "standardize": 1e-6}),
    Case("conv", {"kernel": 4, "padding": "same", "standardize": 1e-6}),
    Case("add", {}, (MAP, MAP, MAP, MAP)),
    Case("multiply", {}, (MAP, MAP, MAP, MAP)),
    Case("dropout", {"rate": 0.0}),
    Case("attention", {"heads": 3, "dropout": 0.25, "weights": "mean"}, (TOKENS, TOKENS, TOKENS)),
    Case("attention", {"heads": 3, "cosine": True}, (TOKENS, TOKENS, TOKENS)),
]
"""All but batch norm over vectors, which one image has no use for."""


@pytest.mark.parametrize("case", COMPUTED, ids=identify)
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")  # torch says that it costs a copy
def test_what_is_kept_for_the_gradient(case: Case) -> None:
    op, inputs = case.applied(), given(case)
    output = op.infer(case.inputs)
    memory = op.memory(case.inputs, output)
    assert memory is not None
    compute, held = applied(op, case, inputs)
    said = said_to_be_kept(case, memory, output, {*range(len(inputs))})
    found = kept_by(compute, held)
    assert (found / 4, memory) == (said, memory)


def said_to_be_kept(case: Case, memory: Memory, output: Shape, trained: set[int]) -> int:
    """How many numbers are said to be kept where a gradient comes to some inputs."""
    keeps = {*memory.keeps, *(at for at, first, end in memory.keeps_for if trained.intersection(range(first, end)))}
    kept = [case.inputs[at].elements for at in keeps if not isinstance(case.inputs[at], Held)]
    return sum(kept) + memory.keeps_output * output.elements + memory.keeps_beside


OF_AN_IMAGE = [
    *(case for case in COMPUTED if case.op not in ("attention", "multiply") or len(case.inputs) == 2),
    *(
        Case("conv", {"kernel": 5, "padding_mode": mode, "padding": padding, "standardize": eps})
        for mode in ("reflect", "replicate", "circular")
        for padding in (2, "same")
        for eps in (None, 1e-6)
    ),
]


@pytest.mark.parametrize("case", OF_AN_IMAGE, ids=identify)
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
def test_what_is_kept_where_no_gradient_comes_to_an_input(case: Case) -> None:
    op = case.applied()
    output = op.infer(case.inputs)
    memory = op.memory(case.inputs, output)
    assert memory is not None
    for image, shape in enumerate(case.inputs):
        inputs = given(case)
        if isinstance(shape, Held) or (len(inputs) == 1 and not any(each.trained for each in op.state())):
            continue
        inputs[image].requires_grad_(False)
        compute, held = applied(op, case, inputs)
        said = said_to_be_kept(case, memory, output, {*range(len(inputs))} - {image})
        assert (kept_by(compute, held) / 4, memory) == (said, memory)


@pytest.mark.parametrize("case", COMPUTED, ids=identify)
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
def test_what_there_is_at_once(case: Case) -> None:
    op, inputs = case.applied(), given(case)
    output = op.infer(case.inputs)
    memory = op.memory(case.inputs, output)
    assert memory is not None
    compute, held = applied(op, case, inputs, train=False)
    taken = sum(shape.elements for shape in case.inputs if not isinstance(shape, Held))
    is_view = memory.is_view or op.role == "regularisation"
    said = taken + output.elements * (not is_view) + memory.beside
    assert (peak_of(compute, inputs, held) / 4, memory) == (said, memory)
