"""Steps and bodies: what stands inside blocks and sections, in its short and its full forms."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_serializer,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from archbuilder.diagnostics import Place, nearest, shorten
from archbuilder.language.arithmetic import FormulaError
from archbuilder.language.base import Canonical, SpecModel
from archbuilder.language.formula import Formula
from archbuilder.language.table import Items, Table, key_place, value_place
from archbuilder.language.values import (
    Condition,
    Count,
    Names,
    Text,
    Word,
    compute_later,
    wrong,
)
from archbuilder.language.words import PLACING, STEP_FIELDS, STEP_KEYS
from archbuilder.parameters import describe


def _kind_of_body(written: Any) -> str:
    if isinstance(written, str):
        return "slot"
    return "list" if isinstance(written, list) else "map"


def _kind_of_steps(written: Any) -> str:
    return "list" if isinstance(written, list) else "map"


def check_map(written: Any) -> Any:
    """The steps of a map, each in a form that has a place."""
    if not isinstance(written, dict):
        raise wrong(f"expected a map or a list of steps, got {describe(written)}")
    for key in written:
        if not isinstance(key, str):
            raise wrong(f"expected a text as key, got {describe(key)}")
    steps: dict[str, Any] = {}
    errors: list[InitErrorDetails] = []
    for key, value in written.items():
        try:
            is_loop = key.startswith("for ")
            if not is_loop and "$" in key:
                _check_template(key)
            steps[key] = Loop.read(key, value, key_place(written, key)) if is_loop else in_full(written, key, value)
        except PydanticCustomError as error:
            errors.append(InitErrorDetails(type=error, loc=(key,), input=value))
    if errors:
        raise ValidationError.from_exception_data("steps", errors)
    return steps


def check_named(written: Any) -> Any:
    """The steps of a section, or of a block: here a step that is null must have been one."""
    errors = [
        InitErrorDetails(type=_nothing_to_remove(key), loc=(key,), input=None)
        for key, value in (written.items() if isinstance(written, Table) else ())
        if value is None and key not in written.replaced and key not in written.weak
    ]
    if errors:
        raise ValidationError.from_exception_data("steps", errors)
    return check_map(written)


def _nothing_to_remove(key: str) -> PydanticCustomError:
    name, colon, rest = key.partition(":")
    help = f"a colon needs a space behind it: `{name}: {rest}`" if colon else "remove it, or say what it is"
    return wrong(f"there is no step `{shorten(key)}` that could be removed", help, code="no-effect", at_key=True)


def _check_template(key: str) -> None:
    try:
        Formula(key)
    except FormulaError as error:
        raise wrong(str(error), at_key=True) from None


def check_list(written: Any) -> Any:
    """The steps of a list, likewise."""
    if not isinstance(written, Items):
        return written
    return [in_full(written, number, value) for number, value in enumerate(written)]


def in_full(container: Any, key: str | int, value: Any) -> Any:
    """A step that is written in short (`norm`, a list), in full, so that it has a place; its name's is noted too."""
    place = value_place(container, key)
    if place is None:
        return value
    if isinstance(value, str | list):
        table = Table(place)
        table.put("block" if isinstance(value, str) else "body", value, place, place)
    elif isinstance(value, Table):
        table = value.copy() if value.name_place else value  # behind an alias it is there twice
    else:
        return value
    table.name_place = key_place(container, str(key)) or place
    return table


Steps: TypeAlias = Annotated[
    Annotated[Annotated[dict[str, "Step"], BeforeValidator(check_named)], Tag("map")]
    | Annotated[Annotated[list["Step"], BeforeValidator(check_list)], Tag("list")],
    Discriminator(_kind_of_steps),
]
"""The steps of a block: a map names its children, a list numbers them."""

Body: TypeAlias = Annotated[
    Annotated[Annotated[dict[str, "Step"], BeforeValidator(check_map)], Tag("map")]
    | Annotated[Annotated[list["Step"], BeforeValidator(check_list)], Tag("list")]
    | Annotated[Text, Tag("slot")],
    Discriminator(_kind_of_body),
]
"""The steps of a step: likewise, or `$name` for a slot's."""


