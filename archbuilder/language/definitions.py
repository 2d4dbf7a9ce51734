"""Definitions of blocks: what a block can be told, what it derives from that, and its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

from pydantic import Field, PlainSerializer

from archbuilder.diagnostics import Place, nearest, suggest
from archbuilder.language.dotted import NO_NAMES
from archbuilder.language.formula import Formula, is_formula
from archbuilder.language.habits import lacks_brackets, type_elsewhere
from archbuilder.language.misnamed import is_name, silenced
from archbuilder.language.steps import Steps, read_body, write_body
from archbuilder.language.table import Table, value_place
from archbuilder.language.validation import Misfit, Reading, SpecModel, compute_later, copied, read_formulas, refuse
from archbuilder.language.values import Count, Entries, Names, Order
from archbuilder.language.words import DECLARATION, NO_PARAMETERS, RESERVED
from archbuilder.parameters import MAXIMUM_INTEGER, REQUIRED, TYPES, Parameter, ParameterError, describe


def _write_parameters(parameters: dict[str, Parameter]) -> dict[str, Any]:
    return {name: _write_parameter(parameter) for name, parameter in parameters.items()}


_SHORT: Final = {"bool": "bool", "int": "int", "float": "float", "string": "str"}
"""The types of parameters that are known from a default, and the defaults' own."""


def _write_parameter(parameter: Parameter) -> Any:
    """The shortest declaration of a parameter."""
    short = Parameter(parameter.name, parameter.type, parameter.default)
    if parameter == short and type(short.default).__name__ == _SHORT.get(short.type) and short.default not in TYPES:
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


class BlockDefinition(SpecModel):
    """A block: what it can be told, what it derives from that, and its steps."""

    MERGED: ClassVar[tuple[str, ...]] = ("extends",)

    help: str = ""
    parameters: Annotated[dict[str, Any], PlainSerializer(_write_parameters)] = Field(default_factory=dict)
    let: Entries = Field(default_factory=dict)
    body: Annotated[Steps, PlainSerializer(write_body)]
    layers: Count | None = None
    return_: Names | None = None
    register_: Order | None = None

    if (
        TYPE_CHECKING
    ):  # a type checker without pydantic's plugin would allow nothing that merely stands for a field: `body=["norm"]`

        def __init__(self, /, **fields: Any) -> None: ...

    @classmethod
    def prepared(cls, written: dict[str, Any], reading: Reading | None) -> dict[str, Any]:
        values = dict(super().prepared(written, reading))
        if isinstance(written, Table) and isinstance(written.get("extends"), str):
            del values["extends"]  # it has been laid over that, which the text goes on to name
        if reading is not None and (names := _wrong_names(written)):
            for key, value in values.items():
                values[key] = written[key] = silenced(value, names)
        if reading is not None and isinstance(values.get("let"), Table):
            refuse_uncomputed(values["let"], written.get("parameters"), reading)
        for key, read in (("parameters", _read_parameters), ("let", _read_derived), ("body", read_body)):
            if key not in values:
                continue
            try:
                values[key] = read(values[key], reading)
            except Misfit as fault:
                refuse(written, key, fault, reading)
                values[key] = written[key] = {}
            inner = written[key]
            if isinstance(written, Table) and isinstance(inner, Table):
                written.broken |= inner.broken  # what follows has been said
        return values

    def default_of(self, name: str) -> tuple[Any, Place | None]:
        """What a parameter or a derived value is where nobody says anything, and where that is written."""
        if name in self.let:
            return self.let[name], value_place(self.let, name)
        parameters = self.table.get("parameters") if self.table is not None else None
        declared = parameters.get(name) if isinstance(parameters, Table) else None
        default = self.parameters[name].default if name in self.parameters else None
        return default, value_place(declared, "default") or value_place(parameters, name)


def _wrong_names(written: dict[str, Any]) -> list[str]:
    """What a block calls its parameters and derived values, as far as these cannot be called so."""
    declared, derived = (written.get(word) for word in ("parameters", "let"))
    names = [name for name in declared if name in NO_PARAMETERS] if isinstance(declared, dict) else []
    for each in (declared, derived):
        names += [name for name in each if not is_name(name)] if isinstance(each, dict) else []
    return names


