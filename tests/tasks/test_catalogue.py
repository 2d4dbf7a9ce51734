"""The blocks there are, from Python."""

import archbuilder
from archbuilder.graph.table import OPS
from archbuilder.lowering.library import shipped_names


def test_every_block_and_op_is_in_it() -> None:
    entries = {entry.name: entry for entry in archbuilder.catalogue()}
    assert list(entries) == [*shipped_names(), *OPS]
    assert [each.name for each in entries["project"].parameters] == ["width", "stride"]
    assert entries["conv"].kind == "op"
    assert all(entry.help for entry in entries.values())


def test_the_text_of_a_block_is_a_file_of_blocks() -> None:
    for entry in archbuilder.catalogue():
        if entry.kind == "block":
            text = entry.text.replace(f"  {entry.name}:", "  mine:", 1)
            assert text.startswith("blocks:\n  mine:\n    "), entry.name
            assert "\n  " + entry.name not in text
    text = next(entry.text for entry in archbuilder.catalogue() if entry.name == "basic").replace("  basic:", "  mine:")
    mine = archbuilder.check_block("mine", {"width": 8}, text=text).summary
    assert mine.parameters == archbuilder.check_block("basic", {"width": 8}).summary.parameters
