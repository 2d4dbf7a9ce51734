"""The kinds of values that fields of a spec hold, as pydantic types with errors in our own words."""

from __future__ import annotations

import keyword
from collections import Counter
from typing import Annotated, Any, Final

from pydantic import AfterValidator, PlainSerializer, PlainValidator

from archbuilder.language.formula import is_formula
from archbuilder.language.validation import Misfit, compute_later, copied, read_formulas
from archbuilder.parameters import describe

MAXIMUM_REPEATS: Final = 10_000


def _check_count(value: Any) -> Any:
    if is_formula(value):
        return compute_later(value)
    if type(value) is not int or value < 1:
        raise Misfit(f"expected a whole number, 1 or more, got {describe(value)}")
    if value > MAXIMUM_REPEATS:
        raise Misfit(f"expected at most {MAXIMUM_REPEATS:,}, got {describe(value)}")
    return value


def _check_condition(value: Any) -> Any:
    if is_formula(value):
        return compute_later(value)
    if type(value) is not bool:
        raise Misfit(f"expected true, false or an expression, got {describe(value)}")
    return value


def _check_text(value: Any) -> Any:
    if not isinstance(value, str):
        raise Misfit(f"expected a text, got {describe(value)}", _quote_it(value))
    return compute_later(value)


def _check_word(value: Any) -> Any:
    if not isinstance(value, str):
        raise Misfit(f"expected a text, got {describe(value)}", _quote_it(value))
    if "$" in value:
        raise Misfit("an expression cannot be used here")
    return value


def _quote_it(value: Any) -> str:
    return f'in quotes it is a text: "{describe(value)}"' if isinstance(value, int | float) else ""


def _check_names(value: Any) -> Any:
    texts = _texts(
        value, "the name of a step", "steps are named, not counted; without `from` a step takes the one before"
    )
    return [compute_later(name) for name in texts]


def _check_files(value: Any) -> Any:
    return [_check_word(name) for name in _texts(value, "the path of a file")]


def _texts(value: Any, what: str, help: str = "") -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts) or not texts:
        raise Misfit(f"expected {what} or a list of them, got {describe(value)}", help)
    return list(texts)


def _check_anything(value: Any) -> Any:
    whole = [copied(value)]
    read_formulas(whole, None)
    return whole[0]


def _check_side(value: Any) -> int:
    if type(value) is not int or not 1 <= value <= 2**20:
        raise Misfit(f"expected a whole number from 1 to {2**20:,}, got {describe(value)}")
    return value


def _check_image_size(value: Any) -> Any:
    if isinstance(value, str):
        message = f"expected a whole number or a pair [height, width], got {describe(value)}"
        raise Misfit(message, "as in `size: 224` or `size: [224, 320]`")
    if isinstance(value, list | tuple):
        if len(value) != 2:
            raise Misfit(f"expected one size or a pair [height, width], got {describe(value)}")
        height, width = (_check_side(side) for side in value)
        return height if height == width else [height, width]
    return _check_side(value)


def _check_share(value: Any) -> float:
    if type(value) not in (int, float) or not 0 < value <= 1:
        raise Misfit(f"expected a number above 0, 1 at most, got {describe(value)}")
    return float(value)


def _check_statistic(value: Any) -> list[float]:
    numbers = value if isinstance(value, list | tuple) else [value]
    if not numbers or any(type(each) not in (int, float) or not -1e6 < each < 1e6 for each in numbers):
        raise Misfit(f"expected a number, or a list of one for each channel, got {describe(value)}")
    return [float(each) for each in numbers]


def _check_deviation(value: Any) -> list[float]:
    numbers = _check_statistic(value)
    if min(numbers) <= 0:
        raise Misfit(f"expected numbers above 0, got {describe(value)}")
    return numbers


def _check_quantity(value: Any) -> Any:
    if is_formula(value):
        return compute_later(value)
    if type(value) is not int or value < 0:
        raise Misfit(f"expected a whole number or an expression, got {describe(value)}")
    return value


def _check_shape(value: Any) -> Any:
    if not isinstance(value, list | tuple) or not value:
        raise Misfit(f"expected a list, as [channels, height, width], got {describe(value)}")
    return [_check_quantity(size) for size in value]


def _check_class(value: Any) -> str:
    word = _check_word(value)
    if not (word.isidentifier() and word.isascii()) or keyword.iskeyword(word) or word.startswith("_"):
        raise Misfit(f"expected the name of a class in Python, got {describe(word)}", "as in `class: ResNet`")
    return str(word)


def _check_entries(value: Any) -> Any:
    if not isinstance(value, dict):
        raise Misfit(f"expected a map, got {describe(value)}")
    return value


def _show_names(names: list[str]) -> Any:
    return str(names[0]) if len(names) == 1 else [str(name) for name in names]


def _check_order(names: list[str]) -> list[str]:
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise Misfit(f"`{twice}` is here twice", "remove one of them", code="duplicate")
    return names


Count = Annotated[Any, PlainValidator(_check_count)]
"""A whole number from 1, or an expression."""
Condition = Annotated[Any, PlainValidator(_check_condition)]
"""True, false, or an expression."""
Text = Annotated[str, PlainValidator(_check_text)]
"""A text, or a template with expressions in it."""
Word = Annotated[str, PlainValidator(_check_word)]
"""A text as it stands."""
Order = Annotated[list[Word], AfterValidator(_check_order)]
"""Names in an order, each once."""
Names = Annotated[list[str], PlainValidator(_check_names), PlainSerializer(_show_names)]
"""The name of a step, or a list of them."""
Files = Annotated[list[str], PlainValidator(_check_files), PlainSerializer(_show_names)]
"""The path of a file, or a list of them."""
Share = Annotated[float, PlainValidator(_check_share)]
"""A part of a whole, above 0."""
Statistic = Annotated[list[float], PlainValidator(_check_statistic)]
"""A number for each channel of an image, or one for all."""
Deviation = Annotated[list[float], PlainValidator(_check_deviation)]
"""The same, above 0."""
Anything = Annotated[Any, PlainValidator(_check_anything)]
"""A value whose type depends on the block that it is for."""
Entries = Annotated[dict[str, Any], PlainValidator(_check_entries)]
"""A map of such values, by name."""
Quantity = Annotated[Any, PlainValidator(_check_quantity)]
"""A whole number that is expected, or an expression."""
OutputShape = Annotated[Any, PlainValidator(_check_shape)]
"""A list of such numbers."""
ClassName = Annotated[str, PlainValidator(_check_class)]
"""What a class can be called in Python."""
Channels = Annotated[int, PlainValidator(_check_side)]
"""A number of channels, from 1."""
ImageSize = Annotated[Any, PlainValidator(_check_image_size)]
"""One size, or a pair [height, width]."""
