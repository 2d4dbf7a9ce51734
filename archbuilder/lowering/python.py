"""Runs what plugins define: the functions of blocks, and the rules of ops. What goes wrong in them is a diagnostic."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn, TypeAlias

from archbuilder.diagnostics import INTERRUPTS, Note, Place
from archbuilder.graph.op import Op, OpError
from archbuilder.graph.shapes import Streams
from archbuilder.language.models import Step
from archbuilder.language.words import STEP
from archbuilder.lowering.frame import POISON, Frame, Slot
from archbuilder.lowering.lowering import GiveUp, Lowering, TooLarge
from archbuilder.lowering.plans import StepPlan, plan_step
from archbuilder.parameters import describe
from archbuilder.plugin.loading import described, place_of_error
from archbuilder.plugin.registry import REGISTRY, PluginError, PythonBlock
from archbuilder.plugin.signature import Misfit, told
from archbuilder.plugin.values import UnknownValueError, Value

LowerStep: TypeAlias = Callable[[Lowering, StepPlan, Frame], bool]
"""Lowers a step into a frame."""

_WORDS: Final = {word.name: word for word in STEP if word.in_python}


def run_function(lowering: Lowering, definition: PythonBlock, frame: Frame, lower: LowerStep) -> list[str]:
    """Makes the steps of a block in a frame, each by `lower`; the names of what the block's function returns.

    Raises:
        GiveUp: if something is wrong; the reason is reported.
    """
    build = _Build(lowering, definition, frame, lower)
    values = build.inputs()
    with _reporting(lowering, definition, frame):
        given = () if definition.model is None else (_told(lowering, definition.model, definition, frame),)
        result = _called(definition, (build, *values), given)
        return build.names_of(result)


def _told(lowering: Lowering, model: Any, definition: PythonBlock, frame: Frame) -> Any:
    """The parameters of a block as its own model has them."""
    try:
        return told(model, {name: frame.scope.variables[name] for name in definition.parameters})
    except Misfit as error:
        for parameter, message in error.faults:
            place = frame.scope.origin(parameter) if parameter is not None else None
            text = f"{message} (in `{definition.name}`)"
            lowering.error(frame, "bad-value", text, place or frame.used_at)
        raise GiveUp from None


@contextmanager
def _reporting(lowering: Lowering, definition: PythonBlock, frame: Frame) -> Iterator[None]:
    """Makes what a function raises a diagnostic at its line."""
    try:
        yield
    except (GiveUp, TooLarge, *INTERRUPTS):
        raise
    except UnknownValueError:
        raise GiveUp from None
    except BaseException as error:  # noqa: BLE001 -- whatever a user's function raises
        _report(lowering, frame, definition.name, error, definition.place)


def _report(
    lowering: Lowering, frame: Frame, name: str, error: BaseException, otherwise: Place, notes: tuple[Note, ...] = ()
) -> NoReturn:
    """Reports what a plugin's Python has raised, at its line."""
    message, help = f"`{name}` raised {described(error)}", None
    if isinstance(error, PluginError):
        message, help = str(error), error.help
    lowering.error(frame, "bad-plugin", message, place_of_error(error, otherwise), help, notes)
    raise GiveUp from None


def _called(definition: PythonBlock, values: tuple[Any, ...], given: tuple[Any, ...]) -> Any:
    """What a function gives; behind `*xs` the parameters can only go by name."""
    if definition.keyword is not None and given:
        return definition.function(*values, **{definition.keyword: given[0]})
    return definition.function(*values, *given)


