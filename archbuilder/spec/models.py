"""The spec as pydantic models: what may be written where.

The models say nothing of blocks' own parameters: those are open keys of a step, checked against the block when the spec is
lowered. A model that was read from a text remembers its table, and so where everything in it was written.
"""

from __future__ import annotations

import difflib
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    ModelWrapValidatorHandler,
    PlainSerializer,
    PrivateAttr,
    Tag,
    model_serializer,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from archbuilder.diagnostics import Place, shorten
from archbuilder.parameters import TYPES, Parameter, describe
from archbuilder.spec.formula import Formula, FormulaError
from archbuilder.spec.table import Items, Table, key_place, place_of, value_place
from archbuilder.spec.values import (
    Anything,
    Channels,
    ClassName,
    Condition,
    Count,
    Entries,
    ImageSize,
    Names,
    OutputShape,
    Quantity,
    Text,
    Word,
    compute_later,
    declare,
    wrong,
)


class _Fields(dict[str, Any]):
    """A step in canonical form. Pydantic calls the validator of a recursive model twice, each time with the other's."""


class SpecModel(BaseModel):
    """A part of a spec: no unknown keys, and a memory of the place where it was written."""

    # Slots, not private attributes: pydantic finds those only after a failed look-up, and these are asked for very often.
    __slots__ = ("place", "table")

    place: ClassVar[Place | None]
    """Where this part begins; None if it was made in Python, copied or unpickled."""
    table: ClassVar[Table | None]
    """What it was read from, likewise."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, arbitrary_types_allowed=True)

    @model_validator(mode="wrap")
    @classmethod
    def _remember(cls, written: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(written, cls):
            return written
        if type(written) is _Fields:
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
        return written

    def __setstate__(self, state: dict[Any, Any]) -> None:
        super().__setstate__(state)
        _forget_places(self)

    def __copy__(self) -> Self:
        return _forget_places(super().__copy__())

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return _forget_places(super().__deepcopy__(memo))

    @property
    def is_shipped(self) -> bool:
        """Whether it is part of a shipped file."""
        place = self.place
        return place is not None and place.source.shipped

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


_Model = TypeVar("_Model", bound=SpecModel)


def _forget_places(model: _Model) -> _Model:
    """A copy has no place in a text."""
    object.__setattr__(model, "table", None)
    object.__setattr__(model, "place", None)
    return model


def _kind_of_body(written: Any) -> str:
    if isinstance(written, str):
        return "slot"
    return "list" if isinstance(written, list) else "map"


def _kind_of_steps(written: Any) -> str:
    return "list" if isinstance(written, list) else "map"


def _check_map(written: Any) -> Any:
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
            steps[key] = Loop.read(key, value, key_place(written, key)) if is_loop else _in_full(written, key, value)
        except PydanticCustomError as error:
            errors.append(InitErrorDetails(type=error, loc=(key,), input=value))
    if errors:
        raise ValidationError.from_exception_data("steps", errors)
    return steps


def _check_template(key: str) -> None:
    try:
        Formula(key)
    except FormulaError as error:
        raise wrong(str(error), at_key=True) from None


def _check_list(written: Any) -> Any:
    if not isinstance(written, Items):
        return written
    return [_in_full(written, number, value) for number, value in enumerate(written)]


def _in_full(container: Any, key: str | int, value: Any) -> Any:
    """A step that is written in short (`norm`, a list), in full, so that it has a place; its name's is noted too."""
    place = value_place(container, key)
    if place is None:
        return value
    if isinstance(value, str | list) and value != "":
        table = Table(place)
        table.put("block" if isinstance(value, str) else "body", value, place, place)
    elif isinstance(value, Table):
        table = value.copy() if value.name_place else value  # behind an alias it is there twice
    else:
        return value
    table.name_place = key_place(container, str(key)) or place
    return table


Steps: TypeAlias = Annotated[
    Annotated[Annotated[dict[str, "Step"], BeforeValidator(_check_map)], Tag("map")]
    | Annotated[Annotated[list["Step"], BeforeValidator(_check_list)], Tag("list")],
    Discriminator(_kind_of_steps),
]
"""The steps of a block: a map names its children, a list numbers them."""