class Loop:
    """`for i in n:` or `for i in a .. b:`; the numbers from 0 (or `a`) up to, not including, `n` (or `b`)."""

    def __init__(self, header: str, variable: str, start: Any, stop: Any) -> None:
        self.header, self.variable, self.start, self.stop = header, variable, start, stop

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Loop) and self.header == other.header

    def __hash__(self) -> int:
        return hash(self.header)

    @staticmethod
    def read(header: str, written: Any, place: Place | None = None) -> dict[str, Any]:
        """The step that a loop's key, at `place`, and its steps stand for."""
        words = header.split(None, 3)
        if len(words) < 4 or words[2] != "in" or not is_name(words[1]):
            message = f"a loop is written `for i in n:` or `for i in a .. b:`, not `{shorten(header)}:`"
            raise wrong(message, at_key=True)
        if not isinstance(written, dict):
            raise wrong(f"expected a map of steps, got {describe(written)}")
        start, separator, stop = words[3].partition("..")
        bounds = [start.strip(), stop.strip()] if separator else ["0", words[3].strip()]
        try:
            low, high = (int(bound) if _is_number(bound) else Formula(_dollared(bound)) for bound in bounds)
        except FormulaError as error:
            raise wrong(str(error), at_key=True) from None
        loop = Loop(header, words[1], low, high)
        if isinstance(written, Table):
            table = Table(written.place)
            table.name_place = place
            table.put("body", written, written.place, written.place)
            table["loop"] = loop
            return table
        return {"body": written, "loop": loop}


def is_name(written: Any) -> bool:
    """Whether an expression can speak of it: a word of ASCII letters, digits and underscores."""
    return isinstance(written, str) and written.isidentifier() and written.isascii()


def _is_number(bound: str) -> bool:
    return bound.isdigit() and bound.isascii() and len(bound) < 20


def _dollared(bound: str) -> str:
    return bound if bound.startswith("$") else f"$({bound})"


class Step(SpecModel):
    """One step of a body: a use of a block, or a body of its own. Its other keys are the block's parameters."""

    model_config = ConfigDict(extra="allow")

    KEYS: ClassVar[tuple[str, ...]] = STEP_KEYS

    block: Text | None = None
    body: Body | None = None
    from_: Names | None = Field(None, alias="from")
    when: Condition = True
    else_: Literal["identity"] | None = Field(None, alias="else")
    depth: Count | None = None
    names: Text | None = None
    inline: Annotated[bool, Field(strict=True)] = False
    rename: dict[str, Word] | None = None
    register_: list[Word] | None = Field(None, alias="register")
    output: Literal["training", "always"] | None = None
    loop: Any = Field(None, exclude=True)

    @classmethod
    def _canonical(cls, written: Any) -> Any:
        if isinstance(written, Table | dict):
            return _check_step(written)
        if isinstance(written, str):
            return Canonical(block=written)
        if isinstance(written, list):
            return Canonical(body=written)
        if written is None:
            return Canonical(block=None)
        raise wrong(f"expected a block's name, a map or a list of steps, got {describe(written)}")

    @property
    def arguments(self) -> dict[str, Any]:
        """The block's parameters, as written."""
        return self.__pydantic_extra__ or {}

    @property
    def is_nothing(self) -> bool:
        """Whether the step was set to null: it is not there."""
        return self.block is None and self.body is None and not self.is_broken and not self.is_patch

    @property
    def is_patch(self) -> bool:
        """Whether it says only what differs from a step that is not at hand: it was made in Python, for a base."""
        return not {"block", "body"} & self.model_fields_set

    @property
    def is_broken(self) -> bool:
        """Whether something in it was wrong and has been reported."""
        table = self.table
        return table is not None and table.broken

    def with_arguments(self, arguments: dict[str, Any]) -> Step:
        """A copy with other parameters for the block."""
        copied = self.model_copy()
        object.__setattr__(copied, "__pydantic_extra__", arguments)
        return copied

    @classmethod
    def computed(cls, fields: dict[str, Any], arguments: dict[str, Any], place: Place) -> Step:
        """A step that a function in Python makes: its values are computed, so nothing in them is read or validated."""
        step = cls.__new__(cls)
        table = Table(place)
        table.name_place = place
        object.__setattr__(step, "__dict__", {**_BLANK, **fields})
        for name, value in (("fields_set", set(fields)), ("extra", arguments), ("private", None)):
            object.__setattr__(step, f"__pydantic_{name}__", value)
        object.__setattr__(step, "table", table)
        object.__setattr__(step, "place", place)
        return step

    @model_serializer(mode="plain")
    def _write(self) -> Any:
        return _write_step(self)