def _read_parameters(written: Any, reading: Reading | None) -> dict[str, Parameter]:
    """The parameters that a block declares."""
    if not isinstance(written, dict):
        raise Misfit(f"expected a map of parameters, got {describe(written)}")
    parameters: dict[str, Parameter] = {}
    for name, value in list(written.items()):
        try:
            if lacks_brackets(value, {*RESERVED, *written}):
                help = f"write {{type: int, default: $({value})}}, for example"
                raise _uncomputed(value, help)
            parameters[name] = value if isinstance(value, Parameter) else declare(name, value)
        except Misfit as fault:
            refuse(written, name, fault, reading)
    return parameters


def _read_derived(written: Any, reading: Reading | None) -> Any:
    """The values that a block derives from its parameters."""
    if not isinstance(written, dict):
        raise Misfit(f"expected a map, got {describe(written)}")
    values = written if reading is not None else copied(written)
    read_formulas(values, reading)
    for name in [each for each in values if each in RESERVED or not is_name(each)]:
        fault = Misfit(f"a derived value's name is a word, got {describe(name)}", at_key=True)
        if name in NO_NAMES or name in RESERVED:
            fault = Misfit(f"`{name}` is a word of the language", "give the derived value another name", at_key=True)
        refuse(values, name, fault, reading)
    return values


def declare(name: str, written: Any) -> Parameter:
    """The parameter that a spec declares: `width: channels`, `stride: 1` or a map that says more.

    Raises:
        Misfit: if the declaration is malformed.
    """
    if name in NO_PARAMETERS or name in NO_NAMES:
        raise Misfit(f"`{name}` is a word of the language", "give the parameter another name", at_key=True)
    if not is_name(name):
        help = "write a name, then its default or type, as in {heads: 2}"
        raise Misfit(f"a parameter's name is a word, got {describe(name)}", help, at_key=True)
    if isinstance(written, dict):
        return _declare_in_full(name, written)
    if isinstance(written, list) and len(written) == 1 and isinstance(written[0], str):
        return _declare_in_full(name, {"type": written})
    if _is_type(written):
        return Parameter(name, written)
    if isinstance(written, str) and (type_elsewhere(written) is not None or nearest(written, TYPES, 0.8)):
        raise Misfit(_no_type(written), f"{_types(written)}; a text as default is written {{default: {written}}}")
    if isinstance(written, list):
        return _declare_in_full(name, {"default": written})
    _refuse_untyped(name, written)
    return _checked(Parameter(name, _type_of(written), default=compute_later(written)))


def refuse_declarations(parameters: dict[str, Any], reading: Reading | None) -> None:
    """Refuses a network's parameters that are declared as those of a block are: they are values, and have no types.

    Raises:
        Misfit: if the network was made in Python.
    """
    for name, written in parameters.items():
        keys = written.keys() if isinstance(written, dict) else set()
        if not keys & {"type", "default"} or not keys <= {*DECLARATION}:
            continue
        default = written.get("default")
        example = f"{name}: {describe(default)}" if type(default) in (int, float, bool) else "classes: 10"
        help = f"write its default alone, as in `{example}`"
        message = f"`{name}` is declared as a block's parameter is; those of a network are values, without types"
        fault = Misfit(message, help)
        if reading is None:
            raise fault
        reading.report(parameters, name, fault)
        parameters[name] = Formula.malformed(name)  # so that nothing is said of what lacks it


def refuse_uncomputed(values: Table, others: Any, reading: Reading) -> None:
    """Reports texts among values, of which expressions speak as of `others`, that were to be computed."""
    names = {*RESERVED, *values, *(others if isinstance(others, dict) else ())}
    for name, value in values.items():
        if lacks_brackets(value, names):
            reading.report(values, name, _uncomputed(value, f"put it in brackets: $({value})"))
            values[name] = Formula.malformed(value)


def _uncomputed(text: str, help: str) -> Misfit:
    return Misfit(f"{describe(text)} is a text: it is not computed", help)


def _refuse_untyped(name: str, default: Any) -> None:
    if is_formula(default):
        message = f"this expression does not say what type `{name}` has"
        raise Misfit(message, f"write {{type: int, default: {default}}}, for example")


