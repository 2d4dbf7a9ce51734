"""The spec as pydantic models: what may be written where.

The models say nothing of blocks' own parameters: those are open keys of a step, checked against the block when the spec is
lowered. A model that was read from a text remembers its table, and so where everything in it was written.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from archbuilder.language.base import SpecModel
from archbuilder.language.definitions import BlockDefinition
from archbuilder.language.formula import Formula
from archbuilder.language.steps import Loop, Step, check_list, check_named, in_full, write_body
from archbuilder.language.table import Table
from archbuilder.language.values import (
    Anything,
    Channels,
    ClassName,
    Entries,
    Files,
    ImageSize,
    OutputShape,
    Quantity,
    Share,
    Text,
    Word,
    wrong,
)
from archbuilder.language.words import SECTIONS


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


def _nothing_to_remove(name: str) -> PydanticCustomError:
    return wrong(f"`{name}` has no steps", "write its steps, or remove the line", code="no-effect", at_key=True)


def _kind_of_section(written: Any) -> str:
    if isinstance(written, list):
        return "list"
    if isinstance(written, Step | str) or (isinstance(written, dict) and isinstance(written.get("block"), str)):
        return "use"
    return "map"


Section = Annotated[
    Annotated[Annotated[dict[str, Step], BeforeValidator(check_named)], Tag("map")]
    | Annotated[Annotated[list[Step], BeforeValidator(check_list)], Tag("list")]
    | Annotated[Step, Tag("use")],
    Discriminator(_kind_of_section),
]


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
    register_: list[Word] | None = Field(None, alias="register")
    expect: Expect | None = None
    default: Word | None = None
    variants: dict[str, Any] = Field(default_factory=dict)

    _overridden: bool = PrivateAttr(default=False)

    @classmethod
    def _canonical(cls, written: Any) -> Any:
        canonical = super()._canonical(written)
        errors = [
            InitErrorDetails(type=_nothing_to_remove(name), loc=(name,), input=None)
            for name in SECTIONS
            if isinstance(written, Table) and written.get(name, "") is None and name not in written.replaced
        ]
        if errors:
            raise ValidationError.from_exception_data("architecture", errors)
        short = {name: in_full(written, name, written[name]) for name in SECTIONS if isinstance(written.get(name), str)}
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


def write_section(section: Any) -> Any:
    """A section as plain maps and lists."""
    return write_body([section])[0] if isinstance(section, Step) else write_body(section)


# The models inside these two are built with them, and need no validators of their own.
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
    "Scale",
    "Step",
    "write_section",
]
