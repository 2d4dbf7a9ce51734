"""The table of bounds in docs/language.md."""

import re

from tests.docs.pages import FOLDER


def test_bounds_are_those_of_the_code() -> None:
    from archbuilder import diagnostics, parameters
    from archbuilder.analysis import bounds as sizes
    from archbuilder.graph import bounds as written
    from archbuilder.graph import names
    from archbuilder.language import arithmetic, blocks, formula, load, reader, values
    from archbuilder.lowering import lowering as bounds

    text = (FOLDER / "language.md").read_text("utf-8").partition("\n## Bounds\n")[2].partition("\n## ")[0]
    stated = re.findall(r"(?m)^\| .* \| ([\d][\d,^ ]*) \|$", text)
    assert stated == [
        f"{reader.MAXIMUM_CHARACTERS:,}",
        f"{reader.MAXIMUM_VALUES:,}",
        f"{reader.MAXIMUM_NESTING}",
        f"{reader._MAXIMUM_DIGITS}",
        f"{names.MAXIMUM_NAME}, {names.MAXIMUM_NUMBER}",
        f"2^{parameters.MAXIMUM_INTEGER.bit_length() - 1}",
        f"{formula.MAXIMUM_LENGTH}, {formula.MAXIMUM_DEPTH}",
        f"{arithmetic.MAXIMUM_TEXT}",
        f"{arithmetic.MAXIMUM_PARTS:,}",
        f"{values.MAXIMUM_REPEATS:,}",
        f"{written.MAXIMUM_NODES:,}",
        f"{bounds.MAXIMUM_TAKEN:,}",
        f"{bounds.MAXIMUM_RECURSION}",
        f"2^{sizes.MAXIMUM_NUMBERS.bit_length() - 1}",
        f"{written.MAXIMUM_WRITTEN:,}",
        f"{written.MAXIMUM_WALKED:,}",
        f"{written.MAXIMUM_BUILT:,}",
        f"{load.MAXIMUM_BASES}",
        f"{blocks._MAXIMUM_BASES}",
        f"{diagnostics.MAXIMUM_DIAGNOSTICS}",
    ]
