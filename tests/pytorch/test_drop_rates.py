"""How often each block drops its path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from archbuilder import build, check

RATES = {
    ("resnet18", "linear"): [0.0, 0.028571, 0.057143, 0.085714, 0.114286, 0.142857, 0.171429, 0.2],
    ("pvt_v2_b0", "linear"): [
        0.0, 0.0, 0.028571, 0.028571, 0.057143, 0.057143, 0.085714, 0.085714, 0.114286, 0.114286, 0.142857, 0.142857, 0.171429,
        0.171429, 0.2, 0.2,
    ],
    ("mobilenet_v2", "linear_exclusive"): [
        0.023529, 0.047059, 0.058824, 0.082353, 0.094118, 0.105882, 0.129412, 0.141176, 0.164706, 0.176471,
    ],
    ("efficientnet_b0", "linear_exclusive"): [0.025, 0.05, 0.075, 0.0875, 0.1125, 0.125, 0.15, 0.1625, 0.175],
}  # fmt: skip
"""Of the blocks with a shortcut: timm 1.0.31, `drop_path_rate=0.2`. MobileNet V2 and EfficientNet have blocks without one."""


def drop_rates(model: nn.Module) -> list[float]:
    return [module.rate for module in model.modules() if type(module).__name__ == "DropPath"]


@pytest.mark.parametrize(("name", "schedule"), RATES)
def test_drop_rates_are_those_of_timm(name: str, schedule: str) -> None:
    with torch.device("meta"):
        model = build(name, **{"defaults.drop_path": {"rate": 0.2, "schedule": schedule}})
    assert drop_rates(model) == pytest.approx(RATES[name, schedule], abs=1e-6)


def test_a_block_without_a_shortcut_counts_where_rates_grow(tmp_path: Path) -> None:
    """Also where it stands alone, at the beginning or the end; not where no path would be dropped anyway."""
    blocks = "a: {block: inverted_residual, width: 8}, b: {block: inverted_residual, width: 16, depth: 3}"
    blocks += ", c: {block: mbconv, width: 8}"
    path = tmp_path / "net.yaml"
    text = f"name: net\ninput: {{channels: 4, size: 8}}\nstages: {{{blocks}}}\n"
    path.write_text(f"{text}defaults: {{drop_path: 0.4}}\n")
    assert drop_rates(build(path)) == pytest.approx([0.2, 0.3])
    path.write_text(f"{text}defaults: {{inverted_residual: {{drop_path: 0.4}}}}\n")
    assert drop_rates(build(path)) == pytest.approx([0.4 * 2 / 3, 0.4])


BASICS = "defaults: {drop_path: 0.3}\nstages:\n  a: {block: basic, width: 3, depth: 2}\n"


@pytest.mark.parametrize(
    ("steps", "rates"),
    [
        ("  b: {block: basic, width: 3, inline: true}\n  c: {block: basic, width: 3}\n", [0, 0.1, 0.2, 0.3]),
        ("  b: drop_path\n  c: {block: basic, width: 3}\n", [0, 0.1, 0.2, 0.3]),
        ("  c: {block: basic, width: 3}\n  b: drop_path\n", [0, 0.1, 0.2, 0.3]),
        ("  b: drop_path\n  c: drop_path\n", [0, 0.1, 0.2, 0.3]),
        ("  f.0: norm\n  f.1: drop_path\n  f.2: drop_path\n", [0, 0.1, 0.2, 0.3]),
        ("  b: {inline: true, body: {n: norm, p: drop_path, q: drop_path}}\n  c: drop_path\n", [0, 0.1, 0.2, 0.2, 0.3]),
        ("  b: {body: {n: {block: basic, width: 3}, p: drop_path}}\n", [0, 0.1, 0.2, 0.3]),
        ("  b: {block: mbconv, width: 4, inline: true}\n  c: drop_path\n", [0, 0.1, 0.3]),
    ],
    ids=[
        "inline",
        "a step",
        "the last",
        "two",
        "in a chain",
        "two of one block",
        "behind a block",
        "without a shortcut",
    ],
)
def test_a_path_dropped_in_the_network_itself_counts_where_it_stands(steps: str, rates: list[float]) -> None:
    model = build(check("net.yaml", text=f"name: net\ninput: {{size: 8}}\n{BASICS}{steps}").architecture).eval()
    found: list[float] = []
    for module in model.modules():
        if type(module).__name__ == "DropPath":
            module.register_forward_hook(lambda module, *_: found.append(module.rate))
    model(torch.rand(1, 3, 8, 8))
    assert found == pytest.approx(rates)


@pytest.mark.parametrize(
    ("name", "features"),
    [("resnet18", "layer2"), ("efficientnet_b0", 2), ("convnext_tiny", [0, 1])],
)
def test_a_backbone_drops_its_paths_as_the_network_does(name: str, features: Any) -> None:
    with torch.device("meta"):
        whole, backbone = (build(name, features=each, **{"defaults.drop_path.rate": 0.2}) for each in (None, features))
    kept = {key.rpartition(".")[0] for key, _ in backbone.named_modules()}
    rates = {key: module.rate for key, module in whole.named_modules() if type(module).__name__ == "DropPath"}
    assert drop_rates(backbone) == [rate for key, rate in rates.items() if key.rpartition(".")[0] in kept]


def test_what_is_cut_out_of_a_backbone_drops_its_paths_as_the_network_does() -> None:
    with torch.device("meta"):
        model = build("resnet18", **{"defaults.drop_path.rate": 0.2})
        before = drop_rates(model)
        model.reset_classifier(0, "")
    assert drop_rates(model) == before
