"""The kinds of values that fields of a spec hold, as pydantic types with errors in our own words."""

from __future__ import annotations

import keyword
from typing import Annotated, Any, Final

from pydantic import PlainSerializer, PlainValidator
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from archbuilder.diagnostics import nearest, suggest
from archbuilder.language.arithmetic import FormulaError
from archbuilder.language.formula import Formula, is_formula
from archbuilder.language.table import Table
from archbuilder.language.words import DECLARATION
from archbuilder.parameters import (
    MAXIMUM_INTEGER,
    REQUIRED,
    TYPES,
    Parameter,
    ParameterError,
    describe,
)

MAXIMUM_REPEATS: Final = 10_000


def wrong(
    message: str, help: str = "", *, code: str = "bad-value", at_key: bool = False, inside: str = ""
) -> PydanticCustomError:
    """An error whose text is ours.

    `help` says what to write instead, `at_key` that the key is wrong, not its value, `inside` at which entry of the value.
    """
    context = {"message": message, "help": help, "code": code, "at_key": at_key, "inside": inside}
    return PydanticCustomError("spec", "{message}", context)


def compute_later(value: Any) -> Any:
    """`value`, with every text that has to be computed made a `Formula`, in maps and lists too (in place).

    Raises:
        ValidationError: with a place for each malformed expression.
    """
    if isinstance(value, str):
        return value if type(value) is Formula or "$" not in value else _formula(value)
    if isinstance(value, dict | list):
        errors: list[InitErrorDetails] = []
        _compute_inside(value, (), errors)
        if errors:
            raise ValidationError.from_exception_data("value", errors)
    return value


def _formula(value: str) -> Formula:
    try:
        return Formula(value)
    except FormulaError as error:
        raise wrong(str(error)) from None


def _compute_inside(container: Any, path: tuple[str | int, ...], errors: list[InitErrorDetails]) -> None:
    entries = list(container.items()) if isinstance(container, dict) else list(enumerate(container))
    for key, value in entries:
        if isinstance(value, dict | list):
            _compute_inside(value, (*path, key), errors)
        elif is_formula(value) and type(value) is not Formula:
            try:
                container[key] = Formula(value)
            except FormulaError as error:
                errors.append(InitErrorDetails(type=wrong(str(error)), loc=(*path, key), input=value))


def _check_count(value: Any) -> Any:
    if is_formula(value):
        return compute_later(value)
    if type(value) is not int or value < 1:
        raise wrong(f"expected a whole number, 1 or more, got {describe(value)}")
    if value > MAXIMUM_REPEATS:
        raise wrong(f"expected at most {MAXIMUM_REPEATS:,}, got {describe(value)}")
    return value


def _check_condition(value: Any) -> Any:
    if is_formula(value):
        return compute_later(value)
    if type(value) is not bool:
        raise wrong(f"expected true, false or an expression, got {describe(value)}")
    return value


def _check_text(value: Any) -> Any:
    if not isinstance(value, str):
        raise wrong(f"expected a text, got {describe(value)}", _quote_it(value))
    return compute_later(value)


def _check_word(value: Any) -> Any:
    if not isinstance(value, str):
        raise wrong(f"expected a text, got {describe(value)}", _quote_it(value))
    if "$" in value:
        raise wrong("an expression cannot be used here")
    return value


def _quote_it(value: Any) -> str:
    return f'in quotes it is a text: "{value}"' if isinstance(value, int | float) else ""


def _check_names(value: Any) -> Any:
    return [compute_later(name) for name in _texts(value, "the name of a step")]


def _check_files(value: Any) -> Any:
    return [_check_word(name) for name in _texts(value, "the path of a file")]


def _texts(value: Any, what: str) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts) or not texts:
        raise wrong(f"expected {what} or a list of them, got {describe(value)}")
    return list(texts)


def _check_anything(value: Any) -> Any:
    return compute_later(value)


def _check_side(value: Any) -> int:
    if type(value) is not int or not 1 <= value <= 2**20:
        raise wrong(f"expected a whole number from 1 to {2**20:,}, got {describe(value)}")
    return value


