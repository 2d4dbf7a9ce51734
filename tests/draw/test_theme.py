"""Colours: readable, and told apart by everybody."""

from __future__ import annotations

import itertools
import math

import pytest

from archbuilder.draw.options import THEMES, Theme
from archbuilder.draw.theme import inks

ROLES = (
    "input", "stem", "stage", "neck", "head", "convolution", "linear", "norm", "activation", "pool", "combine", "block",
    "attention", "other",
)  # fmt: skip
PLAIN = ("ground", "text", "quiet", "line", "faint", "parameters", "macs", "activations", "training")
BARS = ("parameters", "macs", "activations")
TOGETHER = (
    ("input", "stem", "stage", "neck", "head"),
    ("convolution", "linear", "norm", "activation", "pool", "attention"),
    BARS,
)
"""What stands side by side, and is to be told apart by its fill."""

SEEN: dict[str, tuple[tuple[float, float, float], ...]] = {
    "by most": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "without red": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "without green": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "without blue": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}
"""What becomes of light in the eyes of the colour-blind: Machado, Oliveira and Fernandes (2009), at full strength."""


def light(color: str) -> list[float]:
    """Red, green and blue as amounts of light."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def brightness(red: float, green: float, blue: float) -> float:
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, as WCAG defines it: 1 to 21."""
    darker, brighter = sorted(brightness(*light(color)) for color in (one, other))
    return (brighter + 0.05) / (darker + 0.05)


def place(color: str, eyes: str) -> tuple[float, float, float]:
    """A colour in CIELAB, where distances are how different colours look."""
    seen = [sum(share * part for share, part in zip(row, light(color), strict=True)) for row in SEEN[eyes]]
    red, green, blue = (min(1, max(0, part)) for part in seen)
    weights = ((0.4339, 0.3762, 0.1899), (0.2126, 0.7152, 0.0722), (0.0177, 0.1095, 0.8728))  # X, Y, Z of white are 1
    sums = (x * red + y * green + z * blue for x, y, z in weights)
    x, y, z = (each ** (1 / 3) if each > 0.008856 else 7.787 * each + 16 / 116 for each in sums)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("theme", THEMES)
def test_every_ink_is_there_and_no_other(theme: Theme) -> None:
    table = inks(theme)
    assert set(table) == {
        *PLAIN,
        *(f"{role}{what}" for role in ROLES for what in ("", " line", " text", " top", " side")),
    }
    assert all(len(color) == 7 and int(color[1:], 16) >= 0 and color == color.lower() for color in table.values())


@pytest.mark.parametrize("theme", THEMES)
def test_texts_are_readable(theme: Theme) -> None:
    table = inks(theme)
    pairs = [(f"{role} text", role) for role in ROLES]
    pairs += [(ink, fill) for ink in ("text", "quiet") for fill in ("ground", *ROLES)]
    pairs += [("training", "ground")]
    assert [pair for pair in pairs if contrast(*map(table.get, pair)) < 7] == []


@pytest.mark.parametrize("theme", THEMES)
def test_lines_and_bars_are_seen(theme: Theme) -> None:
    table = inks(theme)
    pairs = [(f"{role} line", fill) for role in ROLES for fill in (role, "ground", f"{role} top", f"{role} side")]
    pairs += [(ink, "ground") for ink in (*BARS, "line", "training")]
    assert [pair for pair in pairs if contrast(*map(table.get, pair)) < 3] == []


@pytest.mark.parametrize("theme", THEMES)
def test_light_comes_from_above(theme: Theme) -> None:
    table = inks(theme)
    for role in ROLES:
        top, front, side = (brightness(*light(table[ink])) for ink in (f"{role} top", role, f"{role} side"))
        assert top >= front > side, role


@pytest.mark.parametrize("eyes", SEEN)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_hues_stay_apart_for_the_colour_blind(theme: Theme, eyes: str) -> None:
    table = inks(theme)
    for group in TOGETHER:
        for one, other in itertools.combinations(group, 2):
            assert math.dist(place(table[one], eyes), place(table[other], eyes)) > 9.5, (one, other)


def test_print_is_grey() -> None:
    table = inks("print")
    assert all(color[1:3] == color[3:5] == color[5:7] for color in table.values())
    assert table["ground"] == "#ffffff"
    for one, other in itertools.combinations(BARS, 2):
        assert contrast(table[one], table[other]) > 1.5, (one, other)