def _check_step(written: dict[str, Any]) -> dict[str, Any]:
    errors: list[InitErrorDetails] = []
    values = _read_keys(written, errors)
    both, neither = {"block", "body"} <= written.keys(), not {"block", "body"} & written.keys()
    may_be_patch = not isinstance(written, Table) or written.broken  # in Python, of a step of the base
    if both or (neither and not may_be_patch):
        errors.append(_neither_or_both(written))
    for key, needed, why in _COMPANIONS:
        if key in written and needed not in written and not (neither and may_be_patch):
            reason = wrong(f"`{key}` has no effect {why}", at_key=True)
            errors.append(InitErrorDetails(type=reason, loc=(key,), input=written[key]))
    if written.get("inline") is True and "depth" in written:
        message = "`inline` cannot stand beside `depth`: repeats are children of their own"
        errors.append(InitErrorDetails(type=wrong(message, at_key=True), loc=("inline",), input=True))
    if errors:
        raise ValidationError.from_exception_data("step", errors)
    return values


def _read_keys(written: dict[str, Any], errors: list[InitErrorDetails]) -> Canonical:
    """The keys of a step, with what is to be computed read; what is wrong is added to the errors."""
    values = Canonical()
    for key, value in written.items():
        if key in PLACING and isinstance(written, Table):  # those of sections are gone, see `merge.arrange`
            message = f"`{key}` places a step of a section; in other bodies write the step where it belongs"
            errors.append(InitErrorDetails(type=wrong(message, at_key=True), loc=(key,), input=value))
            continue
        if _is_python_only(key, value, written):
            errors.append(InitErrorDetails(type=python_only(key), loc=(key,), input=value))
            continue
        if key in STEP_FIELDS:
            values[key] = value
            continue
        try:
            values[str(key)] = compute_later(value)
        except PydanticCustomError as error:
            errors.append(InitErrorDetails(type=error, loc=(key,), input=value))
        except ValidationError as error:
            for each in error.errors(include_url=False):
                reason = wrong(str(each["ctx"]["message"]))
                errors.append(InitErrorDetails(type=reason, loc=(key, *each["loc"]), input=value))
    return values


def _neither_or_both(written: dict[str, Any]) -> InitErrorDetails:
    if "block" in written:
        message = "a step has either `block` or `body`, not both"
        return InitErrorDetails(type=wrong(message, "remove one of them"), loc=(), input=written)
    for key, value in written.items():
        near = nearest(key, ("block", "body"))
        if near is not None:
            reason = wrong(f"unknown key `{key}`", f"did you mean `{near}`?", code="unknown-key", at_key=True)
            return InitErrorDetails(type=reason, loc=(key,), input=value)
    message = "this step says neither `block` nor `body`"
    help = "name a block, as in {block: conv, width: 64, kernel: 3}, or give its steps in `body`"
    return InitErrorDetails(type=wrong(message, help, code="no-block"), loc=(), input=written)


def _is_python_only(key: str, value: Any, written: dict[str, Any]) -> bool:
    """Whether a key of a text is a field's name in Python, which means nothing in a text."""
    own = key in STEP_FIELDS and (key.endswith("_") or (key == "loop" and not isinstance(value, Loop)))
    return own and isinstance(written, Table)


def python_only(key: str) -> PydanticCustomError:
    """The error for a name that means something in Python alone."""
    help = "a loop is written `for i in n:`" if key == "loop" else f"write `{key.rstrip('_')}`"
    return wrong(f"unknown key `{key}`", help, code="unknown-key", at_key=True)


_BLANK = {name: field.default for name, field in Step.model_fields.items()}
"""The fields of a step that says nothing."""
_COMPANIONS = (("names", "depth", "without `depth`: it names repeats"), ("else", "when", "without `when`"))
"""Keys that need another one to mean anything."""


def _write_step(step: Step) -> Any:
    """The shortest way to write a step."""
    if step.is_nothing:
        return None
    written: dict[str, Any] = {}
    for key, value in (
        ("block", step.block),
        ("from", step.from_ and (step.from_[0] if len(step.from_) == 1 else step.from_)),
        ("depth", step.depth),
        *step.arguments.items(),
        ("when", None if step.when is True else step.when),
        ("else", step.else_),
        ("names", step.names),
        ("inline", step.inline or None),
        ("rename", step.rename),
        ("register", step.register_),
        ("output", step.output),
    ):
        if value is not None or key in step.arguments:
            written[key] = value  # noqa: PERF403 -- the condition needs more room than a comprehension has
    if step.body is not None:
        body = write_body(step.body)
        if not written and isinstance(body, list):
            return body
        written["body"] = body
    return step.block if list(written) == ["block"] else written


def write_body(body: Any) -> Any:
    """A body as plain maps and lists."""
    if isinstance(body, list):
        return [_write_step(step) for step in body]
    if isinstance(body, dict):
        return {
            (step.loop.header if step.loop else name): (write_body(step.body) if step.loop else _write_step(step))
            for name, step in body.items()
        }
    return body
