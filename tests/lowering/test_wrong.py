"""Specs that can be read, but make no network: the report of each, word by word."""

from pathlib import Path

import pytest

from tests import wrong_specs

FOLDER = Path(__file__).parent / "wrong"
NAMES = wrong_specs.names(FOLDER)


@pytest.mark.parametrize("name", NAMES)
def test_report(name: str) -> None:
    wrong_specs.compare(FOLDER, name)


@pytest.mark.parametrize("name", NAMES)
def test_manners(name: str) -> None:
    wrong_specs.check_manners(FOLDER, name)


def test_every_report_has_its_spec() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.txt")) == NAMES