class _Build:
    """The builder that a block's function is given: each call is a step, lowered as one in YAML is."""

    def __init__(self, lowering: Lowering, definition: PythonBlock, frame: Frame, lower: LowerStep) -> None:
        self.lowering = lowering
        self.definition = definition
        self.frame = frame
        self.lower = lower
        self.file = definition.place.source.name

    def __call__(self, block: Any, /, *inputs: Value, name: str | None = None, **parameters: Any) -> Value:
        place = self._place()
        words = {word: parameters.pop(word) for word in _WORDS if word in parameters}
        self._check_words(words)
        if block is None:  # an empty slot
            block, words["when"] = "identity", False
        if not isinstance(block, str | Slot):
            raise PluginError(
                f"the builder takes a block's name, got {block!r}", 'as in build("conv", x, width=64, kernel=3)'
            )
        if not inputs and not self._takes_nothing(block):
            raise PluginError(f"`{block}` takes a value", f'as in build("{block}", x)')
        given = [self._name_of(value) for value in inputs]
        name = self._name(block, name, place)
        if name is None:
            return Value("", None, self)
        if "register" in words:
            words["register_"] = words.pop("register")
        step = Step.computed({**words, "block": block, "from_": given or None}, parameters, place)
        self.lower(self.lowering, plan_step(name, step), self.frame)
        return self._value(name)

    def inputs(self) -> list[Value]:
        """The values that the function is given."""
        least, most = self.definition.inputs
        whole = self._value("input")
        if (least, most) == (1, 1):
            return [whole]
        values = list(whole) if isinstance(whole.shape, Streams) else [whole]
        if len(values) < least or (most is not None and len(values) > most):
            wanted = f"{least} values" if most is not None else f"{least} or more values"
            message = f"`{self.definition.name}` takes {wanted}, got {len(values)}"
            help = "name them in `from`, as in `from: [left, right]`"
            self.lowering.error(self.frame, "bad-input", message, self.frame.used_at, help)
            raise GiveUp
        return values

    def names_of(self, result: Any) -> list[str]:
        """The names of the values that a function has returned."""
        several = result if isinstance(result, tuple | list) and result else [result]
        if not all(isinstance(each, Value) for each in several):
            message = (
                f"`{self.definition.name}` must return a value that the builder gave, or several, got {_shown(result)}"
            )
            raise PluginError(message)
        return [self._name_of(value) for value in several]

    def _value(self, name: str) -> Value:
        value = self.frame.input if name == "input" else self.frame.values.get(name, POISON)
        return Value(name, None if value == POISON else self.frame.builder.shape_of(value), self)

    def _name_of(self, value: Any) -> str:
        if not isinstance(value, Value):
            raise PluginError(
                f"the builder takes values, got {value!r}", "parameters are given by name, as in width=64"
            )
        if value.owner is not self:
            raise PluginError(
                "this value belongs to another use of a block", "take values from this function's own arguments"
            )
        if not value.name:
            raise GiveUp
        return value.name

    def _name(self, block: str | Slot, name: str | None, place: Place) -> str | None:
        """The name of a step; None if it is taken, which is reported."""
        taken = self.frame.values
        if name is None:
            base, number = block if isinstance(block, str) else "slot", 2
            name = base
            while name in taken:
                name, number = f"{base}{number}", number + 1
        elif not isinstance(name, str):
            raise PluginError(f"a step's name is a text, got {name!r}")
        elif name in taken:
            message = f"two steps are called `{name}`"
            self.lowering.error(self.frame, "same-name", message, place, "give one of them another name")
            return None
        return name

    def _takes_nothing(self, block: str | Slot) -> bool:
        definition = self.lowering.library.find(block) if isinstance(block, str) else None
        return definition is None or (definition.op is not None and definition.op.inputs == (0, 0))

    @staticmethod
    def _check_words(words: dict[str, Any]) -> None:
        for name, value in words.items():
            if not isinstance(value, _WORDS[name].type):
                raise PluginError(f"`{name}` must be {_WORDS[name].kind}, got {describe(value)}")

    def _place(self) -> Place:
        """The line of the plugin that is being run."""
        frame = inspect.currentframe()
        while frame is not None and frame.f_code.co_filename != self.file:
            frame = frame.f_back
        return self.definition.place if frame is None else self.definition.place_in(frame.f_lineno)


def _shown(value: Any) -> str:
    return "nothing" if value is None else f"{type(value).__name__} {value!r}"[:80]


@contextmanager
def op_of_plugin(lowering: Lowering, op_type: type[Op], frame: Frame, place: Place | None) -> Iterator[None]:
    """Makes what the rules of a plugin's op raise a diagnostic at their line."""
    entry = REGISTRY.entries[op_type.name]
    try:
        yield
    except (OpError, *INTERRUPTS):
        raise
    except BaseException as error:  # noqa: BLE001 -- whatever a user's rule raises
        notes = () if place is None or place.source.shipped else (Note(f"`{op_type.name}` is used here", place),)
        _report(lowering, frame, op_type.name, error, entry.place, notes)