Body: TypeAlias = Annotated[
    Annotated[Annotated[dict[str, "Step"], BeforeValidator(_check_map)], Tag("map")]
    | Annotated[Annotated[list["Step"], BeforeValidator(_check_list)], Tag("list")]
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
        if len(words) < 4 or words[2] != "in" or not _is_name(words[1]):
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


def _is_name(written: Any) -> bool:
    """Whether an expression can speak of it: a word of ASCII letters, digits and underscores."""
    return isinstance(written, str) and written.isidentifier() and written.isascii()


def _is_number(bound: str) -> bool:
    return bound.isdigit() and bound.isascii() and len(bound) < 20


def _dollared(bound: str) -> str:
    return bound if bound.startswith("$") else f"$({bound})"


class Step(SpecModel):
    """One step of a body: a use of a block, or a body of its own. Its other keys are the block's parameters."""

    model_config = ConfigDict(extra="allow")

    KEYS: ClassVar[tuple[str, ...]] = (
        "block", "body", "from", "when", "else", "depth", "names", "inline", "rename", "register", "output", "before", "after",
    )  # fmt: skip

    block: Text | None = None
    body: Body | None = None
    from_: Names | None = Field(None, alias="from")
    when: Condition = True
    else_: Literal["identity"] | None = Field(None, alias="else")
    depth: Count | None = None
    names: Text | None = None
    inline: bool = False
    rename: dict[str, Word] | None = None
    register_: list[Word] | None = Field(None, alias="register")
    output: Literal["training", "always"] | None = None
    loop: Any = Field(None, exclude=True)

    @classmethod
    def _canonical(cls, written: Any) -> Any:
        if isinstance(written, Table | dict):
            return _check_step(written)
        if isinstance(written, str):
            return _Fields(block=written)
        if isinstance(written, list):
            return _Fields(body=written)
        if written is None:
            return _Fields(block=None)
        raise wrong(f"expected a block's name, a map or a list of steps, got {describe(written)}")

    @property
    def arguments(self) -> dict[str, Any]:
        """The block's parameters, as written."""
        return self.__pydantic_extra__ or {}

    @property
    def is_nothing(self) -> bool:
        """Whether the step was set to null: it is not there."""
        return self.block is None and self.body is None and not self.is_broken

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
    values = _Fields()
    for key, value in written.items():
        if key in ("before", "after"):  # those of sections are gone by now, see `merge.arrange`
            message = f"`{key}` places a step of a section; in other bodies write the step where it belongs"
            errors.append(InitErrorDetails(type=wrong(message, at_key=True), loc=(key,), input=value))
            continue
        if key in _FIELDS and not _is_python_only(key, value, written):
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
    broken = isinstance(written, Table) and written.broken
    if not broken and ("block" in written) == ("body" in written):
        errors.append(_neither_or_both(written))
    for key, needed, why in _COMPANIONS:
        if key in written and needed not in written:
            reason = wrong(f"`{key}` has no effect {why}", at_key=True)
            errors.append(InitErrorDetails(type=reason, loc=(key,), input=written[key]))
    if written.get("inline") is True and "depth" in written:
        message = "`inline` cannot stand beside `depth`: repeats are children of their own"
        errors.append(InitErrorDetails(type=wrong(message, at_key=True), loc=("inline",), input=True))
    if errors:
        raise ValidationError.from_exception_data("step", errors)
    return values


def _neither_or_both(written: dict[str, Any]) -> InitErrorDetails:
    if "block" in written:
        message = "a step has either `block` or `body`, not both"
        return InitErrorDetails(type=wrong(message, "remove one of them"), loc=(), input=written)
    for key, value in written.items():
        near = difflib.get_close_matches(key, ("block", "body"), 1, 0.65)
        if near:
            reason = wrong(f"unknown key `{key}`", f"did you mean `{near[0]}`?", code="unknown-key", at_key=True)
            return InitErrorDetails(type=reason, loc=(key,), input=value)
    message = "this step says neither `block` nor `body`"
    help = "name a block, as in {block: conv, width: 64, kernel: 3}, or give its steps in `body`"
    return InitErrorDetails(type=wrong(message, help, code="no-block"), loc=(), input=written)


def _is_python_only(key: str, value: Any, written: dict[str, Any]) -> bool:
    """Whether a key of a text is a field's name in Python, which means nothing in a text."""
    return isinstance(written, Table) and (key.endswith("_") or (key == "loop" and not isinstance(value, Loop)))


_BLANK = {name: field.default for name, field in Step.model_fields.items()}
"""The fields of a step that says nothing."""
_COMPANIONS = (("names", "depth", "without `depth`: it names repeats"), ("else", "when", "without `when`"))
"""Keys that need another one to mean anything."""
_FIELDS = frozenset({*Step.KEYS, "loop", "from_", "else_", "register_"})


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


def _read_parameters(written: Any) -> dict[str, Parameter]:
    if not isinstance(written, dict):
        raise wrong(f"expected a map of parameters, got {describe(written)}")
    errors: list[InitErrorDetails] = []
    parameters: dict[str, Parameter] = {}
    for name, value in written.items():
        try:
            if not _is_name(name):
                help = "write a name, then its default or type, as in {heads: 2}"
                raise wrong(f"a parameter's name is a word, got {describe(name)}", help, at_key=True)
            if name in _FIELDS or name in ("input", "here", "repeat"):
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
        if not _is_name(name)
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


class Input(SpecModel):
    """What goes in: an image of so many channels and such a size, in pixels."""

    channels: Channels = 3
    size: ImageSize = 224


class Reference(SpecModel):
    """Where the network comes from: its paper, and whose weights it can load."""

    paper: Word | None = None
    weights: Word | None = None
    note: Word | None = None


class WidthScale(SpecModel):
    """Widths times `by`, rounded to a multiple of `to`, but never below `keep` of the product (MobileNet's rule)."""

    by: Anything
    to: Channels = 8
    keep: float = 0.9


class DepthScale(SpecModel):
    """Depths times `by`, rounded up or to the nearest whole number."""

    by: Anything
    round: Literal["ceil", "round"] = "ceil"


class Scale(SpecModel):
    """Multipliers for every width and depth that stem and stages write."""

    width: WidthScale | None = None
    depth: DepthScale | None = None


class Expect(SpecModel):
    """Facts that the author states and every check verifies. They hold for the spec as written, with no parameter set."""

    layers: Quantity | None = None
    parameters: Quantity | None = None
    macs: Quantity | None = None
    output: OutputShape | None = None


def _kind_of_section(written: Any) -> str:
    if isinstance(written, list):
        return "list"
    if isinstance(written, Step | str) or (isinstance(written, dict) and isinstance(written.get("block"), str)):
        return "use"
    return "map"


Section = Annotated[
    Annotated[Annotated[dict[str, Step], BeforeValidator(_check_map)], Tag("map")]
    | Annotated[Annotated[list[Step], BeforeValidator(_check_list)], Tag("list")]
    | Annotated[Step, Tag("use")],
    Discriminator(_kind_of_section),
]

SECTIONS = ("stem", "stages", "neck", "head")


class Architecture(SpecModel):
    """A network: the whole of a spec, its bases merged in.

    It may also be written in Python, with the same words: ``Architecture(name="tiny", stages={"layer1": {...}})``.
    """

    name: Word
    class_: ClassName | None = Field(None, alias="class")
    help: str = ""
    extends: Word | None = None
    reference: Reference | None = None
    parameters: Entries = Field(default_factory=dict)
    input: Input = Field(default_factory=Input)
    defaults: Entries = Field(default_factory=dict)
    blocks: dict[str, BlockDefinition] = Field(default_factory=dict)
    use: Names | None = None
    plugins: Names | None = None
    stem: Section | None = None
    stages: Section | None = None
    neck: Section | None = None
    head: Section | None = None
    scale: Scale | None = None
    sequential: Word | None = None
    output_stride: Literal[8, 16, 32] | None = None
    features: list[Text] | None = None
    rename: dict[str, Word] | None = None
    register_: list[Word] | None = Field(None, alias="register")
    expect: Expect | None = None
    default: Word | None = None
    variants: dict[str, Any] = Field(default_factory=dict)

    _overridden: bool = PrivateAttr(default=False)

    @classmethod
    def _canonical(cls, written: Any) -> Any:
        canonical = super()._canonical(written)
        short = {
            name: _in_full(written, name, written[name]) for name in SECTIONS if isinstance(written.get(name), str)
        }
        return {**canonical, **short} if short else canonical

    @property
    def is_overridden(self) -> bool:
        """Whether a parameter was set from outside, so that `expect` does not apply."""
        return self._overridden

    def mark_overridden(self, overridden: bool) -> None:
        """Notes whether a parameter was set from outside."""
        self._overridden = overridden

    def sections(self) -> dict[str, Any]:
        """The sections that are there, in order of execution: a body, or one use of a block."""
        found = {name: getattr(self, name) for name in SECTIONS}
        return {name: section for name, section in found.items() if section is not None}


BlockDefinition.model_rebuild()
Architecture.model_rebuild()

__all__ = [
    "SECTIONS",
    "Architecture",
    "BlockDefinition",
    "Expect",
    "Formula",
    "Input",
    "Loop",
    "Reference",
    "Step",
    "write_body",
]
