"""Tables -> models, and pydantic's errors -> diagnostics at their place.

What is wrong is reported and taken out, so that the rest of the spec can still be checked in the same run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from archbuilder.diagnostics import Place, Reporter, suggest
from archbuilder.parameters import describe
from archbuilder.spec.models import Architecture, BlockDefinition, Body, Expect, Input, Reference, Scale, SpecModel, Step
from archbuilder.spec.table import Items, Table, key_place, place_of, value_place

T = TypeVar("T")

_ROUNDS = 20
_MODELS: dict[str, type[SpecModel]] = {
    "input": Input,
    "reference": Reference,
    "expect": Expect,
    "scale": Scale,
    "blocks": BlockDefinition,
}
_BODY: TypeAdapter[Any] = TypeAdapter(Body)


def validate_architecture(table: Table, reporter: Reporter) -> Architecture | None:
    """The spec as a model; None, or a model without the wrong parts, where `reporter` has something to say."""
    return _validate(Architecture.model_validate, table, reporter, Architecture)


def validate_definition(table: Any, reporter: Reporter) -> BlockDefinition | None:
    """A block's definition as a model."""
    return _validate(BlockDefinition.model_validate, table, reporter, BlockDefinition)


def validate_body(written: Any, reporter: Reporter) -> Any:
    """A body that was given as a parameter, as steps."""
    return _validate(_BODY.validate_python, written, reporter, Step)


def validate_step(written: Any, reporter: Reporter) -> Step | None:
    """A use of a block that was given as a parameter."""
    return _validate(Step.model_validate, written, reporter, Step)


def _validate(read: Callable[[Any], T], written: Any, reporter: Reporter, model: type[SpecModel]) -> T | None:
    for _ in range(_ROUNDS):
        try:
            return read(written)
        except ValidationError as error:
            for each in error.errors(include_url=False):
                _report(each, written, reporter, model)
    return None


def _report(error: Any, written: Any, reporter: Reporter, model: type[SpecModel]) -> None:
    path, parents = _walk(written, error["loc"])
    container = parents[-1]
    key = path[-1] if path else None
    kind, help, name = error["type"], None, str(key)
    place = (value_place(container, key) if key is not None else None) or place_of(written)
    code, message = "bad-value", _message(error)
    if kind == "extra_forbidden":
        code, message = "unknown-key", f"unknown key `{name}`"
        place = key_place(container, name) or place
        help = suggest(name, _keys_of(path[:-1], model))
    elif kind == "missing":
        missing = str(error["loc"][-1])
        code, message = "missing-key", f"`{missing}` is missing"
        place = _place_of_missing(parents, path) or place
        help = _EXAMPLES.get(missing)
    elif kind == "spec":
        help = error["ctx"]["help"] or None
    reporter.error(code, message, place, help=help)
    _take_out(written, parents, path, kind)


_EXAMPLES = {
    "name": "give the network a name, as in `name: my-network`",
    "body": "give the block its steps in `body`",
}

_WORDS = {
    "string_type": "a text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "dict_type": "a map",
    "literal_error": "`identity`",
}


def _message(error: Any) -> str:
    if error["type"] == "spec":
        return str(error["ctx"]["message"])
    expected = _WORDS.get(error["type"])
    return f"expected {expected}, got {describe(error['input'])}" if expected else str(error["msg"]).lower()


def _walk(written: Any, loc: tuple[int | str, ...]) -> tuple[list[str | int], list[Any]]:
    """The part of pydantic's path that is there in the text (union tags and `body` of a short form are not)."""
    path: list[str | int] = []
    parents = [written]
    value = written
    for segment in loc:
        if isinstance(value, dict) and segment in value:
            step: Any = value[str(segment)]
        elif isinstance(value, list) and isinstance(segment, int) and segment < len(value):
            step = value[segment]
        else:
            continue
        path.append(segment)
        if isinstance(step, dict | list):
            parents.append(step)
        value = step
    if path and len(parents) > 1 and parents[-1] is value:
        parents.pop()
    return path, parents


def _keys_of(path: list[str | int], model: type[SpecModel]) -> list[str]:
    """The keys that may stand in the map at `path`."""
    if model is Architecture and path:
        model = _MODELS.get(str(path[0]), Step)
    return [field.alias or name for name, field in model.model_fields.items() if not field.exclude]


def _place_of_missing(parents: list[Any], path: list[str | int]) -> Place | None:
    for parent in reversed(parents):
        if path and (place := key_place(parent, str(path[-1]))):
            return place
    return None


def _take_out(written: Any, parents: list[Any], path: list[str | int], kind: str) -> None:
    """Removes what is wrong, so that it is reported once and the rest can be read."""
    container = parents[-1]
    if not path:
        if isinstance(written, Table):
            written.broken = True
            if kind == "missing":
                written.setdefault("name", "?")
                written.setdefault("body", Table())
        return
    key = path[-1]
    value = container[key]
    if kind in ("extra_forbidden", "missing") or not isinstance(value, Table):
        _break_enclosing(parents)
    if isinstance(value, Table) and kind == "spec" and not value.broken:
        value.broken = True
    elif isinstance(container, Items):
        container[int(key)] = _broken_table(value)
    elif len(parents) == 1 or kind == "extra_forbidden":
        container.pop(str(key), None)
    elif _holds_steps(container):
        container[str(key)] = _broken_table(value)
    else:
        container.pop(str(key), None)


def _holds_steps(container: Any) -> bool:
    return isinstance(container, Table) and "block" not in container and "body" not in container


def _broken_table(value: Any) -> Table:
    table = Table(place_of(value))
    table.broken = True
    return table


def _break_enclosing(parents: list[Any]) -> None:
    container = parents[-1]
    if isinstance(container, Table) and len(parents) > 1:
        container.broken = True
