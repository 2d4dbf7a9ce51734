"""What the project promises of its own speed, always as a ratio to something measured in the same run."""

import subprocess
import sys
from pathlib import Path

import pytest

# The aims are 3, 20 and 2 (see benchmarks/README.md). The bounds leave room for a busy machine.
pytestmark = pytest.mark.slow  # it measures time, so nothing else should run beside it


def measured(ratio: str, benchmark: str = "analysis_speed") -> float:
    """A ratio of a benchmark, in a process of its own: what other tests left in this one's memory slows Python more than
    torch."""
    code = f"from benchmarks import {benchmark}; print({benchmark}.{ratio}())"
    root = Path(__file__).parents[1]
    return float(subprocess.run([sys.executable, "-c", code], cwd=root, check=True, capture_output=True).stdout)


def test_check_costs_little_more_than_its_imports() -> None:
    assert measured("check_over_imports") <= 3.5


def test_analysis_is_instant_beside_running_the_network() -> None:
    assert measured("torchinfo_over_analysis") >= 15


def test_a_drawing_costs_little_more_than_its_imports() -> None:
    assert measured("render_over_imports") <= 4


def test_no_network_of_the_zoo_is_laid_out_slowly() -> None:
    assert measured("layout_over_imports") <= 0.6  # 50 ms are 0.43 of these


def test_a_drawing_costs_by_its_edges() -> None:
    assert measured("drawing_80_over_20") <= 12


def test_lowering_costs_by_what_is_different_and_not_by_depth() -> None:
    assert measured("lowering_1202_over_20") <= 2


def test_a_network_with_its_weights_is_built_faster_than_torchvision_makes_it() -> None:
    assert measured("theirs_over_ours", "weights_speed") >= 4


def test_a_network_with_its_weights_takes_no_more_memory() -> None:
    assert measured("ours_over_theirs_in_memory", "weights_speed") <= 1
