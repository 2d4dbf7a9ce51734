"""Plain scalars are those of YAML 1.2, not of 1.1: no surprises with `no`, `1e-5` and `010`."""

from typing import Any

import pytest

from archbuilder.language.reader import resolve_scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("False", False),
        ("0", 0),
        ("-3", -3),
        ("+3", 3),
        ("25_557_032", 25_557_032),
        ("010", 10),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("1e-5", 1e-5),
        ("1_000.5", 1000.5),
    ],
)
def test_values(text: str, value: Any) -> None:
    assert resolve_scalar(text) == value
    assert type(resolve_scalar(text)) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "no", "yes", "on", "off", "y", "n", "NO", "nULL", "tRUE", "1_", "_1", "1__0", "1:30", "2024-01-01",
        "1.2.3", "1e", "0x", "0xg", "0o8", "--1", ".", "-", ".inf", ".nan", "nan", "infinity", "١٢", "resnet50",
    ],
)  # fmt: skip
def test_texts(text: str) -> None:
    assert resolve_scalar(text) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [("9" * 301, "this number has more than 300 digits"), ("1e999", "this number is too large")],
)
def test_numbers_without_bounds(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        resolve_scalar(text)
