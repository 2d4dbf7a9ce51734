"""What the project promises of its own speed, always as a ratio to something measured in the same run."""

import pytest

from benchmarks import analysis_speed

pytestmark = pytest.mark.slow  # it measures time, so nothing else should run beside it


def test_check_costs_little_more_than_its_imports() -> None:
    assert analysis_speed.check_over_imports() <= 3


def test_analysis_is_instant_beside_running_the_network() -> None:
    assert analysis_speed.torchinfo_over_analysis() >= 20


def test_lowering_costs_by_what_is_different_and_not_by_depth() -> None:
    assert analysis_speed.lowering_1202_over_20() <= 2
