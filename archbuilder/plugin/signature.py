"""Pydantic models and functions -> the parameters and inputs of a block."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError
from pydantic.fields import FieldInfo

from archbuilder.language.words import NO_PARAMETERS
from archbuilder.parameters import REQUIRED, SLOTS, Parameter, ParameterError
from archbuilder.plugin.registry import PluginError


@dataclass(frozen=True)
class Kind:
    """Says of a field in a parameter model which of our types it has."""

    type: str


Channels: TypeAlias = Annotated[int, Field(ge=1), Kind("channels")]
"""A number of channels; `scale` multiplies it, as in blocks of YAML."""
Size: TypeAlias = Annotated[int | tuple[int, int], Kind("size")]
"""A whole number, or a pair (height, width) of them."""
Block: TypeAlias = Annotated[Any, Kind("block")]
"""A slot: the name of a block or a use of one, to be given to the builder."""

STEP_WORDS: Final = NO_PARAMETERS | {"name"}
"""What no parameter of a function's block can be called; `name` is what its builder calls a step by."""

_SIMPLE: Final = {bool: "bool", int: "int", float: "float", str: "string"}


def parameters_of(model: type[BaseModel] | None) -> dict[str, Parameter]:
    """The fields of a model as parameters.

    Raises:
        PluginError: if a field is of a type that a spec cannot write.
    """
    if model is None:
        return {}
    return {name: _parameter(name, field) for name, field in model.model_fields.items()}


def _parameter(name: str, field: FieldInfo) -> Parameter:
    if name in STEP_WORDS:
        raise PluginError(f"`{name}` is a word of the language; a parameter needs another name")
    if field.alias is not None:
        raise PluginError(
            f"the parameter `{name}` has an alias, and a spec has one word for a thing", "remove the alias"
        )
    inner, optional, metadata = _unwrapped(field.annotation, list(field.metadata))
    kind, element = _kind(name, inner, metadata)
    choices = tuple(get_args(inner)) if get_origin(inner) is Literal and kind == "string" else ()
    bounds = {key: _bound(metadata, key) for key in ("ge", "le")} if kind not in ("list", "block") else {}
    minimum, maximum = bounds.get("ge"), bounds.get("le")
    parameter = Parameter(
        name, kind, REQUIRED, field.description or "", choices, minimum, maximum, optional, element=element
    )
    if field.is_required():
        return parameter
    default = field.get_default(call_default_factory=True, validated_data={})
    if kind in SLOTS:
        return _with_default(parameter, default)
    try:
        return _with_default(parameter, parameter.check(default))
    except ParameterError as error:
        raise PluginError(f"the default does not fit: {error}") from None


def _with_default(parameter: Parameter, default: Any) -> Parameter:
    words = {name: getattr(parameter, name) for name in Parameter.__dataclass_fields__}
    return Parameter(**{**words, "default": default})


def _unwrapped(annotation: Any, metadata: list[Any]) -> tuple[Any, bool, list[Any]]:
    """An annotation without `Annotated` and `| None`, whether null is allowed, and what stood beside it."""
    optional = False
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation, *more = get_args(annotation)
            metadata += [part for each in more for part in (each.metadata if isinstance(each, FieldInfo) else [each])]
        elif origin in (Union, types.UnionType) and type(None) in get_args(annotation):
            optional = True
            rest = tuple(each for each in get_args(annotation) if each is not type(None))
            annotation = Union[rest]  # noqa: UP007 -- made of a tuple
        else:
            return annotation, optional, metadata


def _kind(name: str, annotation: Any, metadata: list[Any]) -> tuple[str, str]:
    """The name of our type, and that of a list's elements."""
    said = next((each for each in metadata if isinstance(each, Kind)), None)
    if said is not None:
        return said.type, ""
    if annotation in _SIMPLE:
        return _SIMPLE[annotation], ""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal and len(kinds := {type(each) for each in inner}) == 1 and (kind := kinds.pop()) in _SIMPLE:
        return _SIMPLE[kind], ""
    if (origin is list or (origin is tuple and inner[1:] == (Ellipsis,))) and inner[0] in _SIMPLE:
        return "list", _SIMPLE[inner[0]]
    shown = getattr(annotation, "__name__", None) or str(annotation)
    help = "int, float, bool, str, Literal, list[int], Channels, Size and Block can be written in a spec, each also `| None`"
    raise PluginError(f"the parameter `{name}` has the type {shown}", help)


def _bound(metadata: list[Any], key: str) -> float | None:
    found = [float(value) for each in metadata if (value := getattr(each, key, None)) is not None]
    return (max(found) if key == "ge" else min(found)) if found else None


class Misfit(Exception):
    """A model refuses its values. `faults` has, for each reason, the parameter (None: all of them) and a message."""

    def __init__(self, faults: list[tuple[str | None, str]]) -> None:
        super().__init__(faults[0][1])
        self.faults = faults


def told(model: type[BaseModel], values: Mapping[str, Any]) -> BaseModel:
    """A parameter model with these values.

    Raises:
        Misfit: if it refuses them.
    """
    try:
        return model(**values)
    except ValidationError as error:
        raise Misfit(list(_faults_of(error, model))) from None


def _faults_of(error: ValidationError, model: type[BaseModel]) -> Iterator[tuple[str | None, str]]:
    for each in error.errors(include_url=False):
        first = str(each["loc"][0]) if each["loc"] else ""
        message = str(each["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
        named = first in model.model_fields
        yield (first if named else None), (f"`{first}`: {message}" if named else message)


@dataclass(frozen=True)
class Signature:
    """What a block's function takes: its model, and how many values at least and at most."""

    model: type[BaseModel] | None
    inputs: tuple[int, int | None]
    keyword: str | None


def signature_of(function: Callable[..., Any], model: type[BaseModel] | None) -> Signature:
    """What a function takes, that has a builder in front, values behind it, and a parameter model last.

    Raises:
        PluginError: if it takes anything else.
    """
    names = list(inspect.signature(function).parameters.values())
    if not names:
        raise PluginError(f"`{function.__name__}` takes no builder", "write def name(build, x, parameters)")
    model = model or _model_of(function, names[-1].name)
    values = names[1:] if model is None else names[1:-1]
    several = [each for each in values if each.kind is each.VAR_POSITIONAL]
    by_name = model is not None and names[-1].kind is names[-1].KEYWORD_ONLY  # def join(build, *xs, parameters)
    if any(each.kind in (each.KEYWORD_ONLY, each.VAR_KEYWORD) for each in values):
        raise PluginError(f"`{function.__name__}` takes values by name", "write def name(build, x, parameters)")
    least = len(values) - len(several)
    return Signature(model, (least, None) if several else (least, least), names[-1].name if by_name else None)


def _model_of(function: Callable[..., Any], name: str) -> type[BaseModel] | None:
    try:
        hint = typing.get_type_hints(function).get(name)
    except NameError as error:
        help = f"give it to the decorator: @block(..., parameters={error.name})"
        raise PluginError(f"`{error.name}` in the annotations of `{function.__name__}` is not known", help) from None
    return hint if isinstance(hint, type) and issubclass(hint, BaseModel) else None
