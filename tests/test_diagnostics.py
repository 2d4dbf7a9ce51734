"""How a mistake is printed, whatever the text that it stands in."""

import pickle
from textwrap import dedent

import pytest

from archbuilder import SpecError, check
from archbuilder.diagnostics import (
    MAXIMUM_DIAGNOSTICS,
    Diagnostic,
    Note,
    Place,
    Reporter,
    Source,
    format_diagnostic,
    printable,
    shorten,
    suggest,
)


def report(text: str, line: int, column: int, end: int, message: str = "no", name: str = "net.yaml") -> str:
    return format_diagnostic(Diagnostic("bad", message, Place(Source(name, text), line, column, end)))


def test_everything_that_can_be_said() -> None:
    source = Source("net.yaml", "name: net\nwidth: 16\nheight: 3\n")
    diagnostic = Diagnostic(
        "bad-value",
        "`width` must be even",
        Place(source, 2, 8, 10),
        help="write 18",
        notes=(Note("since `height` is odd", Place(source, 3, 1, 7)), Note("it was always so")),
    )
    assert str(diagnostic) == dedent("""\
        net.yaml:2:8: error[bad-value]: `width` must be even
            2 | width: 16
              |        ^^
          note: net.yaml:3:1: since `height` is odd
          note: it was always so
          help: write 18""")


def test_without_a_place() -> None:
    assert format_diagnostic(Diagnostic("bad", "no", help="yes")) == "error[bad]: no\n  help: yes"


@pytest.mark.parametrize(
    ("text", "place"),
    [("a: 1\n", (7, 1, 2)), ("a: 1\n\n", (2, 1, 2)), ("", (1, 1, 2)), ("   \n", (1, 1, 2))],
)
def test_lines_that_are_not_there_are_not_quoted(text: str, place: tuple[int, int, int]) -> None:
    assert report(text, *place) == f"net.yaml:{place[0]}:1: error[bad]: no"


def test_an_empty_stretch_gets_one_mark() -> None:
    assert report("name:\n", 1, 6, 6).splitlines()[1:] == ["    1 | name:", "      |      ^"]


def test_a_stretch_ends_with_its_line() -> None:
    assert report("a: [1,\n", 1, 4, 99).splitlines()[1:] == ["    1 | a: [1,", "      |    ^^^"]


def test_long_lines_are_cut_around_the_mark() -> None:
    text = "x" * 500 + "MARKED" + "y" * 500
    _, quoted, marks = report(text, 1, 501, 507).splitlines()
    assert len(quoted) <= 130
    assert quoted[8:][marks[8:].index("^") : marks[8:].rindex("^") + 1] == "MARKED"
    assert report("z" * 10_000, 1, 1, 10_001).count("^") <= 130


def test_windows_line_ends() -> None:
    assert report("a: 1\r\nb: 2\r\n", 2, 4, 5).splitlines()[1:] == ["    2 | b: 2", "      |    ^"]


def test_columns_count_characters() -> None:
    _, quoted, marks = report("größe: 'łóś', b: 3", 1, 18, 19).splitlines()
    assert (quoted, marks) == ("    1 | größe: 'łóś', b: 3", "      |                  ^")


def test_a_tab_takes_one_column() -> None:
    assert report("\ta: 1", 1, 2, 3).splitlines()[1:] == ["    1 | →a: 1", "      |  ^"]


HOSTILE = ["\x1b[31m", "\x00", "\x07", "\x9b2J", "\u202e", "\u2066", "\u200b", "\ufeff", "\u2028", "\ud800", "\x7f"]


@pytest.mark.parametrize("character", HOSTILE, ids=lambda text: f"{ord(text[0]):04x}")
def test_no_text_commands_a_terminal(character: str) -> None:
    text = report(f"a: {character}b", 1, 4, 5 + len(character), f"got {character}", f"{character}.yaml")
    assert character[0] not in text
    assert f"\\u{ord(character[0]):04x}" in text
    quoted, marks = text.splitlines()[1:]
    assert len(marks) == len(quoted)


