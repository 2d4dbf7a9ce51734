"""A block of one's own, misused: one change to a spec that is right, and the report of each, word by word.

``ARCHBUILDER_REGENERATE=1 pytest tests/lowering/test_own_block.py`` writes the reports anew; read them as a user would.
"""

from difflib import ndiff
from pathlib import Path

import pytest

from archbuilder import check
from archbuilder.analysis.table import stage_table
from tests import wrong_specs

FOLDER = Path(__file__).parent / "own_block"
NAMES = [name for name in wrong_specs.names(FOLDER) if name != "right"]


def test_used_as_meant() -> None:
    summary = check(FOLDER / "right.yaml").summary
    assert summary.output_shape == (64, 16, 16)


@pytest.mark.parametrize("name", NAMES)
def test_report(name: str) -> None:
    wrong_specs.compare(FOLDER, name)


@pytest.mark.parametrize("name", NAMES)
def test_manners(name: str) -> None:
    wrong_specs.check_manners(FOLDER, name)


@pytest.mark.parametrize("name", NAMES)
def test_one_change_one_report(name: str) -> None:
    right, wrong = ((FOLDER / f"{each}.yaml").read_text("utf-8").splitlines()[1:] for each in ("right", name))
    assert len([line for line in ndiff(right, wrong) if line[0] in "+-"]) <= 2
    assert len(wrong_specs.mistakes(FOLDER, name)) == 1


def test_every_report_has_its_spec() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.txt")) == NAMES
    assert len(NAMES) >= 20


def test_a_width_that_is_meant_as_the_inner_one_shows_in_the_table() -> None:
    """torchvision's `planes` is the inner width; whoever writes `width: 64` for it reads 16 in the table of `check`."""
    text = "name: habit\nstages: {layer1: {block: bottleneck, width: 64, depth: 3}}"
    rows = stage_table(check("habit.yaml", text=text).summary)
    assert [line.split() for line in rows.splitlines()] == [
        ["name", "block", "repeats", "inner", "width", "output"],
        ["layer1", "bottleneck", "3", "16", "64", "64×224×224"],
    ]
