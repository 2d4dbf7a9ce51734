"""The DOT text of a few networks, compared as a whole.

With ARCHBUILDER_GOLDEN=write in the environment the expected texts in `golden/` are written anew; read the diff, and look
at the pictures.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import archbuilder
from archbuilder.analysis.summary import Depth

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize(
    ("name", "depth"),
    [
        ("resnet50", "stage"),
        ("cifar_resnet20", "block"),
        ("cifar_resnet20", "layer"),
        ("d2l_resnet18", "layer"),
        ("cifar_plain20", "layer"),
        ("googlenet", "stage"),
        ("hrnet_w18_small", "block"),
    ],
)
def test_the_dot_text_is_as_expected(name: str, depth: Depth) -> None:
    found = archbuilder.render(archbuilder.lower(name), format="dot", depth=depth).decode()
    expected = GOLDEN / f"{name}-{depth}.dot"
    if os.environ.get("ARCHBUILDER_GOLDEN") == "write":
        expected.write_text(found)
    assert found == expected.read_text()
