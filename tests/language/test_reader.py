"""YAML text -> tables: values, the place of each, and bounds that no text gets past."""

from textwrap import dedent

import pytest
import yaml

from archbuilder.diagnostics import Place, Reporter, Source
from archbuilder.language import reader
from archbuilder.language.reader import MAXIMUM_CHARACTERS, MAXIMUM_VALUES, read_yaml
from archbuilder.language.table import Table

TOO_MANY = f"this text holds more than {MAXIMUM_VALUES:,} values (those behind aliases count each time)"


def read(text: str) -> Table:
    reporter = Reporter()
    table = read_yaml(Source("net.yaml", text), reporter)
    assert not reporter.diagnostics
    assert table is not None
    return table


def refusal(text: str) -> list[str]:
    reporter = Reporter()
    read_yaml(Source("net.yaml", text), reporter)
    return [f"{each.place and each.place.line}: {each.message}" for each in reporter.diagnostics]


def marked(place: Place | None) -> str:
    assert place is not None
    return place.source.line(place.line)[place.column - 1 : place.end - 1]


def test_values() -> None:
    text = dedent("""\
        name: net          # a comment
        stages:
          layer1: {block: basic, width: 64, names: ["a", 'b', no, 1e-5]}
          169:
            - norm
        """)
    assert read(text) == {
        "name": "net",
        "stages": {"layer1": {"block": "basic", "width": 64, "names": ["a", "b", "no", 1e-5]}, "169": ["norm"]},
    }


def test_a_quoted_number_is_a_text() -> None:
    assert read("a: '50'\nb: \"1e-5\"\nc: |\n  50\n") == {"a": "50", "b": "1e-5", "c": "50\n"}


def test_keys_are_texts() -> None:
    assert read("1: a\ntrue: b\nnull: c\n1.50: d") == {"1": "a", "true": "b", "null": "c", "1.50": "d"}


def test_every_key_and_value_knows_its_place() -> None:
    table = read("name: net\nstages: {größe: 64, 'b c': [1, $(x + 1)]}\n")
    stages = table["stages"]
    assert marked(table.key_places["stages"]) == "stages"
    assert marked(stages.key_places["größe"]) == "größe"
    assert marked(stages.value_places["größe"]) == "64"
    assert marked(stages.key_places["b c"]) == "'b c'"
    assert [marked(place) for place in stages["b c"].places] == ["1", "$(x + 1)"]
    assert str(stages.value_places["größe"]) == "net.yaml:2:17"


def test_what_is_not_there_has_the_place_of_its_key() -> None:
    assert marked(read("name:\nstages:\n").value_places["name"]) == "name"


def test_anchors_are_values() -> None:
    assert read("a: &x {width: 64}\nb: *x\nc: &n 3\nd: [*n, *n]") == {
        "a": {"width": 64}, "b": {"width": 64}, "c": 3, "d": [3, 3],
    }  # fmt: skip


def test_windows_line_ends_and_a_byte_order_mark() -> None:
    assert read("\ufeffname: net\r\nstages: {a: 1}\r\n") == {"name": "net", "stages": {"a": 1}}


