"""The decorators that make functions blocks, and classes ops."""

from __future__ import annotations

import inspect
import linecache
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any, TypeVar, get_args, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError

from archbuilder.diagnostics import Place, Source
from archbuilder.graph.helpers import names_bound
from archbuilder.graph.op import Op
from archbuilder.parameters import SLOTS, TYPES, Parameter, ParameterError, describe
from archbuilder.plugin.registry import REGISTRY, PluginError, PythonBlock, place_of_line
from archbuilder.plugin.signature import parameters_of, signature_of


def place_of_caller(frame: FrameType | None) -> tuple[Place, str]:
    """The line that a frame is at, and its module."""
    if frame is None:
        raise PluginError("this Python cannot say which line is being run")
    file = frame.f_code.co_filename
    source = Source(file, "".join(linecache.getlines(file)))
    return place_of_line(source, frame.f_lineno), str(frame.f_globals.get("__name__", file))


_Function = TypeVar("_Function", bound=Callable[..., Any])
_Op = TypeVar("_Op", bound=type[Op])


def block(
    name: str, *, parameters: type[BaseModel] | None = None, layers: int | None = None
) -> Callable[[_Function], _Function]:
    """Makes a function a block that specs can use.

    The function takes a `Builder`, a `Value` for each value that goes in, and last a pydantic model with what it is told. It
    gives a value, or several, which are then streams. Its docstring's first line is the block's help.

    Args:
        name: what specs call it.
        parameters: the model, if the function's annotations do not say it.
        layers: how many layers it counts for, if its longest way does not say it.

    Raises:
        PluginError: if it cannot be a block.
    """
    place, module = place_of_caller(inspect.currentframe().f_back)  # type: ignore[union-attr]
    if layers is not None and (type(layers) is not int or layers < 0):
        raise PluginError(f"`layers` must be a whole number, got {describe(layers)}")

    def register(function: _Function) -> _Function:
        signature = signature_of(function, parameters)
        told = parameters_of(signature.model)
        help = (inspect.getdoc(function) or "").partition("\n")[0]
        made = PythonBlock(
            name, function, signature.model, told, signature.inputs, signature.keyword, place, help, layers
        )
        REGISTRY.add(name, made, place, module)
        return function

    return register


def op(cls: _Op) -> _Op:
    """Registers an op: a frozen dataclass that is derived from `Op`, as the shipped ones are.

    Raises:
        PluginError: if it cannot be an op.
    """
    place, module = place_of_caller(inspect.currentframe().f_back)  # type: ignore[union-attr]
    register_op(cls, place, module)
    return cls


def register_op(cls: type[Op], place: Place, module: str) -> None:
    """Registers an op that is defined at a place.

    Raises:
        PluginError: if it cannot be an op.
    """
    if "__dataclass_fields__" not in cls.__dict__ or Op not in cls.__mro__:
        raise PluginError(f"`{cls.__name__}` is no dataclass derived from Op", "write @dataclass(frozen=True)")
    for word in ("name", "help"):
        if not isinstance(getattr(cls, word, None), str):
            raise PluginError(f"the op `{cls.__name__}` has no `{word}`", f'write {word}: ClassVar[str] = "..."')
    _check_parameters(cls.name, cls.parameters)
    _check_attributes(cls)
    _check_needs(cls, module)
    REGISTRY.add(cls.name, cls, place, module)


def _check_parameters(name: str, parameters: Iterable[Any]) -> None:
    """What an op declares must be parameters, whose defaults fit them."""
    for each in parameters:
        if not isinstance(each, Parameter) or each.type not in TYPES or each.element not in ("", *TYPES):
            help = 'as in Parameter("dim", "int", 3, "which one")'
            raise PluginError(f"the parameters of `{name}` have {each!r}, which declares none", help)
        try:
            if not (each.required or each.type in SLOTS):
                each.check(each.default)
        except ParameterError as error:
            raise PluginError(f"the default does not fit: {error}") from None


def _check_attributes(cls: type[Op]) -> None:
    """What an op says of itself must be of the kind that `Op` says; of a property it is told when it is asked."""
    for word, kind in get_type_hints(Op).items():
        value = getattr(cls, word)
        if word == "parameters" or isinstance(value, property):
            continue
        (inner,) = get_args(kind)
        fits = _fits(inner, tuple(value) if isinstance(value, list) else value)  # a list serves as well
        if word == "inputs" and fits:
            least, most = value
            fits = least >= 0 and (most is None or most >= least)
        if word == "size_parameter" and fits:
            fits = value is None or value in [each.name for each in cls.parameters]
        if not fits:
            usual = f" = {getattr(Op, word)!r}" if hasattr(Op, word) else ""
            help = f"write it as in {word}: {Op.__annotations__[word]}{usual}"
            raise PluginError(f"`{word}` of `{cls.name}` cannot be {value!r}", help)


def _fits(kind: Any, value: Any) -> bool:
    """Whether a value is of a kind, without being made of it."""
    try:
        TypeAdapter(kind, config={"arbitrary_types_allowed": True}).validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


def _check_needs(cls: type[Op], module: str) -> None:
    """Two ops may not mean different things by one name in emitted source."""
    try:
        own = {name: text for text in cls.needs for name in names_bound(text)}
    except SyntaxError as error:
        raise PluginError(f"what `{cls.name}` needs in emitted source is no Python: {error.msg}") from None
    for text in REGISTRY.other_needs(module, cls.name):
        for name in names_bound(text) & own.keys():
            if own[name] != text:
                message = f"`{name}`, which `{cls.name}` needs in emitted source, is something else in another op"
                raise PluginError(message, "give it another name")
