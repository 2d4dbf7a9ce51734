"""Steps and bodies: what stands inside blocks and sections, in its short and its full forms."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, NamedTuple, TypeAlias

from pydantic import ConfigDict, Discriminator, Field, Tag, model_serializer

from archbuilder.diagnostics import Place, nearest, shorten
from archbuilder.language.arithmetic import FormulaError
from archbuilder.language.dotted import NO_NAMES
from archbuilder.language.formula import Formula
from archbuilder.language.habits import advice_for_loop, advice_for_turn, word_of_step
from archbuilder.language.misnamed import is_name, silenced
from archbuilder.language.misplaced import key_instead_of, what_is_missing
from archbuilder.language.table import (
    Table,
    first_place,
    is_laid_over,
    key_place,
    place_of,
    replaced_by,
    value_place,
)
from archbuilder.language.validation import (
    Misfit,
    Reading,
    SpecModel,
    compute_later,
    copied,
    python_only,
    read_formulas,
    refuse,
)
from archbuilder.language.values import Condition, Count, Names, Order, Text, Word
from archbuilder.language.words import AS_WRITTEN, LOOP, NOT_IN_BODIES, PLACING, STEP_KEYS, in_yaml
from archbuilder.parameters import describe


def _kind_of_body(written: Any) -> str:
    if isinstance(written, str):
        return "slot"
    return "list" if isinstance(written, list) else "map"


Steps: TypeAlias = Annotated[
    Annotated[dict[str, "Step"], Tag("map")] | Annotated[list["Step"], Tag("list")],
    Discriminator(_kind_of_body),
]
"""The steps of a block: a map names its children, a list numbers them."""

Body: TypeAlias = Annotated[
    Annotated[dict[str, "Step"], Tag("map")] | Annotated[list["Step"], Tag("list")] | Annotated[Text, Tag("slot")],
    Discriminator(_kind_of_body),
]
"""The steps of a step: likewise, or `$name` for a slot's."""


class Loop(NamedTuple):
    """`for i in n:` or `for i in a .. b:`; the numbers from 0 (or `a`) up to, not including, `n` (or `b`)."""

    header: str
    variable: str
    start: Any
    stop: Any

    @staticmethod
    def read(header: str, written: Any, place: Place | None = None) -> dict[str, Any]:
        """The step that a loop's key, at `place`, and its steps stand for."""
        words = header.split(None, 3)
        is_loop = len(words) == 4 and words[2] == "in"
        if is_loop and words[1] in NO_NAMES:
            help = "give the loop's variable another name"
            raise Misfit(f"`{words[1]}` is a word of the language", help, at_key=True)
        help = advice_for_loop(words[1], words[3]) if is_loop else ""
        if not is_loop or help or not is_name(words[1]):
            message = f"a loop is written `for i in n:` or `for i in a .. b:`, not `{shorten(header)}:`"
            raise Misfit(message, help, at_key=True)
        start, separator, stop = words[3].partition("..")
        try:
            low, high = (_bound(start), _bound(stop)) if separator else (0, _bound(words[3]))
        except FormulaError as error:
            raise Misfit(str(error), at_key=True) from None
        if not isinstance(written, dict):
            raise Misfit(f"expected a map of steps, got {describe(written)}")
        loop = Loop(header, words[1], low, high)
        if not isinstance(written, Table):
            return {"body": written, LOOP: loop}
        table = Table(written.place)
        table.name_place = place
        table.put("body", written, written.place, written.place)
        table[LOOP] = loop
        return table


def _bound(written: str) -> int | Formula:
    """A bound of a loop: a number, or an expression, which needs no dollar here."""
    text = written.strip()
    if text.isdigit() and text.isascii() and len(text) < 20:
        return int(text)
    return Formula(text if text.startswith("$") else f"$({text})")


