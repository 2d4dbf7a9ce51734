"""What every part of a spec has in common: how it is read, what is said of its mistakes, and where it was written.

Pydantic makes the models. A text is read with a `Reading`, to which mistakes are reported: each model first puts its own
table in order (short forms, expressions, what depends on other keys), and says of what pydantic then finds wrong where it is.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar, Final, Self, cast

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, ValidationInfo, model_validator

from archbuilder.diagnostics import MAXIMUM_DIAGNOSTICS, Place, Reporter, nearest, suggest
from archbuilder.language.arithmetic import FormulaError
from archbuilder.language.formula import Formula, is_formula
from archbuilder.language.habits import advice_for_word, word_elsewhere
from archbuilder.language.table import Table, key_place, place_of, value_place
from archbuilder.language.words import in_yaml, instead_of
from archbuilder.parameters import describe


class Misfit(ValueError):
    """What is wrong with a value: a bare fact, to which its reader adds the key and the place.

    `help` says what to write instead, `at_key` that the key is wrong, not its value, `inside` at which entry of the value.
    """

    def __init__(
        self, message: str, help: str = "", *, code: str = "bad-value", at_key: bool = False, inside: str = ""
    ) -> None:
        super().__init__(message)
        self.message, self.help, self.code, self.at_key, self.inside = message, help, code, at_key, inside


class Reading:
    """One reading of a text. What is wrong is reported and taken out of its table, so that the rest can be read, too.

    `again` says whether a model could not be made, so that the text must be read once more, now that what was wrong is gone.
    """

    def __init__(self, reporter: Reporter) -> None:
        self.reporter, self.again = reporter, False

    def report(self, container: Any, key: str | int, fault: Misfit) -> None:
        """Reports what is wrong with an entry of a map or a list."""
        find = key_place if fault.at_key else value_place
        inner = container.get(str(key)) if isinstance(container, Table) else None
        if fault.inside and isinstance(inner, Table):
            place = find(inner, fault.inside) or inner.place
        else:
            place = find(container, key) or place_of(container)
        message = _with_key(fault.message, key)
        self.reporter.error(fault.code, message, place, help=fault.help or None)


def _with_key(message: str, key: str | int) -> str:
    """A message that says of which key it speaks."""
    if isinstance(key, str) and message.startswith("expected "):
        return f"`{key}` must be {message.removeprefix('expected ')}"
    return message


def refuse(written: dict[str, Any], key: str, fault: Misfit, reading: Reading | None) -> None:
    """Reports what is wrong with an entry, and takes it out.

    Raises:
        Misfit: if the map was made in Python.
    """
    if reading is None or not isinstance(written, Table):
        message = _with_key(fault.message, key)
        raise Misfit(message if f"`{key}`" in message else f"`{key}`: {message}", fault.help)
    reading.report(written, key, fault)
    take_out(written, key)


def take_out(table: dict[str, Any], key: str) -> None:
    """Takes out what is wrong and has been reported, so that nothing more is said of it, nor of what lacks it."""
    table.pop(key, None)
    if isinstance(table, Table):
        table.broken = True


def compute_later(value: Any) -> Any:
    """`value`, as a `Formula` if it is a text that has to be computed.

    Raises:
        Misfit: if it is malformed.
    """
    if type(value) is Formula or not is_formula(value):
        return value
    try:
        return Formula(value)
    except FormulaError as error:
        raise Misfit(str(error)) from None


def read_formulas(container: Any, reading: Reading | None) -> None:
    """Makes the texts that have to be computed formulas, in place, inside inner maps and lists too.

    What is malformed becomes one without a value, so that nothing is said of what lacks it.

    Raises:
        Misfit: if something is malformed that was made in Python.
    """
    for key, value in list(container.items() if isinstance(container, dict) else enumerate(container)):
        try:
            if isinstance(value, (dict, list)):
                read_formulas(value, reading)
            elif is_formula(value):
                container[key] = compute_later(value)
        except Misfit as fault:
            if reading is None:
                raise
            reading.report(container, key, fault)
            container[key] = Formula.malformed(value)


def copied(value: Any) -> Any:
    """Maps and lists that were made in Python, copied, so that expressions in them can be read in place."""
    if isinstance(value, dict):
        return {key: copied(each) for key, each in value.items()}
    return [copied(each) for each in value] if isinstance(value, list) else value


class SpecModel(BaseModel):
    """A part of a spec: no unknown keys, and a memory of the table that it was read from."""

    # No field, since no spec says it, and no private attribute of pydantic's: these are found after a failed look-up only,
    # are part of comparisons, and stay in copies.
    __slots__ = ("_changed", "_table")

    MERGED: ClassVar[tuple[str, ...]] = ()
    """Words that a text may say, and of which nothing is left once it has been laid over what it names."""

    model_config = ConfigDict(
        extra="forbid",
        populate_by_name=True,
        arbitrary_types_allowed=True,
        defer_build=True,
        alias_generator=in_yaml,
    )

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, written: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        if isinstance(written, cls):
            return written
        given, reading = cls.as_map(written), info.context
        if reading is None or not isinstance(given, Table):
            return handler(cls.prepared(dict(given), None))
        values = cls.prepared(given, reading)
        try:
            model = handler(values)
        except ValidationError as error:
            _report_faults(error, given, cls, reading)
            reading.again = True
            model = cast("Self", cls.model_construct())  # stands in for it until then
        model.remember(given)
        return model

    @classmethod
    def as_map(cls, written: Any) -> dict[str, Any]:
        """The map that a short way of writing stands for.

        Raises:
            Misfit: if it stands for none.
        """
        if not isinstance(written, dict):
            raise Misfit(f"expected a map, got {describe(written)}")
        return written

    @classmethod
    def prepared(cls, written: dict[str, Any], reading: Reading | None) -> dict[str, Any]:
        """What is written, in the form that pydantic takes. Without a `reading`, it was made in Python.

        Raises:
            Misfit: for what is wrong in a map that was made in Python.
        """
        if reading is not None:
            for key, value in list(written.items()):
                if isinstance(value, Table):
                    value.name_place = key_place(written, key)
                if key in cls.model_fields and instead_of(key):
                    refuse(written, key, python_only(key), reading)
        return written

    def remember(self, table: Table) -> None:
        """Keeps what it was read from."""
        object.__setattr__(self, "_table", table)  # which changes nothing of what it says

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in type(self).model_fields:
            self._changed = True

    @property
    def is_changed(self) -> bool:
        """Whether somebody has set a field of it, or of a part that it holds, since it was made."""
        parts = [each for each in vars(self).values() if isinstance(each, SpecModel)]
        return getattr(self, "_changed", False) or any(part.is_changed for part in parts)

    @property
    def table(self) -> Table | None:
        """What it was read from; None if it was made in Python, copied or unpickled."""
        return getattr(self, "_table", None)

    @property
    def place(self) -> Place | None:
        """Where it begins, likewise."""
        table = self.table
        return None if table is None else table.place

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
        return key_place(inside, inner) or value_place(inside, inner) or self.place_at(key)

    @property
    def name_place(self) -> Place | None:
        """Where the name of a step is written."""
        table = self.table
        return None if table is None else table.name_place or table.place

    def is_weak(self, key: str) -> bool:
        """Whether an entry came from a base, so that it may go unused."""
        table = self.table
        return table is not None and key in table.weak


def python_only(name: str) -> Misfit:
    """The fault of a name that means something in Python alone."""
    return Misfit(f"unknown key `{name}`", instead_of(name) or "", code="unknown-key", at_key=True)


def as_meant(table: Table, words: Collection[str], reporter: Reporter) -> Table:
    """`table` with its misspelt words, and those of other libraries, as they were meant, which is reported: much depends on what
    they say, and more would be found wrong without it."""
    meant: dict[str, str] = {}
    for key in table:
        word = word_elsewhere(key, table[key], words)
        if word is None and key not in words and not instead_of(key) and len(meant) < MAXIMUM_DIAGNOSTICS:
            word = nearest(key, [each for each in words if each not in table and _may_be(each, table[key])])
        if word is not None and word not in {*table, *meant.values()} and _may_be(word, table[key]):
            meant[key] = word
    if not meant:
        return table
    corrected = Table(table.place)
    corrected.name_place = table.name_place
    for key, value in table.items():
        if key in meant:
            fault = unknown_key(key, words, meant[key])
            if key in words:  # here it counts layers
                fault = Misfit(f"`{key}` has no steps, it is a number", f"write `{meant[key]}`", at_key=True)
            reporter.error(fault.code, fault.message, key_place(table, key), help=fault.help)
        corrected.put(meant.get(key, key), value, key_place(table, key), value_place(table, key))
    return corrected


def lacks_definitions(table: Table, reporter: Reporter) -> bool:
    """Whether what defines names that the rest speaks of is no map, which is reported: each name would be unknown."""
    for word in ("blocks", "parameters"):
        if isinstance(table.get(word), str | list | int | float):
            message = f"`{word}` must be a map, got {describe(table[word])}"
            reporter.error("bad-value", message, value_place(table, word), help=f"as in `{word}: {{name: ...}}`")
            return True
    return False


def extends_no_text(table: Table, reporter: Reporter) -> bool:
    """Whether what stands behind `extends` is no text, which is reported: what is there to be patched is not known."""
    written = table.get("extends", "")
    if written is None and not (table.weak or table.replaced):
        message, help = "`extends` says nothing", "write what it is to say, or remove the line"
        reporter.error("no-effect", message, key_place(table, "extends"), help=help)
        return True
    if written is None or isinstance(written, str):
        return False
    help = "as in `extends: resnet18`"
    if isinstance(written, list | dict) and isinstance(first := next(iter(written), None), str):
        help = f"write `extends: {first}`" if len(written) == 1 else f"name one, as in `extends: {first}`"
    elif type(written) in (int, float):
        help = f'in quotes it is a text: "{describe(written)}"'
    message = f"`extends` must be a text, got {describe(written)}"
    reporter.error("bad-value", message, value_place(table, "extends"), help=help)
    return True


def _may_be(word: str, value: Any) -> bool:
    """Whether a value can be what a word says on which the rest of a text depends: more than a single fact."""
    kinds = str | list if word == "extends" else str if word in _TEXTS else dict | list
    return isinstance(value, kinds) and word not in _FACTS


_TEXTS: Final = ("name", "class", "help", "extends", "sequential", "default")
_FACTS: Final = ("layers", "output_stride")
"""Words behind which a text stands, and a number."""


# ---- what pydantic finds wrong --------------------------------------------------------------------------------------

_EXPECTED: Final = {
    "string_type": "a text",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a map",
}
"""What pydantic expects, in our words."""

_EXAMPLES: Final = {
    "name": "give the network a name, as in `name: my-network`",
    "body": "give the block its steps in `body`",
}

_INSTEAD: Final[dict[str, Any]] = {"name": "?", "body": {}}
"""What stands in for what must be there, so that the rest can be read."""


def _report_faults(error: ValidationError, table: Table, model: type[SpecModel], reading: Reading) -> None:
    """Reports what pydantic found wrong with the entries of a table, and takes it out."""
    faults, given = error.errors(include_url=False), dict(table)
    missing = [str(fault["loc"][0]) for fault in faults if fault["type"] == "missing"]
    unknown = {
        key: _nearest_word(key, given[key], model, missing)
        for key in (str(fault["loc"][0]) for fault in faults if fault["type"] == "extra_forbidden")
    }
    for fault in faults:
        key, inner = str(fault["loc"][0]), fault["loc"][-1]
        value = given.get(key)
        if fault["type"] == "missing":
            if {key, *model.MERGED}.isdisjoint(unknown.values()):  # what is misspelt is reported as an unknown key
                _report_missing(key, table, reading)
            table.broken = True
            table[key] = _INSTEAD.get(key)
        elif len(fault["loc"]) > 1 and isinstance(value, Table) and inner in value:
            refuse(value, str(inner), _misfit(fault), reading)
        elif len(fault["loc"]) > 1 and isinstance(value, list) and isinstance(inner, int):
            reading.report(value, inner, _misfit(fault))
            take_out(table, key)
        elif fault["type"] == "extra_forbidden":
            refuse(table, key, unknown_key(key, words_of(model), unknown[key]), reading)
        else:
            refuse(table, key, _misfit(fault), reading)
            if key in _INSTEAD:
                table[key] = _INSTEAD[key]


def words_of(model: type[SpecModel]) -> list[str]:
    """What a text may say where a model stands."""
    return [*(in_yaml(name) for name, field in model.model_fields.items() if not field.exclude), *model.MERGED]


def _nearest_word(key: str, value: Any, model: type[SpecModel], missing: list[str]) -> str | None:
    """What an unknown key was meant to be: the word that it is nearest to, or that of steps which are missing otherwise."""
    near = nearest(key, words_of(model))
    return "body" if near is None and "body" in missing and isinstance(value, dict | list) else near


def unknown_key(key: str, words: Collection[str], meant: str | None = None) -> Misfit:
    """The fault of a key that is none of the words that there are."""
    elsewhere = advice_for_word(key, words)
    help = elsewhere or (f"did you mean `{meant}`?" if meant else suggest(key, words) or "")
    return Misfit(f"unknown key `{key}`", help, code="unknown-key", at_key=True)


def _misfit(fault: Any) -> Misfit:
    """A fault that pydantic has found, in our words."""
    cause = fault.get("ctx", {}).get("error")
    if isinstance(cause, Misfit):
        return cause
    expected = _EXPECTED.get(fault["type"])
    if fault["type"] == "literal_error":
        expected = str(fault["ctx"]["expected"]).replace("'", "`")
    return Misfit(f"expected {expected}, got {describe(fault['input'])}" if expected else str(fault["msg"]))


def _report_missing(key: str, table: Table, reading: Reading) -> None:
    """Reports what must be there."""
    message, help = f"`{key}` is missing", _EXAMPLES.get(key)
    if key == "name" and list(table) == ["blocks"]:
        message = "this is a file of blocks, not a network"
        help = "try one of them with `archbuilder block NAME --spec FILE`, or name the file in a spec's `use`"
    reading.reporter.error("missing-key", message, table.name_place or table.place, help=help)
