"""How weights are drawn, as the spec says it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import archbuilder
from archbuilder import SpecError, check
from archbuilder.parameters import INITIALISATIONS

REPVGG = """
name: repvgg
input: {channels: 64, size: 8}
defaults: {norm: {init: {normal: 0.1, mean: 0.1}, bias_init: {normal: 0.1}}}
blocks:
  branches:
    body:
      identity: norm
      conv_kxk: {from: input, body: {conv: {block: conv, kernel: 3}, bn: norm}}
      conv_1x1: {from: input, body: {conv: {block: conv, kernel: 1}, bn: norm}}
      sum: {block: add, from: [identity, conv_kxk, conv_1x1]}
      act: activation
stages: {stage1: {block: branches, depth: 40}}
"""
"""timm 1.0.31's `RepVggBlock`: each norm's weight is of N(0.1, 0.1), its bias of N(0, 0.1)."""


def built(text: str) -> nn.Module:
    torch.manual_seed(0)
    return archbuilder.build(check("net.yaml", text=text).architecture)


def norms(model: nn.Module, tensor: str) -> Tensor:
    return torch.cat([getattr(each, tensor).detach() for each in model.modules() if isinstance(each, nn.BatchNorm2d)])


def test_norms_of_repvgg() -> None:
    model = built(REPVGG)
    assert norms(model, "weight").mean().item() == pytest.approx(0.1, abs=0.005)
    assert norms(model, "weight").std().item() == pytest.approx(0.1, rel=0.05)
    assert norms(model, "bias").mean().item() == pytest.approx(0.0, abs=0.005)
    assert norms(model, "bias").std().item() == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize(
    ("init", "mean", "deviation"),
    [
        ("{normal: 0.5, mean: -3}", -3, 0.5),
        ("{mean: 1, truncated_normal: 0.1}", 1, 0.1),
        ("{truncated_normal: 0.1, mean: 3}", 3, 0.1),
        ("{truncated_normal: 0.1, mean: -50}", -50, 0.1),
        ("{normal: 0, mean: 2}", 2, 0),
        ("{normal: 0.5}", 0, 0.5),
    ],
)
@pytest.mark.parametrize(
    ("step", "tensor"),
    [
        ("{block: conv, kernel: 1, width: 64, init: INIT}", "weight"),
        ("{block: conv, kernel: 1, groups: 4096, bias: true, bias_init: INIT}", "bias"),
        ("{block: norm, kind: layer, init: INIT}", "weight"),
        ("{block: norm, kind: group, bias_init: INIT}", "bias"),
    ],
)
def test_a_mean_stands_beside_a_deviation(step: str, tensor: str, init: str, mean: float, deviation: float) -> None:
    model = built(f"name: net\ninput: {{channels: 4096, size: 1}}\nstages: {{s: {step.replace('INIT', init)}}}")
    drawn = getattr(model.s, tensor).detach()
    assert drawn.mean().item() == pytest.approx(mean, abs=0.1 * deviation)
    assert drawn.std().item() == pytest.approx(deviation, rel=0.1)


@pytest.mark.parametrize("mean", [0, 0.5, 3, -7])
def test_a_truncated_normal_is_cut_two_from_its_mean(mean: float) -> None:
    """So wide a one is cut much, and evenly: its deviation is that of an even distribution of width 4, nearly."""
    step = f"{{block: norm, init: {{truncated_normal: 20, mean: {mean}}}}}"
    model = built(f"name: net\ninput: {{channels: 4096, size: 1}}\nstages: {{s: {step}}}")
    for _ in range(2):
        drawn = model.s.weight.detach()
        assert drawn.min().item() == pytest.approx(mean - 2, abs=0.01)
        assert drawn.max().item() == pytest.approx(mean + 2, abs=0.01)
        assert drawn.std().item() == pytest.approx(4 / 12**0.5, rel=0.05)
        model.reset_parameters()  # draws anew


def test_a_scale_that_begins_at_zero_does_so_whatever_defaults_say() -> None:
    model = built(
        "name: net\ninput: {channels: 8, size: 4}\ndefaults: {norm: {init: {constant: 0.5}}, basic: {zero_init: true}}\n"
        "stages: {a: {block: basic, width: 8}}"
    )
    assert [norm.weight.detach().mean().item() for norm in (model.a.bn1, model.a.bn2)] == [0.5, 0.0]


USES = [
    ("conv", "kernel: 3", "init"),
    ("conv", "kernel: 3, bias: true", "bias_init"),
    ("linear", "width: 4", "init"),
    ("linear", "width: 4", "bias_init"),
    *(
        ("norm", f"kind: {kind}", init)
        for kind in ("batch", "group, groups: 2", "layer")
        for init in ("init", "bias_init")
    ),
]
"""A block, what it is told, and how one of its tensors is told to be drawn."""
FANS = [kind for kind in INITIALISATIONS if "kaiming" in kind]


def drawn_as(block: str, told: str, init: str, kind: str, *, by_default: bool) -> str:
    step = f"{{block: {block}, {told}}}" if by_default else f"{{block: {block}, {told}, {init}: {kind}}}"
    defaults = f"defaults: {{{block}: {{{init}: {kind}}}}}\n" if by_default else ""
    before = "pool: global_pool, " if block == "linear" else ""
    return f"name: net\ninput: {{channels: 8, size: 4}}\n{defaults}stages: {{{before}a: {step}}}"


@pytest.mark.parametrize(("block", "told", "init"), USES)
@pytest.mark.parametrize("by_default", [False, True])
def test_what_check_lets_pass_is_drawn(block: str, told: str, init: str, by_default: bool) -> None:
    """Weights have channels in and out, those of a convolution groups too; biases and norms have neither."""
    can = {
        ("conv", "init"): INITIALISATIONS,
        ("linear", "init"): [each for each in INITIALISATIONS if "group" not in each],
    }
    for kind in INITIALISATIONS:
        text = drawn_as(block, told, init, kind, by_default=by_default)
        if kind not in FANS or kind in can.get((block, init), ()):
            built(text)
            continue
        with pytest.raises(SpecError) as caught:
            check("net.yaml", text=text)
        (mistake,) = caught.value.diagnostics
        tensor = "bias" if init == "bias_init" else "weight"
        assert mistake.message.startswith(f"the {tensor} of {block} has no {kind} initialisation: that takes ")
        assert mistake.place is not None
        assert (mistake.place.line, mistake.place.column) == place_of(text, kind)


def place_of(text: str, word: str) -> tuple[int, int]:
    before = text[: text.index(word)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


@pytest.mark.parametrize(
    ("init", "message"),
    [
        ("{uniform: 0.1, mean: 1}", "`init` must be one of default, kaiming_fan_in"),
        ("{mean: 1}", "`init` must be one of default, kaiming_fan_in"),
        ("{normal: 0.1, mean: x}", "`init` must be one of default, kaiming_fan_in"),
        ("{normal: 0.1, mean: 1.0e+39}", "`mean` of `init` must be no further from 0 than 1e+38, got 1e+39"),
        ("{normal: -0.1, mean: 1}", "`normal` of `init` must be at least 0, got -0.1"),
        ("ones, zero_init: true", "`init` of `norm` has no effect beside `zero_init`"),
    ],
)
def test_what_cannot_be_drawn_is_a_diagnostic(init: str, message: str) -> None:
    text = f"name: net\ninput: {{channels: 8, size: 4}}\nstages: {{a: {{block: norm, init: {init}}}}}"
    with pytest.raises(SpecError) as caught:
        check("net.yaml", text=text)
    (mistake,) = caught.value.diagnostics
    assert mistake.message.startswith(message)