def _type_of(default: Any) -> str:
    if default is None:
        raise Misfit("null does not say what type this parameter has", "write {type: int, default: null}, for example")
    for type_, name in ((bool, "bool"), (int, "int"), (float, "float"), (str, "string")):
        if type(default) is type_:
            return name
    raise Misfit(
        f"{describe(default)} does not declare a parameter",
        f"write a default, a type ({', '.join(_TYPES)}), or a map with {', '.join(DECLARATION)}",
    )


def _element_of(name: str, default: list[Any]) -> str:
    """The type of the elements of a list that is a default, which says it."""
    if not default or any(isinstance(each, dict | list) or is_formula(each) for each in default):
        message = f"{describe(default)} does not say what type the elements of `{name}` have"
        raise Misfit(message, "write {type: [int], default: [...]}, for example")
    types = {_type_of(each) for each in default}
    if len(types - {"int"}) > 1 or (len(types) > 1 and "float" not in types):
        raise Misfit(f"the elements of a list have one type, got {describe(default)}")
    return "float" if len(types) > 1 else types.pop()


def _no_type(written: Any) -> str:
    return f"{describe(written)} is not a type"


def _types(written: Any) -> str:
    near = type_elsewhere(written) or nearest(str(written), _TYPES)
    return f"did you mean `{near}`?" if near else f"the types are {', '.join(_TYPES)}; a list of numbers is [int]"


def _declare_in_full(name: str, written: dict[str, Any]) -> Parameter:
    for key in written:
        if key not in DECLARATION:
            advice = suggest(key, DECLARATION) or ""
            message = f"unknown key `{key}` in the declaration of `{name}`"
            raise Misfit(message, advice, code="unknown-key", at_key=True, inside=key)
    type_, element = written.get("type"), ""
    choices = _choices(written.get("choices"))
    try:
        default = compute_later(written.get("default", REQUIRED))
    except Misfit as fault:
        raise Misfit(fault.message, fault.help, inside="default") from None
    if isinstance(type_, list) and len(type_) == 1:
        type_, element = "list", type_[0]
    elif type_ is None and not choices and isinstance(default, list):
        type_, element = "list", _element_of(name, default)
    if type_ is None and not choices:
        _refuse_untyped(name, default)
    if type_ is None:
        type_ = "string" if choices or default is REQUIRED else _type_of(default)
    listed = type_ == "list" and bool(element)
    if not (listed or _is_type(type_)) or (listed and (not _is_type(element) or element in _NO_ELEMENTS)):
        raise Misfit(_no_type(element or type_), _types(element or type_), inside="type")
    if choices and type_ != "string":
        raise Misfit(f"`choices` are for a text, and `{name}` is {TYPES[type_]}", inside="choices", at_key=True)
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
            raise Misfit(f"`{key}` must be a number, got {describe(bound)}", inside=key)
        if bound is not None and type_ not in _BOUNDED:
            raise Misfit(f"`{key}` is for numbers, and `{name}` is {TYPES[type_]}", inside=key, at_key=True)
    low, high = written.get("min"), written.get("max")
    if low is not None and high is not None and low > high:
        raise Misfit(f"`min` ({low:g}) is above `max` ({high:g})", inside="min")
    for key, kind, what in (("help", str, "a text"), ("optional", bool, "true or false")):
        if key in written and type(written[key]) is not kind:
            raise Misfit(f"`{key}` must be {what}, got {describe(written[key])}", inside=key)


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
        raise Misfit(f"`choices` must be a list of texts, got {describe(written)}", inside="choices")
    return tuple(written)


def _with_slot(parameter: Parameter) -> Parameter:
    """A slot whose default can be put into it."""
    kinds: tuple[type, ...] = (str, dict) if parameter.type == "block" else (dict,)
    if parameter.default is None or isinstance(parameter.default, kinds):
        return parameter
    message = f"the default does not fit: `{parameter.name}` must be {parameter.expectation()}, got {describe(parameter.default)}"
    raise Misfit(message, "null leaves the slot empty" if parameter.type == "block" else "", inside="default")


def _checked(parameter: Parameter) -> Parameter:
    """The parameter, if its default fits its type. Computed defaults and slots are checked where they are used."""
    if parameter.required or is_formula(parameter.default):
        return parameter
    if parameter.type in ("block", "steps"):
        return _with_slot(parameter)
    try:
        parameter.check(parameter.default)
    except ParameterError as error:
        raise Misfit(f"the default does not fit: {error}", inside="default") from None
    return parameter