class Step(SpecModel):
    """One step of a body: a use of a block, or a body of its own. Its other keys are the block's parameters."""

    model_config = ConfigDict(extra="allow")

    KEYS: ClassVar[tuple[str, ...]] = STEP_KEYS

    block: Text | None = None
    body: Body | None = None
    from_: Names | None = None
    when: Condition = True
    else_: Literal["identity"] | None = None
    depth: Count | None = None
    names: Text | None = None
    inline: Annotated[bool, Field(strict=True)] = False
    rename: dict[str, Word] | None = None
    register_: Order | None = None
    output: Literal["training", "always"] | None = None
    loop: Any = Field(None, exclude=True)

    if (
        TYPE_CHECKING
    ):  # a type checker without pydantic's plugin would allow nothing that merely stands for a field, nor parameters

        def __init__(self, /, **fields: Any) -> None: ...

    @classmethod
    def as_map(cls, written: Any) -> dict[str, Any]:
        if isinstance(written, dict):
            return written
        if isinstance(written, str) or written is None:
            return {"block": written}
        if isinstance(written, list):
            return {"body": written}
        raise _no_step(written)

    @classmethod
    def prepared(cls, written: dict[str, Any], reading: Reading | None) -> dict[str, Any]:
        if reading is not None:  # whether it has a block or a body was checked with its name: see `check_kind`
            for key in NOT_IN_BODIES & written.keys():
                if not isinstance(written[key], Loop):
                    refuse(written, key, _not_in_a_body(key), reading)
        elif _is_both(written):
            raise Misfit(_NOT_BOTH)
        _check_companions(written, reading)
        return {} if _is_both(written) else _read_values(written, reading)

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

    @property
    def is_unnamed(self) -> bool:
        """Whether its name cannot be computed, which has been reported."""
        return self.is_broken and self.name_place is None

    def with_arguments(self, arguments: dict[str, Any]) -> Step:
        """A copy with other parameters for the block."""
        copy = self.model_copy()
        extra: Any = copy.model_extra
        extra.clear()
        extra.update(arguments)
        return copy

    @classmethod
    def computed(cls, fields: dict[str, Any], arguments: dict[str, Any], place: Place) -> Step:
        """A step that a function in Python makes: its values are computed, so nothing in them is read or validated."""
        step = cls.model_construct(**fields)
        extra: Any = step.model_extra
        extra.update(arguments)
        table = Table(place)
        table.name_place = place
        step.remember(table)
        return step

    @model_serializer(mode="plain")
    def _write(self) -> Any:
        return _write_step(self)


# ---- reading --------------------------------------------------------------------------------------------------------


def read_body(written: Any, reading: Reading | None, *, is_patched: bool = True) -> Any:
    """The steps of a body, each in full. In one that is patched, null removes a step, so one must have been there.

    Raises:
        Misfit: if it is no body, or for what is wrong in one that was made in Python.
    """
    if isinstance(written, list):
        steps = [_read_step(written, number, value, reading)[1] for number, value in enumerate(written)]
        names = [key_instead_of(each) == "name" and next(iter(each)) for each in written]
        return steps if reading is None or not any(names) else _as_named(written, names, steps, reading)
    if not isinstance(written, dict):
        raise Misfit(f"expected a map or a list of steps, got {describe(written)}")
    if is_patched and isinstance(written, Table):
        known = written.replaced.keys() | written.weak
        return dict(_read_step(written, key, value, reading, known) for key, value in written.items())
    return dict(_read_step(written, key, value, reading) for key, value in written.items())


def _as_named(written: list[Any], names: list[Any], steps: list[Any], reading: Reading) -> dict[str, Any]:
    """The steps of a list in which some have names, as has been reported: what names them is to find them."""
    named: dict[str, Any] = {}
    for number, name in enumerate(names):
        key, step = str(number), steps[number]
        if name and name not in named:
            key, step = name, _read_step(written[number], name, written[number][name], reading)[1]
        named[key] = step
    return named