@pytest.mark.parametrize("character", HOSTILE, ids=lambda text: f"{ord(text[0]):04x}")
def test_what_cannot_be_seen_hides_nothing_of_its_line(character: str) -> None:
    line = f"a: {{block: conv{character}, width: 8}}"
    for end in range(13, 18 + len(character)):
        _, quoted, marks = report(line, 1, 12, end).splitlines()
        assert quoted == "    1 | " + printable(line)
        assert marks.count("^") == len(printable(line[11 : end - 1]))


def test_a_line_end_in_a_message_stays_in_its_line() -> None:
    assert report("a: 1", 1, 1, 2, "one\ntwo").splitlines()[0] == "net.yaml:1:1: error[bad]: one\\u000atwo"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("größe 3×3 → `norm` 日本 🙂 é", "größe 3×3 → `norm` 日本 🙂 é"),
        ("a\0b\u202e\x1b", "a\\u0000b\\u202e\\u001b"),
        ("a\u061c\u00ad\u200d\U000e0041", "a\\u061c\\u00ad\\u200d\\U000e0041"),
        ("\ufffe\uffff\ud800", "\\ufffe\\uffff\\ud800"),
        ("a\tb\nc", "a\\u0009b\\u000ac"),
        ("\u00a0\u3000", "\u00a0\u3000"),
    ],
)
def test_what_cannot_be_seen_is_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown


@pytest.mark.parametrize(
    ("before", "marked", "columns", "carets"),
    [
        ("plain", "abc", 5, 3),
        ("é", "abc", 1, 3),
        ("e\u0301", "abc", 1, 3),  # a letter and its accent
        ("漢字", "abc", 4, 3),
        ("🎉", "漢字", 2, 4),
        ("❤\ufe0f", "abc", 1, 3),  # what chooses how a character looks
        ("\uff41\uff42\uff43\uff44", "e\u0301e\u0301", 8, 2),  # letters as wide as two
        ("\uff76", "abc", 1, 3),  # half as wide as its like
        ("한", "한", 2, 2),
        ("\u1112\u1161\u11ab", "abc", 2, 3),  # the same, letter by letter
        ("नि", "abc", 2, 3),
        ("\u200b", "a\u200bb", 6, 8),  # what is not seen is written as an escape
        ("", "\u0301", 0, 1),
    ],
)
def test_carets_stand_below_what_they_mark(before: str, marked: str, columns: int, carets: int) -> None:
    """In columns of a terminal, where some characters take two and some none."""
    line = f"a: {before}{marked}: 3"
    start = len(f"a: {before}") + 1
    assert report(line, 1, start, start + len(marked)).splitlines()[2] == f"      | {' ' * (3 + columns)}{'^' * carets}"


LONG = "n" * 40_000
LONG_WORDS = " ".join(["n"] * 20_000)


@pytest.mark.parametrize("name", [LONG, LONG_WORDS], ids=["one word", "words"])
@pytest.mark.parametrize(
    "text",
    [
        "stages: {a: {block: norm, from: 'NAME'}}",
        "stages: {a: norm}\nfeatures: ['NAME']",
        "stages: {a: norm}\nvariants: {b: {}}\ndefault: 'NAME'",
        "stages: {a: norm}\nuse: ['NAME']",
        "stages: {a: norm}\nuse: ['NAME.yaml']",
        "extends: 'NAME'",
        "extends: 'NAME.yaml'",
        "stages: {a: {block: 'NAME'}}",
        "stages: {a: {block: norm, 'NAME': 3}}",
        "stages: {a: {block: norm, kind: 'NAME'}}",
        "stages: {'NAME': norm}",
        "'NAME': 3\nstages: {a: norm}",
        "parameters: {'NAME': 3}\nstages: {a: norm}",
        "defaults: {'NAME': {eps: 1}}\nstages: {a: norm}",
        "stages: {a: {block: conv, kernel: 1, width: '$(NAME)'}}",
        "stages: {a: {block: conv, kernel: 1, width: '$NAME'}}",
        "stages: {a: norm}\nrename: {'NAME': b}",
        "stages: {a: norm}\nregister: ['NAME']",
        "stages: {a: norm}\nexpect: {'NAME': 3}",
        "stages: {a: norm}\nsequential: 'NAME'",
        "blocks: {my: {extends: 'NAME'}}\nstages: {a: my}",
    ],
)
def test_no_name_is_printed_whole_that_nobody_would_read(text: str, name: str) -> None:
    with pytest.raises(SpecError) as caught:
        check("net.yaml", text=f"name: t\n{text.replace('NAME', name)}\n")
    assert max(map(len, str(caught.value).splitlines())) < 1100


