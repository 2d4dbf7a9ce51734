"""The TikZ picture of a scene. That LaTeX compiles it was tried by hand: the tests read it as LaTeX would."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archbuilder.analysis.latex import SIGNS as LATEX_SIGNS
from archbuilder.analysis.latex import escaped
from archbuilder.diagnostics import printable
from archbuilder.draw.fonts import width
from archbuilder.draw.options import THEMES, Theme
from archbuilder.draw.outputs.tikz import to_tikz
from archbuilder.draw.scene import Part, Scene, Text
from archbuilder.draw.theme import inks
from tests.draw.scenes import HOSTILE, SMALL, demo, saying

GOLDEN = Path(__file__).parent / "golden"

COMMANDS = {
    "textbackslash": "\\",
    "textasciicircum": "^",
    "textasciitilde": "~",
    "textless": "<",
    "textgreater": ">",
    "textbar": "|",
    "textasciigrave": "`",
    "textquotesingle": "'",
    "textquotedbl": '"',
}
"""What LaTeX shows for a command."""

SIGNS = {words: sign for sign, words in LATEX_SIGNS.items()}

WORD = re.compile(
    r"\\(?P<command>text[a-z]+)\{\}"
    r"|\\(?P<sign>[#$%&_{} ])"
    r"|(?P<alone>[-,])\{\}"
    r"|\\unknown\{(?P<code>[0-9A-F]+)\}"
    r"|(?P<called>\\text(super|sub)script\{\d\}|\$(\\[A-Za-z]+|-|'|'')\$)"
    r"|(?P<space>~)"
    r"|(?P<plain>[^\\{}$&#%^_~\"`'<>|,-])"
)
"""One character as LaTeX reads it; a special one that is not escaped is none."""


def read(words: str) -> str:
    """What LaTeX shows of some words."""
    shown, at = "", 0
    while at < len(words):
        match = WORD.match(words, at)
        assert match, words[at : at + 40]
        given = match.groupdict()
        if given["command"]:
            shown += COMMANDS[given["command"]]
        elif given["code"]:
            shown += chr(int(given["code"], 16))
        elif given["called"]:
            shown += SIGNS[given["called"]]
        else:
            shown += "\u00a0" if given["space"] else given["sign"] or given["alone"] or given["plain"]
        at = match.end()
    return shown


def texts(document: str) -> list[tuple[str, str]]:
    """The room and the words of each text of a document, whose other lines are nothing but drawing."""
    body = document.partition("y=-1bp, line join=round]\n")[2]
    lines, _, rest = body.partition("\n\\end{tikzpicture}\n\\end{document}\n")
    assert rest == ""
    found = []
    for line in lines.split("\n"):
        if match := re.fullmatch(
            r"\\words\[text=ink\w+(?:, anchor=base(?: east)?)?\]\{[\d.]+,[\d.]+\}\{[\d.]+bp\}\{([\d.]+)bp\}\{(.*)\}",
            line,
        ):
            found.append((match[1], re.sub(r"^\\textbf\{(.*)\}$", r"\1", match[2])))
        else:
            drawing = r"(\\begin\{scope\})?(\\(clip|path|fill|useasboundingbox)\b)?[\[\](),;=. \w-]*(\\end\{scope\})?"
            assert line.startswith("% ") or re.fullmatch(drawing, line), line
    return found


def expected(text: str) -> str:
    composed = unicodedata.normalize("NFC", printable(text)).replace("…", "...")
    return "".join(character for character in composed if unicodedata.category(character) not in ("Mn", "Me"))


@pytest.mark.parametrize("theme", ["light"])
def test_a_small_scene_as_a_whole(theme: Theme) -> None:
    golden = GOLDEN / f"small-{theme}.tex"
    if os.environ.get("ARCHBUILDER_GOLDEN") == "write":
        golden.write_text(to_tikz(SMALL, theme), "utf-8")
    assert to_tikz(SMALL, theme) == golden.read_text("utf-8")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:20])
def test_a_hostile_text_is_only_text(text: str, theme: Theme) -> None:
    check(text, theme)


@settings(max_examples=100)
@given(st.text(max_size=30))
@example("\ua720")  # to the font it takes no room
def test_no_text_is_more_than_text(text: str) -> None:
    check(text, "light")


def check(text: str, theme: Theme) -> None:
    document = to_tikz(saying(text), theme)
    assert all(printable(line) == line for line in document.split("\n"))
    shown = printable(text)
    found = texts(document)
    if not shown.strip():
        assert found == []
        return
    for (room, words), size, bold in zip(found, (10, 8, 10), (False, True, False), strict=True):
        assert float(room) <= 10_000.01
        if width(shown, size, bold=bold) < 10_000:
            assert float(room) == pytest.approx(width(shown, size, bold=bold), abs=0.01)
            assert read(words) == expected(text)


def test_every_sign_has_a_name_of_its_own() -> None:
    assert len(SIGNS) == len(LATEX_SIGNS)
    assert read("".join(map(escaped, LATEX_SIGNS))) == "".join(LATEX_SIGNS).replace("…", "...")


def test_what_it_means_in_latex_is_escaped() -> None:
    assert escaped("a_b^2 #1 50% {x} $y$ ~ \\end & <b> | `q'") == (
        r"a\_b\textasciicircum{}2 \#1 50\% \{x\} \$y\$ \textasciitilde{} \textbackslash{}end \& "
        r"\textless{}b\textgreater{} \textbar{} \textasciigrave{}q\textquotesingle{}"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("3×3 – 1 → 2 · 5² … µ é Ł", "3×3 – 1 $\\rightarrow$ 2 · 5² ... µ é Ł"),
        ("α ≤ Ω", "$\\alpha$ $\\leq$ $\\Omega$"),
        ("10⁴ x₁", "10\\textsuperscript{4} x\\textsubscript{1}"),
        ("a--b,,c", "a-{}-{}b,{},{}c"),
        ("  a  b ", "\\ \\ a \\ b\\ "),
        ("日🙂", "\\unknown{65E5}\\unknown{1F642}"),
        ("e\u0301q\u0301", "éq"),
        ("Ж", "\\unknown{416}"),
    ],
)
def test_signs_are_what_latex_calls_them(text: str, words: str) -> None:
    assert escaped(text) == words


def test_titles_are_comments_of_one_line() -> None:
    hostile = "a\n\\end{document}\r\u2028\\input{x}" + "x" * 1000
    document = to_tikz(Scene(9, 9, (Part((), title=hostile),), title=hostile, description=hostile))
    comments = [line for line in document.split("\n") if "\\end{document}" in line]
    assert len(comments) == 4
    assert all(line.startswith("% a\\u000a") and len(line) < 110 for line in comments[:-1])
    assert comments[-1] == "\\end{document}"


@pytest.mark.parametrize("theme", THEMES)
def test_colours_are_those_of_the_theme(theme: Theme) -> None:
    document = to_tikz(demo(), theme)
    defined = dict(re.findall(r"\\definecolor\{(ink\w+)\}\{HTML\}\{([0-9A-F]{6})\}", document))
    known = {"ink" + "".join(map(str.capitalize, ink.split())): color for ink, color in inks(theme).items()}
    assert {name: f"#{color.lower()}" for name, color in defined.items()}.items() <= known.items()
    used = set(re.findall(r"(?:fill|draw|text)=(\w+)|\\fill\[(\w+)\]", document))
    assert {one or other for one, other in used} == set(defined)


def test_a_huge_drawing_is_made_smaller() -> None:
    """TeX knows no lengths from 16,384 points."""
    document = to_tikz(Scene(40_000, 100, (Text(39_000, 10, "x", 10),)))
    assert "\\begin{tikzpicture}[x=0.25bp, y=-0.25bp" in document
    assert "{39000,10}{2.5bp}{1.25bp}{x}" in document
