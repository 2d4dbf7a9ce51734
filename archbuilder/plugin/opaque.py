"""The opaque op: an `nn.Module` of a user's own, of which only the shape rule is known."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, ClassVar, Final, Self

from pydantic import BaseModel

from archbuilder.graph.answers import Construct, Tensor
from archbuilder.graph.op import Op, OpError
from archbuilder.graph.shapes import Held, Map, Shape, Streams, Tokens, Vector
from archbuilder.plugin.define import place_of_caller, register_op
from archbuilder.plugin.registry import PluginError
from archbuilder.plugin.signature import Misfit, parameters_of, told

_TARGET: Final = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):([A-Za-z_]\w*)", re.ASCII)


@dataclass(frozen=True)
class ModuleOp(Op):
    """A module that somebody else has written. What its rules say is computed once, for the inputs at hand."""

    spreads: ClassVar[bool] = True
    source: ClassVar[tuple[str, str]]
    model: ClassVar[type[BaseModel] | None] = None
    rules: ClassVar[Mapping[str, Callable[..., Any]]]

    keywords: tuple[tuple[str, Any], ...]
    output: Shape
    tensors: tuple[Tensor, ...]
    cost: int | None

    @classmethod
    def resolve(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> Self:
        try:
            facts = inputs if cls.model is None else (*inputs, told(cls.model, given))
        except Misfit as error:
            (parameter, message), *_ = error.faults
            raise OpError(message, None, parameter) from None
        output = _shape(cls.name, cls.rules["shape"](*facts))  # first: this is the rule that refuses what does not fit
        keywords = cls.rules["arguments"](*facts) if "arguments" in cls.rules else given
        state = cls.rules["state"](*facts) if "state" in cls.rules else {}
        macs = cls.rules["macs"](*facts) if "macs" in cls.rules else None
        tensors = tuple(_tensor(cls.name, name, sizes) for name, sizes in state.items())
        written = tuple((word, _written(cls.name, word, value)) for word, value in _table(cls.name, keywords).items())
        return cls(written, output, tensors, macs)

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        return self.output

    def state(self) -> tuple[Tensor, ...]:
        return self.tensors

    def macs(self, output: Shape) -> int | None:
        return self.cost

    def emit(self) -> Construct:
        return Construct(self.source[1], (), self.keywords)


def _shape(name: str, found: Any) -> Shape:
    if isinstance(found, Map | Vector | Tokens | Held):
        return found
    if isinstance(found, list | tuple) and found and all(isinstance(each, Map | Vector | Tokens) for each in found):
        return Streams(found)
    help = "return a Map, a Vector, Tokens, or a list of these, as in x._replace(channels=64)"
    raise PluginError(f"the shape rule of `{name}` gave {found!r}", help)


def _table(op: str, keywords: Any) -> Mapping[str, Any]:
    if isinstance(keywords, Mapping) and all(isinstance(word, str) and word.isidentifier() for word in keywords):
        return keywords
    raise PluginError(f"the arguments of `{op}` are {keywords!r}", "return a dict of keywords and their values")


def _written(op: str, word: str, value: Any) -> Any:
    """An argument as emitted source can say it; a list becomes a tuple, since an op cannot be changed."""
    if isinstance(value, list | tuple):
        return tuple(_written(op, word, each) for each in value)
    if value is None or type(value) in (bool, int, str) or (type(value) is float and isfinite(value)):
        return value
    help = "give numbers, texts, true, false, None, or lists of these, and let the class make what it needs of them"
    raise PluginError(f"the arguments of `{op}` give {value!r} for `{word}`, which the source cannot say", help)


def _tensor(op: str, name: str, sizes: Any) -> Tensor:
    if isinstance(sizes, Tensor):
        return sizes._replace(name=name)
    if isinstance(sizes, tuple | list):
        return Tensor(name, tuple(sizes))
    raise PluginError(f"the state of `{op}` says {sizes!r} of `{name}`", "write its sizes: (64, 3, 7, 7)")


def module(
    name: str,
    source: str | type,
    *,
    shape: Callable[..., Any],
    parameters: type[BaseModel] | None = None,
    state: Callable[..., Mapping[str, Any]] | None = None,
    arguments: Callable[..., Mapping[str, Any]] | None = None,
    macs: Callable[..., int | None] | None = None,
    help: str = "",
) -> None:
    """Makes an `nn.Module` of one's own an op that specs can use. At build it is held against what is said here.

    Each rule is called with the shapes that go in and, where there are parameters, with these.

    Args:
        name: what specs call it.
        source: where the class is, as in `my_layers:CoordConv`, or the class itself.
        shape: the rule that gives the output's shape.
        parameters: a pydantic model of what it is told.
        state: the rule that gives the sizes of its tensors, by `state_dict` key in order; a buffer is
            `Tensor(key, sizes, trained=False)`. By default it has none.
        arguments: the rule that gives what the class is called with; by default the parameters, by name.
        macs: the rule that gives its multiply-accumulates for one image; by default they are not known.
        help: what it is, in a few words.

    Raises:
        PluginError: if it cannot be an op.
    """
    place, caller = place_of_caller(inspect.currentframe().f_back)  # type: ignore[union-attr]
    text = f"{source.__module__}:{source.__qualname__}" if isinstance(source, type) else source
    match = _TARGET.fullmatch(text)
    if match is None:
        raise PluginError(f"a module is named as in `my_layers:CoordConv`, got `{text}`")
    found = {"shape": shape, "state": state, "arguments": arguments, "macs": macs}
    rules = {key: rule for key, rule in found.items() if rule is not None}
    words = {
        "__doc__": help,
        "__module__": caller,
        "__dataclass_fields__": ModuleOp.__dataclass_fields__,  # it adds none
        "name": name,
        "help": help,
        "parameters": tuple(parameters_of(parameters).values()),
        "inputs": _inputs_of(shape, parameters),
        "needs": (f"from {match[1]} import {match[2]}",),
        "source": (match[1], match[2]),
        "model": parameters,
        "rules": rules,
    }
    register_op(type(match[2], (ModuleOp,), words), place, caller)


def _inputs_of(rule: Callable[..., Any], model: type[BaseModel] | None) -> tuple[int, int | None]:
    """How many values go in, as the shape rule says."""
    names = list(inspect.signature(rule).parameters.values())
    if model is not None:
        names = names[:-1]
    several = any(each.kind is each.VAR_POSITIONAL for each in names)
    count = len(names) - several
    if count + several < 1:
        raise PluginError(
            "the shape rule takes the shapes that go in, and the parameters last", "write def rule(x, parameters)"
        )
    return (max(count, 1), None) if several else (count, count)