def _read_step(
    container: Any, key: Any, value: Any, reading: Reading | None, known: Collection[str] | None = None
) -> tuple[str | int, Any]:
    """The name of a step and the step in full. What is none is reported, and one that is broken stands in for it."""
    try:
        if isinstance(value, Table) and value.broken and value.place is None:
            if key.startswith("for "):
                value[LOOP] = Loop(key, "", 0, 0)
            return key, value  # what its name speaks of was refused
        if isinstance(container, dict):
            _check_key(key, container, is_removed=value is None and known is not None and key not in known)
            if key.startswith("for "):
                return key, Loop.read(key, value, key_place(container, key))
        if reading is None:
            return key, value
        step = in_full(container, key, value)
        if isinstance(step, Table):
            check_kind(step, container, key, reading)
        return key, step
    except Misfit as fault:
        if reading is None:
            raise
        reading.report(container, key, fault)
        stand_in = Table(place_of(value))
        stand_in.broken, stand_in.name_place = True, key_place(container, key)
        steps = value if value is not None else next((past.value for past in replaced_by(container, str(key))), {})
        if isinstance(key, str) and key.startswith("for ") and isinstance(steps, dict):
            variable = key.partition(" in ")[0].split()[1:]
            stand_in.put("body", silenced(steps, [name for name in variable if not is_name(name)]))
            stand_in[LOOP] = Loop(key, "", 0, 0)  # so that nobody looks in vain for what it would have made
            return key, stand_in
        if fault.at_key and "$" in str(key):
            stand_in.place = stand_in.name_place = None  # nobody is to compute it
        return "?" if fault.at_key and "$" not in str(key) else key, stand_in


def in_full(container: Any, key: str | int, value: Any) -> Any:
    """A step of a text, in full where it is written in short (`norm`, a list), with the place of its name."""
    place = key_place(container, key) or value_place(container, key)
    if isinstance(value, Table):
        table = value if value.name_place in (None, place) else value.copy()  # behind an alias it is there twice
    elif isinstance(value, str | list):
        at = value_place(container, key)
        table = Table(at)
        table.put("block" if isinstance(value, str) else "body", value, at, at)
    elif value is None or isinstance(value, dict):
        return value
    else:
        raise _no_step(value)
    table.name_place = place
    return table


def _no_step(written: Any) -> Misfit:
    return Misfit(f"expected a block's name, a map or a list of steps, got {describe(written)}")


def _check_key(key: Any, steps: dict[str, Any], *, is_removed: bool) -> None:
    if not isinstance(key, str):
        raise Misfit(f"expected a text as key, got {describe(key)}")
    if key.startswith("for "):
        if steps[key] is None and not replaced_by(steps, key):
            help = "write its steps beneath it, with more spaces before them, or remove it"
            raise Misfit(f"`{shorten(key)}` has nothing beneath it", help, code="no-effect", at_key=True)
    elif is_removed:
        name, colon, rest = key.partition(":")
        help = f"a colon needs a space behind it: `{name}: {rest}`" if colon else "remove it, or say what it is"
        help = advice_for_turn(key, steps) or help
        message = f"there is no step `{shorten(key)}` that could be removed"
        raise Misfit(message, help, code="no-effect", at_key=True)
    elif "$" in key:
        try:
            Formula(key)
        except FormulaError as error:
            raise Misfit(str(error), at_key=True) from None


def _not_in_a_body(key: str) -> Misfit:
    """What is wrong with a word that a step of a text cannot say."""
    if key not in PLACING:
        return python_only(key)
    message = f"`{key}` places a step of a section; in other bodies write the step where it belongs"
    return Misfit(message, at_key=True)


def _is_both(written: dict[str, Any]) -> bool:
    return "block" in written and "body" in written


_NOT_BOTH: Final = "a step has either `block` or `body`, not both"


