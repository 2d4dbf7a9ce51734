"""What every part of a spec has in common: no unknown keys, and a memory of where it was written."""

from __future__ import annotations

from typing import Any, ClassVar, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from archbuilder.diagnostics import Place
from archbuilder.language.table import Table, key_place, place_of, value_place
from archbuilder.language.values import (
    wrong,
)
from archbuilder.parameters import describe


class Canonical(dict[str, Any]):
    """A step in canonical form. Pydantic calls the validator of a recursive model twice, each time with the other's."""


class SpecModel(BaseModel):
    """A part of a spec: no unknown keys, and a memory of the place where it was written."""

    # Slots, not private attributes: pydantic finds those only after a failed look-up, and these are asked for very often.
    __slots__ = ("place", "table")

    place: ClassVar[Place | None]
    """Where this part begins; None if it was made in Python, copied or unpickled."""
    table: ClassVar[Table | None]
    """What it was read from, likewise."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, arbitrary_types_allowed=True, defer_build=True)

    @model_validator(mode="wrap")
    @classmethod
    def _remember(cls, written: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(written, cls):
            return written
        if type(written) is Canonical:
            return handler(written)
        model = handler(cls._canonical(written))
        read = isinstance(written, Table)
        object.__setattr__(model, "table", written if read else None)
        object.__setattr__(model, "place", written.place if read else None)
        return model

    @classmethod
    def _canonical(cls, written: Any) -> Any:
        """The map that a short way of writing stands for."""
        if not isinstance(written, dict):
            raise wrong(f"expected a map, got {describe(written)}")
        named = [name for name, field in cls.model_fields.items() if field.alias and name in written]
        if named and isinstance(written, Table):  # `class_` is a name of Python's
            errors = [InitErrorDetails(type=_unknown(name), loc=(name,), input=written[name]) for name in named]
            raise ValidationError.from_exception_data(cls.__name__, errors)
        return written

    def __setstate__(self, state: dict[Any, Any]) -> None:
        super().__setstate__(state)
        _forget_places(self)

    def __copy__(self) -> Self:
        return _forget_places(super().__copy__())

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return _forget_places(super().__deepcopy__(memo))

    def place_at(self, key: str) -> Place | None:
        """Where the value of a key is written."""
        table = self.table
        return value_place(table, key) or key_place(table, key) or place_of(table)

    def place_of_key(self, key: str) -> Place | None:
        """Where a key is written."""
        return key_place(self.table, key) or self.place

    def place_inside(self, key: str, inner: str | int) -> Place | None:
        """Where an entry of the map, or an element of the list, that stands behind a key is written."""
        inside = self.table.get(key) if self.table is not None else None
        return key_place(inside, str(inner)) or value_place(inside, inner) or self.place_at(key)

    @property
    def name_place(self) -> Place | None:
        """Where the name of a step is written."""
        table = self.table
        return self.place if table is None else table.name_place or table.place

    def is_weak(self, key: str) -> bool:
        """Whether an entry came from a base, so that it may go unused."""
        table = self.table
        return table is not None and key in table.weak


def _unknown(name: str) -> PydanticCustomError:
    return wrong(f"unknown key `{name}`", f"write `{name.rstrip('_')}`", code="unknown-key", at_key=True)


_Model = TypeVar("_Model", bound=SpecModel)


def _forget_places(model: _Model) -> _Model:
    """A copy has no place in a text."""
    object.__setattr__(model, "table", None)
    object.__setattr__(model, "place", None)
    return model