@pytest.fixture(params=["SafeLoader", getattr(reader._LOADER, "__name__", "")])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """YAML's parser in Python, which a browser has, and the one that is used here."""
    monkeypatch.setattr(reader, "_LOADER", getattr(yaml, request.param))


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    "text", ["# a{}b", 'help: "a{}b"', "help: a{}", "help: |\n  a{}  b", "a{}: 1", "help: {{a: 1{}}}"]
)
@pytest.mark.parametrize("character", ["\x85", "\u2028", "\u2029"])
def test_an_editor_shows_no_end_of_a_line_there(text: str, character: str) -> None:
    table = read(f"name: net\n{text.format(character)}\nstages: {{é: 'a{character}', b: conv}}\n")
    assert marked(table["stages"].value_places["b"]) == "conv"
    assert table["stages"].value_places["b"].line == table.key_places["stages"].line == 3 + text.count("\n")


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("begin", ["", "\ufeff"])
def test_lines_are_those_of_an_editor(begin: str, end: str) -> None:
    table = read(begin + end.join(["name: net", "# a comment", "stages:", "  a: conv"]))
    assert [marked(table.key_places["name"]), marked(table.value_places["name"])] == ["name", "net"]
    assert marked(table["stages"].value_places["a"]) == "conv"
    assert table["stages"].value_places["a"].line == 4


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize("before", ["", "e", "é", "🎉日本", "a\r", "\x85", "\n"])
@pytest.mark.parametrize("character", ["\0", "\x1b", "\ufffe", "\ud800", "\x7f", "\ufeff"])
def test_a_character_that_is_none_of_yaml(before: str, character: str) -> None:
    reporter = Reporter()
    assert read_yaml(Source("net.yaml", f"{before}{before}: [{character}, {character}]\n"), reporter) is None
    (found,) = reporter.diagnostics
    assert (found.message, marked(found.place)) == ("this character is not allowed in YAML", character)
    assert found.place is not None
    assert found.place.source.line(found.place.line)[: found.place.column - 1].endswith(": [")


IN_QUOTES = "put a text with `,` `{` `}` or `: ` in it in quotes"
IN_A_LIST = "put a text with `,` `[` `]` or `: ` in it in quotes"
COMMA = "remove the comma, or write a value before it"
ALONE = "remove it, or put the whole text in quotes"


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("text", "line", "at", "help"),
    [
        # a line that goes on with the text of another one
        ("a:\n  b: c\n    d: e\n", 3, ": e", "begin this line in the same column as the key of line 2, or "),
        (
            "a:\n  b: c\n\n      d: e\n",
            4,
            ": e",
            "begin this line in the same column as the key of line 2, or ",
        ),
        ("a: b\n  c\n  d: e\n", 3, ": e", "begin this line in the same column as the key of line 1, or "),
        ("a:\n- b: c\n    d: e\n", 3, ": e", "begin this line in the same column as the key of line 2, or "),
        ("a: b: c\n", 1, ": c", "put a text with `: ` in it in quotes"),
        # a line without a key
        ("a:\n  b:c\n  d: e\n", 2, "b:c", "write `key: value`, with a space behind the colon"),
        ("a:\n  b\n\n  d: e\n", 2, "b", "write `key: value`, with a space behind the colon"),
        ("a:\n  b: c\n  d:e\n", 3, "d:e", "write `key: value`, with a space behind the colon"),
        # maps and lists in brackets
        ("a: {b: c d: e}\n", 1, ": e", f"put a comma before `d`, or {IN_QUOTES}"),
        ("a: {b: c, d: [e f: 1 g: 2]}\n", 1, ": 2", f"put a comma before `g`, or {IN_A_LIST}"),
        ("a: {\n  b: '}' # }\n  c: d\n}\n", 3, "c: d", f"put a comma or a colon before it, or {IN_QUOTES}"),
        ("a: {'b' 'c'}\n", 1, "'c'", f"put a comma or a colon before it, or {IN_QUOTES}"),
        ("a: {b: c\n", 1, "", f"close the `{{`, or {IN_QUOTES}"),
        ("a: {b: c\nd: {e: f}\n", 2, ": {", f"close the `{{` of line 1, or {IN_QUOTES}"),
        ("a: [b, c\nd: [e]\n", 2, ": [", f"close the `[` of line 1, or {IN_A_LIST}"),
        ("a: {b: [c, d: e}\n", 1, "}", f"close the `[`, or {IN_A_LIST}"),
        ("a: {b: c,, d: e}\n", 1, ", d", COMMA),
        ("a: [1,,2]\n", 1, ",2", COMMA),
        ("a: [, 2]\n", 1, ", 2", COMMA),
        ("a: [\n", 1, "", "close every `{` and `["),
        ("a: {b: ${w}, c: 1}\n", 1, "{w}", "write `$w`"),
        ("a: [1, ${ w }]\n", 1, "{ w", "write `$w`"),
        ("a: {b: ${w + 1}}\n", 1, "{w", "write `$(...)`"),
        ("a: }\n", 1, "}", ALONE),
        ("a: {b: c}}\n", 1, "}\n", ALONE),
        ("a: {b: c}\n}\n", 2, "}\n", ALONE),
        ("a: [b]]\nc: d\n", 1, "]\n", ALONE),
        # what stands behind a value
        ("a: {b: c},\nd: e\n", 1, ",\n", "remove the comma"),
        ("a: {b: c} d\n", 1, "d", ALONE),
        ("a: 'b' c\n", 1, "c", ALONE),
        ("a:\n- 'b' c\n", 2, "c", ALONE),
        ("a:\n  'b' c\nd: e\n", 2, "c", ALONE),
        # lines that are indented unlike others
        ("a: {b: c}\n  d: e\n", 2, "d", "begin all keys of a map in the same column"),
        ("a:\n  b: c\n d: e\n", 3, "d", "begin all keys of a map in the same column"),
        ("a:\n  b:\n    - c\n   - d\n", 4, "- d", "begin all `-` of a list in the same column"),
        ("a:\n  b: c\n  - d\n", 3, "- d", "write `key: value`, or `- ` before all of them"),
        (" a: b\nc: d\n", 2, "c", "begin all keys of a map in the same column"),
        ("a:\n  - b\n  c: d\n", 3, "c", "write `- ` before it, or keys for all of them"),
        # others
        ("{a: b} c\n", 1, "c", "write one map, with each of its keys in a line of its own"),
        ("{a: b}\nc: d\n", 2, "c", "write one map, with each of its keys in a line of its own"),
        ("%YAML 1.2\na: b\n", 1, "%", "remove it"),
        ("a: |b\n  c\n", 1, "b", "put the text in quotes"),
        ("a: - b\n", 1, "- b", "write each `- ` in a line of its own, or the list as [a, b]"),
        ("a: | b\n", 1, "b", "put the text in quotes"),
        ("a: *\n", 1, "", "put the text in quotes"),
        ("a: @b\n", 1, "@b", "put the text in quotes"),
    ],
)
def test_what_is_no_yaml(text: str, line: int, at: str, help: str) -> None:
    reporter = Reporter()
    assert read_yaml(Source("net.yaml", text), reporter) is None
    (found,) = reporter.diagnostics
    assert found.place is not None
    assert found.place.line == line
    assert f"{found.place.source.line(line)}\n"[found.place.column - 1 :].startswith(at or "\n")
    assert found.help is not None
    assert found.help.startswith(help)


