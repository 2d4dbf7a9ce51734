"""Wrong specs beside the reports that they must get: NAME.yaml and NAME.txt, compared word by word.

``ARCHBUILDER_REGENERATE=1 pytest tests/language/test_wrong.py tests/lowering/test_wrong.py`` writes the reports anew. Read every
one that changes as its user would: is the marked place the one to change, is it clear what is wrong and what to write?
"""

import os
from pathlib import Path

from archbuilder import Diagnostic, SpecError, check

REGENERATE = bool(os.environ.get("ARCHBUILDER_REGENERATE"))


def names(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.yaml"))


def mistakes(folder: Path, name: str) -> list[Diagnostic]:
    """What is said about a wrong spec, read from its own folder, so that no path of this machine is in the report."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        check(f"{name}.yaml")
    except SpecError as error:
        return error.diagnostics
    finally:
        os.chdir(before)
    raise AssertionError(f"{name}.yaml is fine")


def compare(folder: Path, name: str) -> None:
    report = "".join(f"{diagnostic}\n" for diagnostic in mistakes(folder, name))
    golden = folder / f"{name}.txt"
    if REGENERATE:
        golden.write_text(report, "utf-8")
    assert report == golden.read_text("utf-8")


def check_manners(folder: Path, name: str) -> None:
    """What holds for every report: a place in a text of the user's, plain words, each mistake once."""
    seen = set()
    for diagnostic in mistakes(folder, name):
        place = diagnostic.place
        assert place is not None
        assert not place.source.shipped
        assert place.source.line(place.line)[place.column - 1 : place.end - 1].strip() or diagnostic.code == "yaml"
        for text in (diagnostic.message, diagnostic.help or "lower case", *(note.text for note in diagnostic.notes)):
            assert text[0].islower() or text[0].isdigit() or text[0] in "`$" or text.startswith("YAML")
            assert not text.endswith(".") or text.endswith("...")
            assert not {"pydantic", "scalar", "mapping", "traceback", "none", "nonetype"} & set(text.lower().split())
        assert place[1:] not in seen, f"two mistakes at {place}"
        seen.add(place[1:])
