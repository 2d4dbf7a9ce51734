"""The PDF of a scene, read back: its page, what it says of itself, its texts as somebody copies them."""

from __future__ import annotations

import re
import unicodedata
import zlib
from unittest import TestCase

import pytest

from archbuilder.diagnostics import printable
from archbuilder.draw.options import THEMES, Theme
from archbuilder.draw.outputs.pdf import to_pdf
from archbuilder.draw.scene import Scene, Text
from tests.draw.scenes import HOSTILE, SMALL, demo, saying

ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def objects(data: bytes) -> dict[int, tuple[bytes, bytes]]:
    """The objects of a PDF by number: what is said of each, and the stream that it has."""
    found = {}
    for match in re.finditer(rb"(?ms)^(\d+) 0 obj\n(.*?)\n?endobj$", data):
        said, _, stream = match[2].partition(b"\nstream\n")
        stream = stream.removesuffix(b"\nendstream")
        found[int(match[1])] = said, zlib.decompress(stream) if b"/FlateDecode" in said else stream
    return found


def value(said: bytes, key: str) -> int:
    """The number of the object that a key of another one points to."""
    match = re.search(rf"/{key} (\d+) 0 R".encode(), said)
    assert match, key
    return int(match[1])


def phrase(said: bytes, key: str) -> str:
    """The text of a key."""
    if match := re.search(rf"/{key} <feff([0-9a-f]*)>".encode(), said):
        return bytes.fromhex(match[1].decode()).decode("utf-16-be")
    match = re.search(rf"/{key} \((.*)\)".encode(), said)
    assert match, key
    return match[1].decode()


def letters(said: bytes, found: dict[int, tuple[bytes, bytes]]) -> dict[int, str]:
    """What the codes of a font stand for."""
    _, table = found[value(said, "ToUnicode")]
    pairs = re.findall(rb"<([0-9A-F]{4})> <([0-9A-F]+)>", table.partition(b"beginbfchar")[2])
    return {int(code, 16): bytes.fromhex(text.decode()).decode("utf-16-be") for code, text in pairs}


def texts(data: bytes) -> list[str]:
    """The texts on a page, each line of one font as one."""
    found = objects(data)
    (page,) = (said for said, _ in found.values() if b"/Type /Page\n" in said)
    resources, _ = found[value(page, "Resources")]
    fonts = {
        name: letters(found[int(number)][0], found) for name, number in re.findall(rb"/(F\d) (\d+) 0 R", resources)
    }
    _, content = found[value(page, "Contents")]
    token = rb"/(F\d) [\d.]+ Tf|ActualText <feff([0-9a-f]+)>|(?s:([\d.]+) Td \(((?:\\.|[^\\)])*)\) Tj)"
    lines: dict[tuple[bytes, bytes], str] = {}
    font, instead = b"", ""
    for match in re.finditer(token, content):
        if match[1]:
            font = match[1]
        elif match[2]:
            instead = bytes.fromhex(match[2].decode()).decode("utf-16-be")
        else:
            shown = re.sub(rb"(?s)\\(.)", lambda escape: ESCAPES.get(escape[1], escape[1]), match[4])
            codes = [int.from_bytes(shown[at : at + 2]) for at in range(0, len(shown), 2)]
            run = instead or "".join(fonts[font][code] for code in codes)
            instead = ""
            lines[font, match[3]] = lines.get((font, match[3]), "") + run
    return list(lines.values())


@pytest.mark.parametrize("theme", THEMES)
def test_it_says_what_it_is(theme: Theme) -> None:
    data = to_pdf(SMALL, theme)
    assert data.startswith(b"%PDF-1.")
    said = {key: said for said, _ in objects(data).values() for key in re.findall(rb"/Type /(\w+)|/(Title)", said)}
    catalog, information = said[b"Catalog", b""], said[b"", b"Title"]
    assert re.search(rb"/MediaBox \[0 0 120.00 60.00\]", said[b"Pages", b""])
    assert b"/Lang (en)" in catalog
    assert b"/DisplayDocTitle true" in catalog
    assert (phrase(information, "Title"), phrase(information, "Subject")) == ("small", "One box.")
    assert phrase(information, "Creator") == "archbuilder"
    (figure,) = (said for said, _ in objects(data).values() if b"/S /Figure" in said)
    assert phrase(figure, "Alt") == "small. One box."


def test_its_texts_are_texts() -> None:
    written = [shape.text for shape in demo().flat() if isinstance(shape, Text)]
    found = texts(to_pdf(demo()))
    assert found[:2] == [unicodedata.normalize("NFC", text) for text in written[:2]]
    assert found[-1] == "日本 🙂 Привет Ωμέγα ½ é ḇ (missing here and there)"


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:20])
def test_a_hostile_text_is_only_text(text: str) -> None:
    with TestCase().assertNoLogs(level="WARNING"):  # the library says so where a font has not what is asked for
        data = to_pdf(saying(text))
    shown = printable(text)
    composed = unicodedata.normalize("NFC", shown)
    found = texts(data)
    if any(unicodedata.bidirectional(character) in ("R", "AL") for character in composed):
        found, composed = [sorted(line) for line in found], sorted(composed)
    assert found == [composed] * (3 if composed else 0)
    (figure,) = (said for said, _ in objects(data).values() if b"/S /Figure" in said)
    assert not shown or phrase(figure, "T") == shown or "<feff" not in phrase(figure, "T")


def test_what_is_written_from_right_to_left_is_drawn_so() -> None:
    assert texts(to_pdf(Scene(90, 20, (Text(5, 15, "a שלום b", 10),)))) == ["a םולש b"]


def test_a_font_is_there_with_the_letters_that_are_used() -> None:
    data = to_pdf(SMALL)
    names = re.findall(rb"/FontName /(\w+)\+(\w+)", data)
    assert {name for _, name in names} == {b"LiberationSansBold"}
    assert len(data) < 20_000


@pytest.mark.parametrize(("size", "page"), [((15000, 50), b"14400.00 48.00"), ((7200, 28800), b"3600.00 14400.00")])
def test_a_huge_drawing_is_made_smaller(size: tuple[int, int], page: bytes) -> None:
    data = to_pdf(Scene(*size, SMALL.shapes))
    assert b"/MediaBox [0 0 " + page + b"]" in data
    assert texts(data) == ["layer1 <×3>"]
