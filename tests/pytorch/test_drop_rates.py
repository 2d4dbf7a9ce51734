"""How often each block drops its path."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from archbuilder import build

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
