"""Definitions of blocks: what a block can be told, what it derives from that, and its steps."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from archbuilder.language.base import SpecModel
from archbuilder.language.steps import Steps, is_name, write_body
from archbuilder.language.values import (
    Count,
    Entries,
    Names,
    Word,
    declare,
    wrong,
)
from archbuilder.language.words import NO_PARAMETERS
from archbuilder.parameters import TYPES, Parameter, describe


def _read_parameters(written: Any) -> dict[str, Parameter]:
    if not isinstance(written, dict):
        raise wrong(f"expected a map of parameters, got {describe(written)}")
    errors: list[InitErrorDetails] = []
    parameters: dict[str, Parameter] = {}
    for name, value in written.items():
        try:
            if not is_name(name):
                help = "write a name, then its default or type, as in {heads: 2}"
                raise wrong(f"a parameter's name is a word, got {describe(name)}", help, at_key=True)
            if name in NO_PARAMETERS:
                raise wrong(f"`{name}` is a word of the language", "give the parameter another name", at_key=True)
            parameters[name] = value if isinstance(value, Parameter) else declare(name, value)
        except PydanticCustomError as error:
            errors.append(InitErrorDetails(type=error, loc=(name,), input=value))
    if errors:
        raise ValidationError.from_exception_data("parameters", errors)
    return parameters


def _write_parameters(parameters: dict[str, Parameter]) -> dict[str, Any]:
    return {name: _write_parameter(parameter) for name, parameter in parameters.items()}


SHORT = {"bool": "bool", "int": "int", "float": "float", "string": "str"}
"""The types of parameters that are known from a default, and the defaults' own."""


def _write_parameter(parameter: Parameter) -> Any:
    """The shortest declaration of a parameter."""
    short = Parameter(parameter.name, parameter.type, parameter.default)
    if parameter == short and type(short.default).__name__ == SHORT.get(short.type) and short.default not in TYPES:
        return short.default
    written: dict[str, Any] = {"type": [parameter.element] if parameter.type == "list" else parameter.type}
    if not parameter.required:
        written["default"] = parameter.default
    for key, value in (
        ("help", parameter.help),
        ("choices", list(parameter.choices)),
        ("min", parameter.minimum),
        ("max", parameter.maximum),
        ("optional", parameter.optional),
    ):
        if value or (value == 0 and value is not False):  # a bound may be 0
            written[key] = value  # noqa: PERF403 -- the condition needs more room than a comprehension has
    return parameter.type if list(written) == ["type"] and parameter.type != "list" else written


def _check_names_of_values(written: dict[str, Any]) -> dict[str, Any]:
    errors = [
        InitErrorDetails(
            type=wrong(f"a derived value's name is a word, got {describe(name)}", at_key=True), loc=(name,), input=value
        )
        for name, value in written.items()
        if not is_name(name)
    ]
    if errors:
        raise ValidationError.from_exception_data("let", errors)
    return written


class BlockDefinition(SpecModel):
    """A block: what it can be told, what it derives from that, and its steps."""

    help: str = ""
    parameters: Annotated[dict[str, Any], BeforeValidator(_read_parameters), PlainSerializer(_write_parameters)] = (
        Field(default_factory=dict)
    )
    let: Annotated[Entries, AfterValidator(_check_names_of_values)] = Field(default_factory=dict)
    body: Annotated[Steps, PlainSerializer(write_body)]
    layers: Count | None = None
    return_: Names | None = Field(None, alias="return")
    register_: list[Word] | None = Field(None, alias="register")