def check_kind(step: Table, container: Any, key: str | int, reading: Reading) -> None:
    """Checks that a step of a text, behind a key of what it stands in, is a use of a block or has a body."""
    if step.broken:
        return
    if ("block" in step) != ("body" in step):
        word = "block" if "block" in step else "body"
        if step[word] is None:
            what = "a block's name" if word == "block" else "steps"
            refuse(step, word, Misfit(f"`{word}` must be {what}, got null", "write it, or remove the step"), reading)
        return
    message, code, help = _NOT_BOTH, "bad-value", "remove one of them"
    if not _is_both(step):
        near = (
            (word, nearest(word.partition(":")[0], ("block", "body")) or word_of_step(word, value))
            for word, value in step.items()
        )
        found = [pair for pair in near if pair[1]]
        word, meant = min(found, key=lambda pair: ":" not in pair[0], default=("", None))
        if meant:
            _, colon, rest = word.partition(":")
            help = f"a colon needs a space behind it: `{meant}: {rest}`" if colon else f"did you mean `{meant}`?"
            refuse(step, word, Misfit(f"unknown key `{word}`", help, code="unknown-key", at_key=True), reading)
            return
        before = container[key - 1] if isinstance(container, list) and isinstance(key, int) and key else None
        if (stands_for := key_instead_of(step)) is not None and stands_for == key_instead_of(before):
            step.broken = True  # as the one before it, so it has been said
            return
        code, (message, help) = "no-block", what_is_missing(step, container, key)
    place = first_place(step) if first_place(step) != step.place else value_place(container, key) or place_of(container)
    reading.reporter.error(code, message, place, help=help)
    step.broken = True
    if code == "no-block" and is_laid_over(container):
        container.broken = True  # one of its steps is not what it was to be


_COMPANIONS: Final = (("names", "depth", "without `depth`: it names repeats"), ("else", "when", "without `when`"))
"""Words that need another one to mean anything."""


def _check_companions(written: dict[str, Any], reading: Reading | None) -> None:
    """Checks that no word of a step lacks its companion, or stands beside one that makes no sense with it."""
    if reading is None and not {"block", "body"} & written.keys():
        return  # it patches a step of the base, which may have the others
    for key, needed, why in _COMPANIONS:
        if key not in written or written.get(needed) is not None:
            continue
        # What was refused is no longer written; null is a value where nothing is the default.
        if Step.model_fields[needed].default is None if needed in written else key_place(written, needed) is None:
            if any(nearest(str(each), (needed,)) for each in written if each != needed):
                continue  # misspelt, which will be said
            refuse(written, key, Misfit(f"`{key}` has no effect {why}", at_key=True), reading)
    if written.get("inline") is True and "depth" in written:
        message = "`inline` cannot stand beside `depth`: repeats are children of their own"
        refuse(written, "inline", Misfit(message, at_key=True), reading)


def _read_values(written: dict[str, Any], reading: Reading | None) -> dict[str, Any]:
    """What a step says, with the steps of its body in full, and what is to be computed read."""
    values: dict[str, Any] = {}
    for key, value in list(written.items()):
        try:
            if key == "body" and value is not None and not isinstance(value, str):
                values[key] = read_body(value, reading, is_patched=False)
                if isinstance(written, Table) and isinstance(value, Table):
                    written.broken |= value.broken
            elif key in AS_WRITTEN:
                values[key] = value
            elif isinstance(value, (dict, list)):
                values[str(key)] = whole = value if reading is not None else copied(value)
                read_formulas(whole, reading)
            else:
                values[str(key)] = compute_later(value)
        except Misfit as fault:
            refuse(written, key, fault, reading)
    return values


# ---- writing --------------------------------------------------------------------------------------------------------


def _write_step(step: Step) -> Any:
    """The shortest way to write a step."""
    if step.is_nothing:
        return None
    said: dict[str, Any] = {
        in_yaml(name): value
        for name, field in Step.model_fields.items()
        if name not in ("body", LOOP) and (value := getattr(step, name)) != field.default
    }
    if step.from_ is not None and len(step.from_) == 1:
        said["from"] = step.from_[0]
    if "else" in said:  # it means nothing without the other
        said.setdefault("when", step.when)
    first: dict[str, Any] = {word: said.pop(word) for word in ("block", "from", "depth") if word in said}
    written = {**first, **step.arguments, **said}
    if step.body is not None:
        body = write_body(step.body)
        if not written and isinstance(body, list):
            return body
        written["body"] = body
    return step.block if list(written) == ["block"] else written


def write_body(body: Any) -> Any:
    """A body as plain maps and lists."""
    if isinstance(body, list):
        return [_write_step(step) for step in body if not step.is_nothing]
    if isinstance(body, dict):  # what was removed is not there any more
        return {
            (step.loop.header if step.loop else name): (write_body(step.body) if step.loop else _write_step(step))
            for name, step in body.items()
            if not step.is_nothing
        }
    return body
