"""What a text asks to be read: nothing but specs and blocks below its own folder, each within the bounds of a spec."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

import archbuilder
from archbuilder import Diagnostic, SpecError

SECRET = "password: hunter2\ntoken = hunter2\n"
BLOCKS = "blocks: {mine: {body: [norm]}}\n"
BASE = "name: base\nstages: {a: norm}\n"


def mistakes(folder: Path, text: str) -> list[Diagnostic]:
    """What is said of a spec in a folder."""
    (folder / "net.yaml").write_text(text, "utf-8")
    with pytest.raises(SpecError) as caught:
        archbuilder.check(folder / "net.yaml")
    return caught.value.diagnostics


def asks_for(word: str, file: str) -> str:
    return f"name: net\n{word}: {file}\nstages: {{b: norm}}\n"


@pytest.fixture
def inner(tmp_path: Path) -> Path:
    """The folder of a spec, beside files that are none of its business."""
    folder = tmp_path / "inner"
    folder.mkdir()
    (tmp_path / "secret.yaml").write_text(SECRET, "utf-8")
    (tmp_path / "base.yaml").write_text(BASE + BLOCKS + "# hunter2\n", "utf-8")
    return folder


@pytest.mark.parametrize("word", ["extends", "use"])
@pytest.mark.parametrize("name", ["../secret.yaml", "../base.yaml", "/proc/self/environ", "/etc/passwd", "./link.yaml"])
def test_what_lies_elsewhere_is_not_read(inner: Path, word: str, name: str) -> None:
    (inner / "link.yaml").symlink_to(inner.parent / "base.yaml")
    found = mistakes(inner, asks_for(word, name))
    assert [each.code for each in found] == ["foreign-file"]
    assert "hunter2" not in str(found[0])
    assert found[0].place is not None
    assert (found[0].place.line, found[0].place.column) == (2, len(word) + 3)


@pytest.mark.parametrize("word", ["extends", "use"])
@pytest.mark.parametrize("text", [SECRET, "password=hunter2\n", "{password: hunter2", "- hunter2\n", "a: 'hunter2\n"])
def test_what_is_no_spec_is_not_quoted(inner: Path, word: str, text: str) -> None:
    (inner / "secret.yaml").write_text(text, "utf-8")
    found = mistakes(inner, asks_for(word, "./secret.yaml"))
    assert [each.code for each in found] == ["no-spec"]
    assert "hunter2" not in str(found[0])


@pytest.mark.parametrize("word", ["extends", "use"])
@pytest.mark.parametrize("name", ["secret.txt", "./secret", "./net.yaml.bak"])
def test_only_yaml_is_read(inner: Path, word: str, name: str) -> None:
    for file in ("secret.txt", "secret", "net.yaml.bak"):
        (inner / file).write_text(BASE, "utf-8")
    found = mistakes(inner, asks_for(word, name))
    assert [each.code for each in found] in (["unknown-spec"], ["unknown-file"])


def test_what_lies_below_is_read(inner: Path) -> None:
    (inner / "deeper").mkdir()
    (inner / "deeper" / "base.yaml").write_text("extends: ../root.yaml\nname: base\n", "utf-8")
    (inner / "root.yaml").write_text("name: root\nuse: ./deeper/blocks.yaml\nstages: {a: mine}\n", "utf-8")
    (inner / "deeper" / "blocks.yaml").write_text(BLOCKS, "utf-8")
    (inner / "net.yaml").write_text("name: net\nextends: ./deeper/base.yaml\n", "utf-8")
    assert archbuilder.check(inner / "net.yaml").summary.parameters == 6
    assert archbuilder.check(inner / ".." / "inner" / "net.yaml").summary.parameters == 6


def test_the_zoo_is_read_from_everywhere(inner: Path) -> None:
    (inner / "net.yaml").write_text("name: net\nextends: resnet18\n", "utf-8")
    assert archbuilder.check(inner / "net.yaml").summary.parameters == 11_689_512


def test_a_spec_that_is_linked_to_has_the_folder_of_the_link(inner: Path, tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text("name: net\nextends: ./base.yaml\n", "utf-8")
    (inner / "net.yaml").symlink_to(tmp_path / "net.yaml")
    (inner / "base.yaml").write_text(BASE, "utf-8")
    assert archbuilder.check(inner / "net.yaml").summary.parameters == 6


def test_python_may_name_any_file(inner: Path) -> None:
    spec = archbuilder.Architecture(name="net", extends=str(inner.parent / "base.yaml"))
    assert archbuilder.check(spec).summary.parameters == 6


# ---- the bounds of a spec, for every file that is read ---------------------------------------------------------------


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(20 << 30)  # it has holes, and takes no room


BAD = {
    "huge": (huge, "too-large"),
    "long": (lambda path: path.write_text("blocks: {}\n" + "#" * 300_000, "utf-8"), "too-large"),
    "bytes": (lambda path: path.write_bytes(b"blocks: {b: {help: '\xff'}}\n"), "not-text"),
    "pipe": (os.mkfifo, "unknown"),
    "folder": (Path.mkdir, "unknown"),
    "loop": (lambda path: path.symlink_to(path), "unknown"),
    "gone": (lambda path: path.symlink_to("/nowhere.yaml"), "unknown"),
    "missing": (str, "unknown"),
    "deep": (lambda path: path.write_text(f"stages: {'[' * 500}", "utf-8"), "too-deep"),
    "values": (lambda path: path.write_text(f"blocks: [{'1,' * 30_000}]", "utf-8"), "too-large"),
}


@pytest.mark.parametrize("word", ["extends", "use"])
@pytest.mark.parametrize("kind", BAD)
def test_bounds(inner: Path, word: str, kind: str) -> None:
    make, code = BAD[kind]
    make(inner / "bad.yaml")
    (found, *more) = mistakes(inner, asks_for(word, "./bad.yaml"))
    assert not more, "one cause, one report"
    links = ("foreign-file",) if kind == "gone" else ()
    assert found.code in (code, *links, *(("unknown-spec", "unknown-file") if code == "unknown" else ()))


@pytest.mark.parametrize("word", ["extends", "use"])
def test_a_name_that_is_too_long(inner: Path, word: str) -> None:
    (found,) = mistakes(inner, asks_for(word, f"./{'a' * 300}.yaml"))
    assert found.code in ("unknown-spec", "unknown-file")


def test_a_file_of_blocks_that_cannot_be_read_leaves_its_blocks_alone(inner: Path) -> None:
    (inner / "bad.yaml").write_bytes(b"blocks: {mine: {help: '\xff', body: [norm]}}\n")
    (found,) = mistakes(inner, "name: net\nuse: ./bad.yaml\nstages: {a: mine}\n")
    assert str(found).startswith(f"{inner / 'bad.yaml'}:1:24: error[not-text]: this is not a text in UTF-8")


def test_a_file_of_blocks_is_named_once(inner: Path) -> None:
    (inner / "blocks.yaml").write_text(BLOCKS, "utf-8")
    (found,) = mistakes(inner, "name: net\nuse: [./blocks.yaml, blocks.yaml]\nstages: {a: mine}\n")
    assert (found.code, found.message) == ("duplicate", "`blocks.yaml` is here twice")


@pytest.mark.parametrize("kind", ["huge", "bytes", "loop", "folder"])
def test_bounds_of_plugins(tmp_path: Path, kind: str) -> None:
    make, code = BAD[kind]
    make(tmp_path / "bad.py")
    with pytest.raises((SpecError, FileNotFoundError)) as caught:
        archbuilder.load_plugin(tmp_path / "bad.py")
    if isinstance(caught.value, SpecError):
        assert [each.code for each in caught.value.diagnostics] == [code]
    (found,) = mistakes(tmp_path, asks_for("plugins", "./bad.py"))
    assert found.code in ("plugin-not-allowed", "unknown-file")


def test_a_plugin_with_a_long_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        archbuilder.load_plugin(tmp_path / f"{'a' * 300}.py")


# ---- names with a `#`, which also stands before a variant ---------------------------------------------------------------

HASHED = "name: hashed\nstages: {a: {block: conv, kernel: 1, width: 2}}\nvariants: {wide: {stages: {a: {width: 4}}}}\n"
ODD_NAMES = [
    "c#.yaml",
    "#.yaml",
    "sp ace #1.yaml",
    "a#b#c.yml",
    "b.yaml#.yaml",
    "x.yaml#y.yaml",
    "#d/c.yaml",
    "d#/c#.yaml",
]


def width_of(spec: Any) -> int:
    return archbuilder.lower(spec).output_shape.channels


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("before", ["", "./", "here"])
def test_a_name_may_hold_a_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, before: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(HASHED, "utf-8")
    word = str(tmp_path / name) if before == "here" else f"{before}{name}"
    for spec in (word, Path(word)):
        assert width_of(spec) == 2
    for variant in (f"{word}#wide", Path(f"{word}#wide")):
        assert width_of(variant) == 4
    with pytest.raises(SpecError, match="there is no variant `nope`"):
        archbuilder.check(f"{word}#nope")


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_text_may_ask_for_a_name_that_holds_a_hash(inner: Path, name: str) -> None:
    (inner / name).parent.mkdir(exist_ok=True)
    (inner / name).write_text(HASHED, "utf-8")
    for variant, width in (("", 2), ("#wide", 4)):
        (inner / "net.yaml").write_text(f"name: net\nextends: './{name}{variant}'\nstages: {{b: norm}}\n", "utf-8")
        assert width_of(inner / "net.yaml") == width
    (inner / name).write_text(BLOCKS, "utf-8")
    (inner / "net.yaml").write_text(f"name: net\nuse: './{name}'\nstages: {{b: mine}}\n", "utf-8")
    assert archbuilder.check(inner / "net.yaml")


@pytest.mark.parametrize("name", ["c#.yaml", "./c#.yaml", "d#/c.yaml", "x.yaml"])
def test_a_name_with_a_hash_that_is_not_there_is_told_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for word in (name, f"{name}#wide"):
        with pytest.raises(FileNotFoundError, match=f"there is no file {re.escape(str(Path(name)))}$"):
            archbuilder.check(word)


def test_a_variant_may_be_called_with_a_hash(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(HASHED.replace("wide", '"a#b"'), "utf-8")
    assert width_of(f"{tmp_path}/c.yaml#a#b") == 4
    (tmp_path / "c.yaml#a").mkdir()
    assert width_of(f"{tmp_path}/c.yaml#a#b") == 4


def test_a_word_of_many_hashes_is_read_at_once() -> None:
    for word in ("#" * 1_000_000, ".yaml#" * 200_000, "./" + "x#" * 1_000_000):
        with pytest.raises((OSError, SpecError)):
            archbuilder.check(word)
