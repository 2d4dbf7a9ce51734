"""The vocabulary: every fixed word of the language, and what is known of it.

Whoever needs a list of words (to read, merge, set, check, suggest or explain them) takes it from here.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class NetworkWord(NamedTuple):
    """A word at the top of a spec.

    `inherited` says whether `extends` takes over what a base says here, `for_variants` whether what a file says here
    holds for its variants too, and `may_go_unused` whether what is taken over need not have an effect. `set_inside` and
    `set_whole` say what can be set from outside: what stands in it (`input.size`), or its value (`output_stride`).
    `for_blocks` marks what matters when a block of the file is looked at alone.
    """

    name: str
    is_section: bool = False
    inherited: bool = True
    for_variants: bool = True
    may_go_unused: bool = False
    set_inside: bool = False
    set_whole: bool = False
    for_blocks: bool = False


NETWORK: Final = (
    NetworkWord("name", inherited=False),
    NetworkWord("class", set_whole=True),
    NetworkWord("help", inherited=False),
    NetworkWord("extends", inherited=False),
    NetworkWord("reference", inherited=False),
    NetworkWord("parameters", may_go_unused=True, set_inside=True, for_blocks=True),
    NetworkWord("input", set_inside=True),
    NetworkWord("defaults", may_go_unused=True, set_inside=True, for_blocks=True),
    NetworkWord("blocks", set_inside=True, for_blocks=True),
    NetworkWord("use"),
    NetworkWord("plugins", for_blocks=True),
    NetworkWord("stem", is_section=True, set_inside=True),
    NetworkWord("stages", is_section=True, set_inside=True),
    NetworkWord("neck", is_section=True, set_inside=True),
    NetworkWord("head", is_section=True, set_inside=True),
    NetworkWord("scale", may_go_unused=True, set_inside=True),
    NetworkWord("sequential", may_go_unused=True, set_whole=True),
    NetworkWord("output_stride", set_whole=True),
    NetworkWord("features"),
    NetworkWord("rename", may_go_unused=True, set_inside=True),
    NetworkWord("register", may_go_unused=True),
    NetworkWord("expect", inherited=False, for_variants=False),
    NetworkWord("default", inherited=False, for_variants=False),
    NetworkWord("variants", inherited=False, for_variants=False),
)

SECTIONS: Final = tuple(word.name for word in NETWORK if word.is_section)
"""The parts of a network that hold steps, in order of execution."""
NOT_INHERITED: Final = tuple(word.name for word in NETWORK if not word.inherited)
NOT_FOR_VARIANTS: Final = tuple(word.name for word in NETWORK if not word.for_variants)
MAY_GO_UNUSED: Final = tuple(word.name for word in NETWORK if word.may_go_unused)
FOR_BLOCKS: Final = tuple(word.name for word in NETWORK if word.for_blocks)


class StepWord(NamedTuple):
    """A word that a step may say beside the parameters of its block.

    `type` is that of its values and `kind` says it in a message, where these are of one type; `is_computed` says whether an
    expression may stand for a value. `in_slots` says whether a use
    that is put into a slot may say it, `in_defaults` whether `defaults` may say it of a block, `in_python` whether the
    function of a plugin's block may say it of a step, and `places` whether it says only where a step of a section stands.
    """

    name: str
    type: type = object
    kind: str = ""
    is_computed: bool = False
    in_slots: bool = False
    in_defaults: bool = False
    in_python: bool = False
    places: bool = False

    @property
    def field(self) -> str:
        """What it is called in Python."""
        return _in_python(self.name)


STEP: Final = (
    StepWord("block", is_computed=True, in_slots=True),
    StepWord("body", is_computed=True, in_slots=True),
    StepWord("from", is_computed=True),
    StepWord("when", is_computed=True, in_python=True),
    StepWord("else"),
    StepWord("depth", is_computed=True, in_python=True),
    StepWord("names", str, "a text", is_computed=True, in_defaults=True),
    StepWord("inline", bool, "true or false", in_python=True),
    StepWord("rename", dict, "a map of names", in_slots=True, in_defaults=True, in_python=True),
    StepWord("register", list, "a list of names", in_slots=True, in_defaults=True, in_python=True),
    StepWord("output"),
    StepWord("before", places=True),
    StepWord("after", places=True),
)

ALWAYS_VISIBLE: Final = ("input", "here")
"""Names of values that are there wherever a step is."""
RESERVED: Final = (*ALWAYS_VISIBLE, "repeat")
"""Names that expressions know already, so that nothing else can be called so."""

DECLARATION: Final = ("type", "default", "help", "choices", "min", "max", "optional")
"""Words of a parameter's declaration."""

_TAKEN_IN_PYTHON: Final = frozenset({"from", "else", "return", "class", "register"})
"""Words that Python, or pydantic's models, have a use for themselves: fields are called `from_`, and so on."""

LOOP: Final = "loop"
"""The field of a step that holds its loop. A text writes a loop as a key, `for i in n:`."""


def _in_python(name: str) -> str:
    return f"{name}_" if name in _TAKEN_IN_PYTHON else name


def in_yaml(field: str) -> str:
    """What a field is called in a text."""
    return field.removesuffix("_")


def instead_of(field: str) -> str | None:
    """What a text writes instead of a field's name that is known in Python alone; None where it is the same in both."""
    if field == LOOP:
        return "a loop is written `for i in n:`"
    return f"write `{in_yaml(field)}`" if field != in_yaml(field) else None


STEP_KEYS: Final = tuple(word.name for word in STEP)
STEP_FIELDS: Final = frozenset({*STEP_KEYS, *(word.field for word in STEP), LOOP})
"""All that a step's own words are called, in a text or in Python. Whatever else stands in a step is a parameter of its block."""
AS_WRITTEN: Final = frozenset(
    {LOOP, *(each for word in STEP if not word.is_computed for each in (word.name, word.field))}
)
"""Words of a step, likewise, whose values stand as they are."""
NO_PARAMETERS: Final = STEP_FIELDS | {*RESERVED}
"""Names that no parameter can have."""
PLACING: Final = tuple(word.name for word in STEP if word.places)
NOT_IN_BODIES: Final = frozenset({*PLACING, *(name for name in STEP_FIELDS if instead_of(name))})
"""What a step of a text cannot say, once the steps of sections are in their places."""
IN_DEFAULTS: Final = {word.name: word for word in STEP if word.in_defaults}