def test_each_duplicate_is_reported() -> None:
    assert refusal("a: 1\na: 2\nb: {c: 1, c: 2}\na: 3") == [
        "2: `a` is here twice; the first is in line 1",
        "3: `c` is here twice; the first is in line 3",
        "4: `a` is here twice; the first is in line 1",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: " + "[" * 40_000, "1: maps and lists are nested more than 40 deep"),
        ("a: " + "{a: " * 40_000, "1: maps and lists are nested more than 40 deep"),
        ("- " * 40_000, "1: maps and lists are nested more than 40 deep"),
        ("a: [" + "1," * MAXIMUM_VALUES + "]", f"1: {TOO_MANY}"),
        (
            "#" * (MAXIMUM_CHARACTERS + 1),
            f"1: this text has {MAXIMUM_CHARACTERS + 1:,} characters; at most {MAXIMUM_CHARACTERS:,} are read",
        ),
        ("a: !!python/name:os.system x", "1: tags such as `!!python/name:os.system` have no meaning in a spec"),
        ("a: &a [*a]", "1: there is no anchor `&a` before this alias"),
        ("a: &k b\n*k : 1", "2: a key must be written out, not taken from an anchor"),
        ("a: \x00", "1: this character is not allowed in YAML"),
        ("a: \ud800", "1: this character is not allowed in YAML"),
    ],
)
def test_bounds(text: str, message: str) -> None:
    assert refusal(text) == [message]


def test_aliases_cannot_blow_up() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    (message,) = refusal("\n".join(lines))
    assert message.endswith(TOO_MANY)


def test_aliases_cannot_nest_without_bound() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 60)]
    (message,) = refusal("\n".join(lines))
    assert message.endswith("maps and lists are nested more than 40 deep")
