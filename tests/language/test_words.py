"""The vocabulary and the models speak of the same words."""

from archbuilder.language.definitions import BlockDefinition
from archbuilder.language.models import Architecture, Step
from archbuilder.language.words import ALWAYS_VISIBLE, LOOP, NETWORK, NO_PARAMETERS, SECTIONS, STEP, in_yaml, instead_of


def test_every_field_of_a_network_is_a_word() -> None:
    assert [word.name for word in NETWORK] == [in_yaml(name) for name in Architecture.model_fields]
    assert SECTIONS == ("stem", "stages", "neck", "head")


def test_every_field_of_a_step_is_a_word() -> None:
    assert [*(word.field for word in STEP if not word.places), LOOP] == list(Step.model_fields)


def test_names_of_python_are_told_from_those_of_a_text() -> None:
    for model in (Architecture, BlockDefinition, Step):
        for name, field in model.model_fields.items():
            assert field.alias == in_yaml(name)
            assert (instead_of(name) is not None) == (name.endswith("_") or name == LOOP)


def test_no_parameter_is_called_as_a_word_or_a_value_that_is_always_there() -> None:
    assert {"from", "from_", "depth", LOOP, "repeat", *ALWAYS_VISIBLE} <= NO_PARAMETERS
