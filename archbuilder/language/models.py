"""The spec as pydantic models: what may be written where.

The models say nothing of blocks' own parameters: those are open keys of a step, checked against the block when the spec is
lowered. A model that was read from a text remembers its table, and so where everything in it was written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import Discriminator, Field, PlainSerializer, PrivateAttr, Tag

from archbuilder.diagnostics import Reporter, shorten
from archbuilder.display import Shown
from archbuilder.language.definitions import BlockDefinition, refuse_declarations, refuse_uncomputed
from archbuilder.language.misnamed import objection_to_name, silenced
from archbuilder.language.steps import Loop, Step, check_kind, in_full, read_body, write_body
from archbuilder.language.table import Items, Table, as_table, is_laid_over, is_whole, key_place, place_of
from archbuilder.language.validation import Misfit, Reading, SpecModel, copied, read_formulas, refuse
from archbuilder.language.values import (
    Anything,
    Channels,
    ClassName,
    Deviation,
    Entries,
    Files,
    ImageSize,
    Order,
    OutputShape,
    Quantity,
    Share,
    Statistic,
    Text,
    Word,
)
from archbuilder.language.words import SECTIONS, in_yaml
from archbuilder.parameters import describe


class Input(SpecModel):
    """What goes in: an image of so many channels and such a size, in pixels; and how a picture is made one: scaled by
    `interpolation` so that a `crop` of it has that size, less `mean`, over the deviation `std`."""

    channels: Channels = 3
    size: ImageSize = 224
    mean: Statistic = Field(
        default_factory=lambda: [0.485, 0.456, 0.406]
    )  # of ImageNet, as nearly all published weights
    std: Deviation = Field(default_factory=lambda: [0.229, 0.224, 0.225])
    crop: Share = 0.875
    interpolation: Literal["nearest", "bilinear", "bicubic"] = "bilinear"

    @classmethod
    def as_map(cls, written: Any) -> dict[str, Any]:
        if not isinstance(written, dict):
            raise Misfit(f"expected a map, got {describe(written)}", "as in `input: {channels: 3, size: 224}`")
        return written

    @classmethod
    def prepared(cls, written: dict[str, Any], reading: Reading | None) -> dict[str, Any]:
        values, channels = dict(super().prepared(written, reading)), written.get("channels", 3)
        for word in ("mean", "std") if type(channels) is int and not is_laid_over(written) else ():
            said = values.get(word)  # what a base says may be for another number of channels
            if isinstance(said, list) and len(said) not in (0, 1, channels):
                message = f"`{word}` has {len(said)} numbers for {channels} channels"
                refuse(written, word, Misfit(message, "write one number for each channel, or one for all"), reading)
                del values[word]
        return values

    def statistics(self, channels: int) -> tuple[list[float], list[float]]:
        """Mean and deviation of each of so many channels; where the spec has another number of them, all have their average."""
        return _for_channels(self.mean, channels), _for_channels(self.std, channels)

    def of_pictures(self) -> dict[str, Any]:
        """How a picture is made an image, in the words of a spec; one number where all channels have the same."""
        numbers = {"mean": self.mean, "std": self.std}
        same = {name: each[0] if len(set(each)) == 1 else each for name, each in numbers.items()}
        return {**same, "crop": self.crop, "interpolation": self.interpolation}


def _for_channels(numbers: list[float], channels: int) -> list[float]:
    return numbers if len(numbers) == channels else [round(sum(numbers) / len(numbers), 6)] * channels


class Reference(SpecModel):
    """Where the network comes from: its paper, whose weights it can load, and under which licence those are published."""

    paper: Word | None = None
    weights: Word | None = None
    licence: Word | None = None
    note: Word | None = None


class WidthScale(SpecModel):
    """Widths times `by`, rounded to a multiple of `to`, but never below `keep` of the product (MobileNet's rule)."""

    by: Anything
    to: Channels = 8
    keep: Share = 0.9


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


def write_section(section: Any) -> Any:
    """A section as plain maps and lists."""
    return write_body([section])[0] if isinstance(section, Step) else write_body(section)


Section = Annotated[
    Annotated[dict[str, Step], Tag("map")] | Annotated[list[Step], Tag("list")] | Annotated[Step, Tag("use")],
    Discriminator(_kind_of_section),
    PlainSerializer(write_section),
]


class Architecture(Shown, SpecModel):
    """A network: the whole of a spec, its bases merged in.

    It may also be written in Python, with the same words: ``Architecture(name="tiny", stages={"layer1": {...}})``.
    """

    name: Word
    class_: ClassName | None = None
    help: str = ""
    extends: Word | None = None
    reference: Reference | None = None
    parameters: Entries = Field(default_factory=dict)
    input: Input = Field(default_factory=Input)
    defaults: Entries = Field(default_factory=dict)
    blocks: dict[str, BlockDefinition] = Field(default_factory=dict)
    use: Files | None = None
    plugins: Files | None = None
    stem: Section | None = None
    stages: Section | None = None
    neck: Section | None = None
    head: Section | None = None
    scale: Scale | None = None
    sequential: Word | None = None
    output_stride: Literal[8, 16, 32] | None = None
    features: list[Text] | None = None
    rename: dict[str, Word] | None = None
    register_: Order | None = None
    expect: Expect | None = None
    default: Word | None = None
    variants: dict[str, Any] = Field(default_factory=dict)

    _overridden: bool = PrivateAttr(default=False)

    if (
        TYPE_CHECKING
    ):  # a type checker without pydantic's plugin would allow nothing that merely stands for a field: `input={...}`

        def __init__(self, /, **fields: Any) -> None: ...

    @classmethod
    def prepared(cls, written: dict[str, Any], reading: Reading | None) -> dict[str, Any]:
        values = dict(super().prepared(written, reading))
        for name in [each for each in values if each not in SECTIONS and _says_nothing(written, each)]:
            help = "write what it is to say, or remove the line"
            refuse(written, name, Misfit(f"`{name}` says nothing", help, code="no-effect", at_key=True), reading)
            del values[name]
        _refuse_names(written, values, reading)
        if reading is not None:
            _refuse_strays({name: written[name] for name in SECTIONS if isinstance(written.get(name), Table)}, reading)
        for name in [section for section in SECTIONS if section in written]:
            try:
                values[name] = _read_section(written, name, reading)
            except Misfit as fault:
                refuse(written, name, fault, reading)
                del values[name]
        if isinstance(values.get("blocks"), Table):
            values["blocks"] = _read_blocks(values["blocks"], reading)
        for key in ("parameters", "defaults"):
            if isinstance(values.get(key), dict):
                values[key] = values[key] if reading is not None else copied(values[key])
                if key == "parameters":
                    refuse_declarations(values[key], reading)
                    if reading is not None:
                        refuse_uncomputed(values[key], None, reading)
                read_formulas(values[key], reading)
        return values

    def __repr__(self) -> str:
        return f"Architecture({shorten(self.name)!r})"

    def __str__(self) -> str:
        return repr(self)

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


def misses_patch(network: Architecture) -> bool:
    """Whether one of its steps is not what it was to be, since the patch was for a step that there is not, as reported."""
    sections = [network.table.get(name) for name in SECTIONS] if network.table is not None else []
    return any(isinstance(section, Table) and section.broken and not is_whole(section) for section in sections)


def _says_nothing(network: dict[str, Any], name: str) -> bool:
    """Whether a word has null behind it where nothing is the default, and there is no base that could have said more."""
    if network[name] is not None or not isinstance(network, Table) or network.weak or network.replaced:
        return False
    return any(in_yaml(each) == name and field.default is None for each, field in Architecture.model_fields.items())


def _refuse_names(written: dict[str, Any], values: dict[str, Any], reading: Reading | None) -> None:
    """Reports parameters that cannot be called so, and lets what speaks of them be silent."""
    parameters = written.get("parameters")
    parameters = parameters if isinstance(parameters, dict) else {}
    wrong = [name for name in parameters if objection_to_name(name)]
    for name in wrong:
        message = f"a parameter cannot be called `{shorten(name)}`: {objection_to_name(name)}"
        refuse(parameters, name, Misfit(message, "give it another name", code="bad-name", at_key=True), reading)
    for word in [each for each in values if wrong and each != "blocks"]:
        values[word] = written[word] = silenced(written[word], wrong)


def _refuse_strays(sections: dict[str, Table], reading: Reading) -> None:
    """Reports patches of steps that stand in another section, and takes them out."""
    homes = {key: name for name, section in sections.items() for key, step in section.items() if is_whole(step)}
    for name, section in sections.items():
        for key in [each for each in section if homes.get(each, name) != name]:
            step = section[key]
            is_patch = isinstance(step, Table) and not is_whole(step)
            if is_patch or (step is None and key not in {*section.replaced, *section.weak}):
                help = f"write it beneath `{homes[key]}:`, where that step is"
                fault = Misfit(f"there is no step `{key}` in `{name}`", help, code="unknown-step", at_key=True)
                refuse(section, key, fault, reading)


def _read_section(network: dict[str, Any], name: str, reading: Reading | None) -> Any:
    """A section: a body, or one use of a block, which is a step in full."""
    written = network[name]
    if written is None:
        if isinstance(network, Table) and name not in network.replaced:
            help = "write its steps, or remove the line"
            raise Misfit(f"`{name}` has no steps", help, code="no-effect", at_key=True)
        return None
    if _kind_of_section(written) != "use":
        return read_body(written, reading)
    if reading is None:
        return written
    step = in_full(network, name, written) if isinstance(written, str) else written
    check_kind(step, network, name, reading)
    return step


def _read_blocks(written: Table, reading: Reading | None) -> dict[str, Any]:
    """The definitions of blocks by name. One that is none is reported, and an empty one stands in for it."""
    blocks: dict[str, Any] = {}
    for name, definition in written.items():
        blocks[name] = definition
        if isinstance(definition, Table):
            definition.name_place = key_place(written, name)
        elif reading is not None:
            reading.report(written, name, Misfit(f"expected a map, got {describe(definition)}"))
            blocks[name] = Table(place_of(definition))
            blocks[name].put("body", {})
            blocks[name].broken = True
    return blocks


# The models inside these two are built with them, and need no validators of their own.
BlockDefinition.model_rebuild()
Architecture.model_rebuild()


# ---- validation -----------------------------------------------------------------------------------------------------

_Model = TypeVar("_Model", bound=SpecModel)


def validate_architecture(table: Table, reporter: Reporter) -> Architecture | None:
    """The spec as a model; None, or a model without the wrong parts, where `reporter` has something to say."""
    return _validate(Architecture, table, reporter)


def validate_definition(table: Any, reporter: Reporter) -> BlockDefinition | None:
    """A block's definition as a model."""
    return _validate(BlockDefinition, table, reporter)


def validate_step(written: Any, reporter: Reporter) -> Step | None:
    """A use of a block that was given as a parameter."""
    alone = Items()
    alone.append(as_table(written))
    alone.places.append(place_of(written))
    steps = validate_body(alone, reporter)
    every = [*steps.values()] if isinstance(steps, dict) else steps  # a dict, if it has a name
    return every[0] if every else None


def validate_body(written: Any, reporter: Reporter) -> Any:
    """A body that was given as a parameter, as steps."""
    table = Table(place_of(written))
    table.put("body", as_table(written), None, table.place)
    step = _validate(Step, table, reporter)
    return step and step.body


def _validate(model: type[_Model], written: Any, reporter: Reporter) -> _Model | None:
    """What is written as a model, in one reading, or in two if something that is wrong had to be taken out of it."""
    for _ in range(2):
        reading = Reading(reporter)
        made = model.model_validate(written, context=reading)
        if not reading.again:
            return made
    return None


__all__ = ["Architecture", "BlockDefinition", "Loop", "Step"]
