"""The shipped blocks as files."""

from pathlib import Path

import pytest
import yaml

from archbuilder.language import zoo
from archbuilder.language.blocks import shipped_files, shipped_table, text_of_block

PATHS = sorted(zoo.BLOCKS.glob("*.yaml"))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_names_in_the_text_are_those_of_the_yaml(path: Path) -> None:
    found = [name for name, file in shipped_files().items() if file == path]
    assert found == list(yaml.safe_load(path.read_text("utf-8"))["blocks"])


def test_no_name_is_in_two_files() -> None:
    assert len(shipped_files()) == sum(len(yaml.safe_load(path.read_text("utf-8"))["blocks"]) for path in PATHS)


def test_a_block_is_shown_as_it_is_written() -> None:
    assert yaml.safe_load(text_of_block("pad"))["blocks"]["pad"] == dict(shipped_table("pad"))
