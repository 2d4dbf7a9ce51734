"""Tables -> models, and pydantic's errors -> diagnostics at their place.

What is wrong is reported and taken out, so that the rest of the spec can still be checked in the same run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from archbuilder.diagnostics import Place, Reporter, nearest, suggest
from archbuilder.language.base import SpecModel
from archbuilder.language.models import (
    Architecture,
    BlockDefinition,
    DepthScale,
    Expect,
    Input,
    Reference,
    Scale,
    Step,
    WidthScale,
)
from archbuilder.language.steps import Body
from archbuilder.language.table import Table, key_place, place_of, value_place
from archbuilder.parameters import describe

T = TypeVar("T")

_ROUNDS = 20
_MODELS: dict[str, type[SpecModel]] = {
    "input": Input,
    "reference": Reference,
    "expect": Expect,
    "scale": Scale,
    "scale.width": WidthScale,
    "scale.depth": DepthScale,
    "blocks": BlockDefinition,
}
_BODY: TypeAdapter[Any] = TypeAdapter(Body, config=ConfigDict(defer_build=True))  # few specs need it


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
            faults = [_Fault(each, written) for each in error.errors(include_url=False)]
            for fault in faults:
                _report(fault, faults, reporter, model)
            for fault in faults:
                _take_out(fault, written)
    return None


class _Fault:
    """An error of pydantic's, with the part of its path that is there in the text."""

    def __init__(self, error: Any, written: Any) -> None:
        self.error, self.written = error, written
        self.path, parents = _walk(written, error["loc"])
        self.container, self.parents = parents[-1], parents
        self.key = self.path[-1] if self.path else None
        self.kind: str = error["type"]

    @property
    def is_step(self) -> bool:
        """Whether it is a whole step that is wrong: behind it in pydantic's path stands what kind of body it is in."""
        loc = self.error["loc"]
        return len(loc) > 1 and loc[-2] in ("map", "list") and loc[-1] == self.key

    @property
    def is_key(self) -> bool:
        """Whether the key is what is wrong."""
        return self.kind == "spec" and bool(self.error["ctx"]["at_key"])

    @property
    def place(self) -> Place | None:
        """Where the value is written, or the key where that is what is wrong."""
        inner: Any = self.container.get(str(self.key)) if isinstance(self.container, Table) else None
        inside = self.error["ctx"]["inside"] if self.kind == "spec" else ""
        if inside and isinstance(inner, Table):
            return (key_place if self.is_key else value_place)(inner, inside) or inner.place
        if self.is_key or self.kind == "extra_forbidden" or (self.kind == "missing" and isinstance(inner, Table)):
            place = key_place(self.container, str(self.key))
        else:
            place = None if self.key is None else value_place(self.container, self.key)
        return place or place_of(self.written)


def _report(fault: _Fault, others: list[_Fault], reporter: Reporter, model: type[SpecModel]) -> None:
    error, name, help = fault.error, str(fault.key), None
    code, message = "bad-value", _message(fault)
    if fault.kind == "extra_forbidden":
        code, message = "unknown-key", f"unknown key `{name}`"
        help = suggest(name, _keys_of(fault.path[:-1], model))
    elif fault.kind == "missing":
        missing = str(error["loc"][-1])
        misspelt = f"did you mean `{missing}`?"
        if any(misspelt == suggest(str(other.key), [missing]) for other in others if other.kind == "extra_forbidden"):
            return
        code, message, help = "missing-key", f"`{missing}` is missing", _EXAMPLES.get(missing)
        if missing == "name" and list(fault.written) == ["blocks"]:
            message = "this is a file of blocks, not a network"
            help = "try one of them with `archbuilder block NAME --spec FILE`, or name the file in a spec's `use`"
    elif fault.kind == "spec":
        code, help = error["ctx"]["code"], error["ctx"]["help"] or None
        if code == "no-block" and isinstance(fault.container, Table):
            near = nearest(name, [key for key in fault.container if key != name], 0.75)
            help = f"did you mean the step `{near}`? if not, {help}" if near else help
    reporter.error(code, message, fault.place, help=help)


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
}


def _message(fault: _Fault) -> str:
    error = fault.error
    expected = _WORDS.get(error["type"])
    if error["type"] == "literal_error":
        expected = str(error["ctx"]["expected"]).replace("'", "`")
    message = f"expected {expected}, got {describe(error['input'])}" if expected else str(error["msg"])
    if error["type"] == "spec":
        message = str(error["ctx"]["message"])
    if isinstance(fault.key, str) and message.startswith("expected "):
        message = f"`{fault.key}` must be {message.removeprefix('expected ')}"
    return message


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
        parents.append(value)
        value = step
    return path, parents[1:] or parents


def _keys_of(path: list[str | int], model: type[SpecModel]) -> list[str]:
    """The keys that may stand in the map at `path`."""
    if model is Architecture and path:
        inner = path[0] if path[0] != "scale" or len(path) < 2 else f"scale.{path[1]}"
        model = _MODELS.get(str(inner), Step)
    return [field.alias or name for name, field in model.model_fields.items() if not field.exclude]


def _take_out(fault: _Fault, written: Any) -> None:
    """Removes what is wrong, so that it is reported once and the rest can be read. What it is in says nothing more."""
    key, container = fault.key, fault.container
    if fault.kind == "missing":
        incomplete = written if key is None else container[key]
        if isinstance(incomplete, Table):
            incomplete.broken = True
            incomplete.setdefault(str(fault.error["loc"][-1]), _INSTEAD.get(str(fault.error["loc"][-1])))
        return
    if key is None:
        if isinstance(written, Table):
            written.broken = True
        return
    for whole in _left_incomplete(fault):
        whole.broken = True
    value = container[int(key)] if isinstance(container, list) else container.get(key)
    if fault.is_step and fault.is_key and isinstance(container, Table):
        _rename(container, str(key), "?")
        container["?"] = _broken_table(value)
    elif fault.is_step:
        if isinstance(value, Table) and not value.broken:
            value.broken = True
        else:
            container[key] = _broken_table(value)
    elif fault.path[:-1] == ["blocks"]:
        container[key] = _broken_table(value)
        container[key]["body"] = Table()
    elif len(fault.path) == 1 and key in _INSTEAD:
        container[key] = _INSTEAD[str(key)]
    elif isinstance(container, list):
        fault.parents[-2].pop(fault.path[-2], None)
    else:
        container.pop(str(key), None)


def _rename(table: Table, old: str, new: str) -> None:
    """Gives an entry another key in the same place."""
    entries = list(table.items())
    table.clear()
    table.update({new if key == old else key: value for key, value in entries})


def _left_incomplete(fault: _Fault) -> list[Table]:
    """The maps that miss something when a fault is taken out: what it is in, and the block of which it is a parameter."""
    parents = fault.parents[1:]
    whole = [table for table in parents if isinstance(table, Table)][-1:]
    if fault.path[:1] == ["blocks"] and fault.path[2:3] in (["parameters"], ["let"]):
        whole.append(fault.parents[2])
    return whole


_INSTEAD: dict[str, Any] = {"name": "?", "body": {}}
"""What stands in for a missing or unreadable value, so that the rest can be checked."""


def _broken_table(value: Any) -> Table:
    table = Table(place_of(value))
    table.broken = True
    return table