def test_shorten() -> None:
    assert shorten("abc", 5) == "abc"
    assert shorten("a" * 50 + "b" * 50, 20) == "aaaaaaaaaa…bbbbbbbbb"
    assert len(shorten("a" * 100, 20)) == 20


@pytest.mark.parametrize(
    ("name", "choices", "help"),
    [
        ("botleneck", ["basic", "bottleneck"], "did you mean `bottleneck`?"),
        ("epsilon", ["eps", "kind"], "did you mean `eps`?"),
        ("dw", ["norm", "conv"], "known here: conv, norm"),
        ("width", ["depth"], "known here: depth"),
        ("x", [], None),
        ("conv$i", ["conv1", "norm"], "an expression cannot be used here"),
        ("conv$j", ["conv$i", "norm"], "did you mean `conv$i`?"),
        ("x" * 100_000, ["conv"], "known here: conv"),
        (
            "q",
            [f"a{number:02}" for number in range(30)],
            "known here: " + ", ".join(f"a{n:02}" for n in range(25)) + ", ...",
        ),
    ],
)
def test_suggest(name: str, choices: list[str], help: str | None) -> None:
    assert suggest(name, choices) == help


def test_mistakes_are_sorted_by_their_place() -> None:
    source = Source("net.yaml", "")
    places = [(2, 9), (10, 1), (2, 1), (1, 5)]
    error = SpecError([Diagnostic("bad", "no", Place(source, *place, 9)) for place in places])
    assert [each.place and each.place[1:3] for each in error.diagnostics] == [(1, 5), (2, 1), (2, 9), (10, 1)]
    assert str(error) == "\n".join(f"net.yaml:{line}:{column}: error[bad]: no" for line, column in sorted(places))


def test_each_mistake_is_kept_once() -> None:
    reporter = Reporter()
    place = Place(Source("net.yaml", "a: 1"), 1, 1, 2)
    for _ in range(3):
        reporter.error("bad", "no", place)
    reporter.error("bad", "another", place)
    reporter.error("bad", "no", place._replace(column=2))
    assert len(reporter.diagnostics) == 3


def test_a_mistake_in_other_turns_of_a_loop_is_the_same() -> None:
    reporter = Reporter()
    place = Place(Source("net.yaml", "a: 1"), 1, 1, 2)
    for number in range(12):
        reporter.error("bad", f"there is no step `a.{number}`", place)
    assert [each.message for each in reporter.diagnostics] == ["there is no step `a.0`"]


def test_mistakes_are_bounded() -> None:
    reporter = Reporter()
    for number in range(MAXIMUM_DIAGNOSTICS - 1):
        reporter.error("bad", f"no {number}")
    with pytest.raises(SpecError) as caught:
        reporter.error("bad", "one too many")
    assert len(caught.value.diagnostics) == MAXIMUM_DIAGNOSTICS


def test_mistakes_that_are_looked_for_aside_end_nothing() -> None:
    reporter = Reporter(is_aside=True)
    for number in range(10 * MAXIMUM_DIAGNOSTICS):
        reporter.error("bad", f"no {number}")
    assert len(reporter.diagnostics) == MAXIMUM_DIAGNOSTICS


def test_an_error_can_be_pickled() -> None:
    with pytest.raises(SpecError) as caught:
        check("net.yaml", text="nmae: net\nstages: {a: {block: conv, kernal: 3}}")
    again = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(again, SpecError)
    assert str(again) == str(caught.value)
    assert again.diagnostics == caught.value.diagnostics
