"""Fields of a pydantic model as parameters: types, bounds, defaults, help."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, create_model

from archbuilder.language.models import Step
from archbuilder.language.words import STEP_FIELDS
from archbuilder.parameters import REQUIRED, Parameter
from archbuilder.plugin import Block, Channels, PluginError, Size
from archbuilder.plugin.signature import STEP_WORDS, parameters_of


def declared(annotation: Any, default: Any = ...) -> Parameter:
    return parameters_of(create_model("Model", p=(annotation, default)))["p"]


@pytest.mark.parametrize(
    ("annotation", "default", "expected"),
    [
        (int, ..., Parameter("p", "int")),
        (float, 0.5, Parameter("p", "float", 0.5)),
        (bool, False, Parameter("p", "bool", False)),
        (str, "a", Parameter("p", "string", "a")),
        (Literal["left", "right"], "left", Parameter("p", "string", "left", choices=("left", "right"))),
        (Literal[1, 2], 1, Parameter("p", "int", 1)),
        (int | None, None, Parameter("p", "int", None, optional=True)),
        (int | None, 3, Parameter("p", "int", 3, optional=True)),
        (list[int], [1, 2], Parameter("p", "list", (1, 2), element="int")),
        (tuple[float, ...], (), Parameter("p", "list", (), element="float")),
        (Channels, ..., Parameter("p", "channels", minimum=1)),
        (Channels | None, None, Parameter("p", "channels", None, minimum=1, optional=True)),
        (Size, [1, 7], Parameter("p", "size", (1, 7))),
        (Size, [3, 3], Parameter("p", "size", 3)),
        (Block, None, Parameter("p", "block", None)),
        (Annotated[int, Field(ge=1, le=4)], 2, Parameter("p", "int", 2, minimum=1, maximum=4)),
        (int, Field(2, ge=1, description="how many"), Parameter("p", "int", 2, "how many", minimum=1)),
        (list[int], Field(default_factory=lambda: [3]), Parameter("p", "list", (3,), element="int")),
    ],
)
def test_a_field_is_a_parameter(annotation: Any, default: Any, expected: Parameter) -> None:
    assert declared(annotation, default) == expected


def test_without_default_it_is_required() -> None:
    assert declared(int).default is REQUIRED


@pytest.mark.parametrize(
    ("annotation", "default", "message"),
    [
        (dict[str, int], ..., "the parameter `p` has the type dict"),
        (bytes, ..., "the parameter `p` has the type bytes"),
        (int | str, ..., "the parameter `p` has the type"),
        (int, "three", "the default does not fit: `p` must be a whole number, got `three`"),
        (Annotated[int, Field(ge=1)], 0, "the default does not fit: `p` must be at least 1, got 0"),
        (int, Field(alias="q"), "the parameter `p` has an alias, and a spec has one word for a thing"),
    ],
)
def test_what_a_spec_cannot_write_is_refused(annotation: Any, default: Any, message: str) -> None:
    with pytest.raises(PluginError) as error:
        declared(annotation, default)
    assert str(error.value).startswith(message)


def test_words_of_the_language_are_no_parameters() -> None:
    assert {*Step.KEYS, *STEP_FIELDS, "input", "here", "repeat", "name"} == STEP_WORDS
    with pytest.raises(PluginError, match="`depth` is a word of the language"):
        parameters_of(create_model("Model", depth=(int, 1)))


def test_no_model_no_parameters() -> None:
    assert parameters_of(None) == {}
    assert parameters_of(BaseModel) == {}