def _check_image_size(value: Any) -> Any:
    if isinstance(value, str):
        raise wrong(f"expected a whole number or a pair [height, width], got {describe(value)}")
    if isinstance(value, list | tuple):
        if len(value) != 2:
            raise wrong(f"expected one size or a pair [height, width], got {describe(value)}")
        height, width = (_check_side(side) for side in value)
        return height if height == width else [height, width]
    return _check_side(value)


def _check_share(value: Any) -> float:
    if type(value) not in (int, float) or not 0 < value <= 1:
        raise wrong(f"expected a number above 0, 1 at most, got {describe(value)}")
    return float(value)


def _check_quantity(value: Any) -> Any:
    if is_formula(value):
        return compute_later(value)
    if type(value) is not int or value < 0:
        raise wrong(f"expected a whole number or an expression, got {describe(value)}")
    return value


def _check_shape(value: Any) -> Any:
    if not isinstance(value, list | tuple) or not value:
        raise wrong(f"expected a list, as [channels, height, width], got {describe(value)}")
    return [_check_quantity(size) for size in value]


def _check_class(value: Any) -> str:
    word = _check_word(value)
    if not (word.isidentifier() and word.isascii()) or keyword.iskeyword(word) or word.startswith("_"):
        raise wrong(f"expected the name of a class in Python, got {describe(word)}", "as in `class: ResNet`")
    return str(word)


def _check_entries(value: Any) -> Any:
    if not isinstance(value, dict):
        raise wrong(f"expected a map, got {describe(value)}")
    return compute_later(value if isinstance(value, Table) else _copied(value))


def _copied(value: Any) -> Any:
    """Maps and lists that were made in Python, so that expressions can be read in place."""
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value


def _show_names(names: list[str]) -> Any:
    return str(names[0]) if len(names) == 1 else [str(name) for name in names]


Count = Annotated[Any, PlainValidator(_check_count)]
"""A whole number from 1, or an expression."""
Condition = Annotated[Any, PlainValidator(_check_condition)]
"""True, false, or an expression."""
Text = Annotated[str, PlainValidator(_check_text)]
"""A text, or a template with expressions in it."""
Word = Annotated[str, PlainValidator(_check_word)]
"""A text as it stands."""
Names = Annotated[list[str], PlainValidator(_check_names), PlainSerializer(_show_names)]
"""The name of a step, or a list of them."""
Files = Annotated[list[str], PlainValidator(_check_files), PlainSerializer(_show_names)]
"""The path of a file, or a list of them."""
Share = Annotated[float, PlainValidator(_check_share)]
"""A part of a whole, above 0."""
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


def declare(name: str, written: Any) -> Parameter:
    """The parameter that a spec declares: `width: channels`, `stride: 1` or a map that says more.

    Raises:
        PydanticCustomError: if the declaration is malformed.
    """
    if isinstance(written, dict):
        return _declare_in_full(name, written)
    if isinstance(written, list) and len(written) == 1 and isinstance(written[0], str):
        return _declare_in_full(name, {"type": written})
    if _is_type(written):
        return Parameter(name, written)
    if isinstance(written, str) and nearest(written, TYPES, 0.8):
        raise wrong(_no_type(written), f"{_types(written)}; a text as default is written {{default: {written}}}")
    _refuse_untyped(name, written)
    return _checked(Parameter(name, _type_of(written), default=compute_later(written)))


def _refuse_untyped(name: str, default: Any) -> None:
    if is_formula(default):
        message = f"this expression does not say what type `{name}` has"
        raise wrong(message, f"write {{type: int, default: {default}}}, for example")


def _type_of(default: Any) -> str:
    if default is None:
        raise wrong("null does not say what type this parameter has", "write {type: int, default: null}, for example")
    for type_, name in ((bool, "bool"), (int, "int"), (float, "float"), (str, "string")):
        if type(default) is type_:
            return name
    raise wrong(
        f"{describe(default)} does not declare a parameter",
        f"write a default, a type ({', '.join(_TYPES)}), or a map with {', '.join(DECLARATION)}",
    )


def _no_type(written: Any) -> str:
    return f"{describe(written)} is not a type"


def _types(written: Any) -> str:
    near = nearest(str(written), _TYPES)
    return f"did you mean `{near}`?" if near else f"the types are {', '.join(_TYPES)}; a list of numbers is [int]"


def _declare_in_full(name: str, written: dict[str, Any]) -> Parameter:
    for key in written:
        if key not in DECLARATION:
            advice = suggest(key, DECLARATION) or ""
            message = f"unknown key `{key}` in the declaration of `{name}`"
            raise wrong(message, advice, code="unknown-key", at_key=True, inside=key)
    type_, element = written.get("type"), ""
    choices = _choices(written.get("choices"))
    default = compute_later(written.get("default", REQUIRED))
    if isinstance(type_, list) and len(type_) == 1:
        type_, element = "list", type_[0]
    if type_ is None and not choices:
        _refuse_untyped(name, default)
    if type_ is None:
        type_ = "string" if choices or default is REQUIRED else _type_of(default)
    listed = type_ == "list" and bool(element)
    if not (listed or _is_type(type_)) or (listed and (not _is_type(element) or element in _NO_ELEMENTS)):
        raise wrong(_no_type(element or type_), _types(element or type_), inside="type")
    if choices and type_ != "string":
        raise wrong(f"`choices` are for a text, and `{name}` is {TYPES[type_]}", inside="choices", at_key=True)
    _check_declaration(name, written, type_)
    parameter = Parameter(
        name,
        type_,
        default=default,
        help=written.get("help", ""),
        choices=choices,
        minimum=written.get("min"),
        maximum=written.get("max"),
        optional=written.get("optional") is True,
        element=element,
    )
    return _checked(parameter)


def _check_declaration(name: str, written: dict[str, Any], type_: str) -> None:
    """Checks what a declaration says beside type, default and choices."""
    for key in ("min", "max"):
        bound = written.get(key)
        if bound is not None and (type(bound) not in (int, float) or not abs(bound) <= MAXIMUM_INTEGER):
            raise wrong(f"`{key}` must be a number, got {describe(bound)}", inside=key)
        if bound is not None and type_ not in _BOUNDED:
            raise wrong(f"`{key}` is for numbers, and `{name}` is {TYPES[type_]}", inside=key, at_key=True)
    low, high = written.get("min"), written.get("max")
    if low is not None and high is not None and low > high:
        raise wrong(f"`min` ({low:g}) is above `max` ({high:g})", inside="min")
    for key, kind, what in (("help", str, "a text"), ("optional", bool, "true or false")):
        if key in written and type(written[key]) is not kind:
            raise wrong(f"`{key}` must be {what}, got {describe(written[key])}", inside=key)


_TYPES: Final = tuple(type_ for type_ in TYPES if type_ != "list")
"""The types by their names; that of a list is written [int]."""
_NO_ELEMENTS: Final = ("block", "steps")
_BOUNDED: Final = ("int", "float", "channels", "size")


def _is_type(written: Any) -> bool:
    return isinstance(written, str) and written in _TYPES


def _choices(written: Any) -> tuple[str, ...]:
    if written is None:
        return ()
    if not isinstance(written, list | tuple) or not written or not all(isinstance(choice, str) for choice in written):
        raise wrong(f"`choices` must be a list of texts, got {describe(written)}", inside="choices")
    return tuple(written)


def _with_slot(parameter: Parameter) -> Parameter:
    """A slot whose default can be put into it."""
    kinds: tuple[type, ...] = (str, dict) if parameter.type == "block" else (dict,)
    if parameter.default is None or isinstance(parameter.default, kinds):
        return parameter
    message = f"the default does not fit: `{parameter.name}` must be {parameter.expectation()}, got {describe(parameter.default)}"
    raise wrong(message, "null leaves the slot empty" if parameter.type == "block" else "", inside="default")


def _checked(parameter: Parameter) -> Parameter:
    """The parameter, if its default fits its type. Computed defaults and slots are checked where they are used."""
    if parameter.required or is_formula(parameter.default):
        return parameter
    if parameter.type in ("block", "steps"):
        return _with_slot(parameter)
    try:
        parameter.check(parameter.default)
    except ParameterError as error:
        raise wrong(f"the default does not fit: {error}", inside="default") from None
    return parameter
