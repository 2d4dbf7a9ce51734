"""What the commands have in common: how a spec, a setting and a size of input are given."""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final, TypeAlias
from weakref import WeakKeyDictionary

import typer

from archbuilder.cli.reports import relative
from archbuilder.diagnostics import Diagnostic, Place, Reporter, Source, SpecError, shorten, suggest
from archbuilder.language import zoo
from archbuilder.language.files import Files, UnreadableError, decoded, text_of_file
from archbuilder.language.networks import variants_of
from archbuilder.language.reader import read_bytes, read_yaml
from archbuilder.language.table import Table, moved
from archbuilder.tasks.checking import Checked, check, check_block, idle_in_all

Size: TypeAlias = tuple[int, int, int]

STANDARD_INPUT: Final = "<stdin>"

_MAXIMUM_NAME: Final = 1_000

SpecArgument = Annotated[
    str,
    typer.Argument(
        metavar="SPEC",
        help="A file, a network of the zoo, or - for standard input; NAME#KEY is a variant, of standard input -- -#KEY.",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Set a value, as in classes=10 or layer3.depth=23. Repeatable."),
]
PluginOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin",
        metavar="FILE",
        help="Run a Python file that defines blocks or ops, which specs can then use. Repeatable.",
    ),
]
InputOption = Annotated[
    str | None,
    typer.Option("--input", metavar="CxHxW", help="Size of the input, as in 3x192x256; by default the spec's."),
]


def load_plugins(files: list[Path] | None) -> None:
    """Runs the plugins that the command line allows.

    Raises:
        SpecError: with what is wrong in one of them, or because there is no such file.
    """
    if not files:
        return

    from archbuilder.plugin.loading import load_plugin

    for file in files:
        try:
            load_plugin(file)
        except FileNotFoundError as error:
            raise SpecError([Diagnostic("unknown-file", str(error))]) from None


def read_settings(settings: list[str] | None) -> Table:
    """The values of `--set NAME=VALUE`, by name; each value is read as YAML, and its places are those in what was typed.

    Raises:
        SpecError: if a value is not YAML.
        typer.BadParameter: if it is no setting at all.
    """
    found = Table()
    for setting in settings or ():
        _read_setting(setting, found)
    return found


def _read_setting(setting: str, found: Table) -> None:
    name, equals, value = setting.partition("=")
    if not (name and equals):
        raise typer.BadParameter(f"expected NAME=VALUE, got {setting!r}", param_hint="'--set'")
    if len(name) > _MAXIMUM_NAME:
        found.put(name, value)  # of which YAML makes no key, and nothing can be called so
        return
    reporter, typed = Reporter(), Source(f"--set {shorten(name)}", setting)
    table = read_yaml(Source(typed.name, f"{name}: {value}"), reporter)
    move = partial(_as_typed, typed, len(name))
    if reporter.diagnostics:
        raise SpecError(replace(each, place=move(each.place)) for each in reporter.diagnostics)
    if table is None or list(table) != [name]:
        raise typer.BadParameter(f"expected NAME=VALUE with a value in YAML, got {setting!r}", param_hint="'--set'")
    places = move(table.key_places[name]), move(table.value_places[name])
    found.put(name, moved(table[name], move), *places)


def _as_typed(typed: Source, name: int, place: Place | None) -> Place | None:
    """A place in `NAME: VALUE` as one in `NAME=VALUE`, at whose end stands what would be in a line behind it."""
    if place is None:
        return None
    if not typed.line(place.line):
        end = len(typed.line(1)) + 1
        return Place(typed, 1, end, end + 1)
    shift = 1 if place.line == 1 and place.column > name + 1 else 0
    return Place(typed, place.line, place.column - shift, place.end - shift)


_SIZE = re.compile(r"([1-9]\d{0,6})[x×]([1-9]\d{0,6})[x×]([1-9]\d{0,6})", re.ASCII)


def read_input(text: str | None) -> Size | None:
    """The (channels, height, width) that `--input` gives.

    Raises:
        typer.BadParameter: if it gives none.
    """
    if text is None:
        return None
    match = _SIZE.fullmatch(text)
    if match is None:
        message = f"expected channels, height and width as in 3x192x256, got {text!r}"
        raise typer.BadParameter(message, param_hint="'--input'")
    channels, height, width = (int(number) for number in match.groups())
    return channels, height, width


def read_spec(spec: str, settings: list[str] | None, input: str | None, plugins: list[Path] | None) -> Checked:
    """The network that a word on the command line means, with the plugins loaded that it allows.

    Raises:
        SpecError: with every mistake in it or in a plugin, or because there is no such thing.
        typer.BadParameter: if a setting or the input's size is none.
    """
    load_plugins(plugins)
    return check_word(spec, read_settings(settings), read_input(input))


def read_block(
    name: str, spec: str | None, settings: list[str] | None, input: str, plugins: list[Path] | None, *, tokens: bool
) -> Checked:
    """One block by itself, with the plugins loaded that the command line allows.

    Raises:
        SpecError: with every mistake in it or in a plugin, or because there is no such file.
        typer.BadParameter: if a setting or the input's size is none.
    """
    load_plugins(plugins)
    sizes = [size for each in input.split(",") if (size := read_input(each.strip())) is not None]
    given = sizes[0] if len(sizes) == 1 else sizes
    with _saying_what_is_there(str(spec)):
        text = read_piped(spec) if spec is not None else None
        named = _named(spec) if spec is not None else None
        return check_block(name, read_settings(settings), given, named, text, tokens=tokens)


def check_word(
    word: str,
    overrides: Mapping[str, Any],
    input: Size | None,
    text: str | None = None,
    files: Files | None = None,
) -> Checked:
    """The network that a word means, with values set; `text` is what was read of it, if it can be read once only, and
    `files` has what was read for other variants.

    Raises:
        SpecError: with every mistake in it, or because it cannot be read.
    """
    with _saying_what_is_there(word):
        return check(_named(word), overrides, input, read_piped(word) if text is None else text, files)


def explain_word(word: str, path: str, overrides: Mapping[str, Any]) -> str:
    """Where a value comes from in the network that a word means.

    Raises:
        SpecError: with every mistake in it, or because it cannot be read.
    """
    from archbuilder.explain.why import explain_parameter
    from archbuilder.explain.words import as_text

    with _saying_what_is_there(word):
        text = read_piped(word)
        return as_text(explain_parameter(_named(word), path, overrides, text), relative)


def check_with_variants(word: str, overrides: Mapping[str, Any], input: Size | None) -> list[tuple[str, Checked]]:
    """The network that a word means; where that is a whole file, the file's other variants too.

    Raises:
        SpecError: with every mistake in all of them.
    """
    reporter = Reporter()
    checked: list[tuple[str, Checked]] = []
    known: set[object] = set()  # a mistake that all variants share is reported once
    with _saying_what_is_there(word):
        text = read_piped(word)
    files = Files(for_several=True)
    others = other_variants(word, text, files)
    words = [word, *(others or [])]
    for each in words:
        try:
            checked.append((each, check_word(each, overrides, input, text, files)))
        except SpecError as error:
            new = [each for each in error.diagnostics if known.isdisjoint(_identities(each))]
            known.update(identity for each in new for identity in _identities(each))
            reporter.add(new)
    if any(each.code != "expectation" for each in reporter.diagnostics):  # from which other numbers may follow
        reporter.diagnostics = [each for each in reporter.diagnostics if each.code != "expectation"]
    if len(checked) == len(words) and others is not None and not overrides and input is None:
        reporter.add(idle_in_all([network for _, network in checked]))
    if reporter.diagnostics:
        raise SpecError(reporter.diagnostics)
    return checked


def _identities(mistake: Diagnostic) -> tuple[object, object]:
    """What tells a mistake from others: its place, whatever the values are there, and what is said of a line."""
    place = mistake.place
    return (mistake.code, place), (mistake.code, mistake.message, place and (place.source.name, place.line))


def other_variants(word: str, text: str | None, files: Files) -> list[str] | None:
    """The words for a file's variants beside the one that its name alone means; None if no whole file is meant."""
    path = path_of(word) if text is None else Path(_named(word))
    if path is None or zoo.parse_reference(_named(word)).variant or (text is None and not _holds(path.is_file)):
        return None
    try:
        default, variants = variants_of(path, text, files)
    except (SpecError, OSError):
        return []  # the file itself will say why
    return [f"{word}#{variant}" for variant in variants if variant and variant != default]


def path_of(word: str) -> Path | None:
    """The file that a word names, unless it is a network of the zoo."""
    return None if _is_standard_input(word) else zoo.parse_reference(word).path


def _is_standard_input(word: str) -> bool:
    return word.partition("#")[0] == "-"


def _named(word: str) -> str:
    """What a word is called in messages."""
    return f"{STANDARD_INPUT}{word[1:]}" if _is_standard_input(word) else word


def find_file(word: str) -> Path:
    """The file in which the spec is written that a word means.

    Raises:
        SpecError: if there is none.
    """
    wanted = zoo.parse_reference(word)
    path, holders = (wanted.path, []) if wanted.path else zoo.find(wanted.name)
    if path is None:
        path = next((file for file, key in holders if not key or key in variants_of(file)[1]), None)
    if path is None or not _holds(path.is_file) or (wanted.variant and wanted.variant not in variants_of(path)[1]):
        check_word(word, {}, None)  # says best what is wrong
        raise SpecError([Diagnostic("unknown-spec", f"there is no spec `{word}`")])
    return path


def read_text(word: str) -> str:
    """The text of the file in which the spec is written that a word means.

    Raises:
        SpecError: if there is none, or it cannot be read.
    """
    try:
        return text_of_file(find_file(word))
    except UnreadableError as error:
        raise SpecError([error.diagnostic]) from None


def read_piped(word: str) -> str | None:
    """The text of what can be read once only, standard input or a pipe; None of a file, or of a network of the zoo.

    Raises:
        SpecError: if it is not text.
        OSError: if it cannot be read.
    """
    if _is_standard_input(word):
        stream = sys.stdin.buffer
        if stream not in _ALREADY_READ:
            _ALREADY_READ[stream] = _read_text(stream, STANDARD_INPUT)
        return _ALREADY_READ[stream]
    path = path_of(word)
    if path is None or not _holds(path.exists) or path.is_file() or path.is_dir():
        return None
    with path.open("rb") as stream:
        return _read_text(stream, zoo.parse_reference(word).name)


_ALREADY_READ: Final[WeakKeyDictionary[BinaryIO, str]] = WeakKeyDictionary()
"""Standard input, which can be read once and named several times: `diff - -#wide`."""


def _read_text(stream: BinaryIO, name: str) -> str:
    """The text of a stream, no more of it than a spec may have."""
    try:
        return decoded(read_bytes(stream), name)
    except UnreadableError as error:
        raise SpecError([error.diagnostic]) from None


@contextmanager
def _saying_what_is_there(word: str) -> Iterator[None]:
    """Turns what is wrong with the file that a word means into a diagnostic.

    Raises:
        SpecError: instead of an `OSError`.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise SpecError([Diagnostic("unknown-spec", str(error), help=_what_is_there(word))]) from None
    except IsADirectoryError:
        raise SpecError([Diagnostic("unknown-spec", f"{word} is a folder", help=_what_is_there(word))]) from None
    except OSError as error:
        raise SpecError([Diagnostic("unknown-spec", f"{word} cannot be read: {error.strerror}")]) from None


def _what_is_there(word: str) -> str | None:
    """The help for a word that means nothing: the file that may have been meant."""
    base, path = zoo.parse_reference(word).name, path_of(word)
    if path is None:
        beside = [name for name in (f"{base}.yaml", f"{base}.yml", base) if base and _holds(Path(name).is_file)]
        if not beside and _holds(Path(base).is_dir):
            inside = next(iter(_specs_in(Path(base))), None)
            return f"`{base}` is a folder: name a .yaml file in it" + (f", as in `{inside}`" if inside else "")
        return f"there is a file of that name: write `./{beside[0]}`" if beside else _as_block(base)
    folder = path if _holds(path.is_dir) else path.parent
    if not _holds(folder.is_dir):
        return f"there is no folder {shorten(str(folder))}"
    if _holds(path.is_symlink):
        return "it is a link that leads nowhere"
    return suggest(str(path), map(str, _specs_in(folder)))


def _specs_in(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix in (".yaml", ".yml"))


def _as_block(name: str) -> str | None:
    """The help for a word that means no network, if it means a block."""
    from archbuilder.tasks.catalogue import find_entry

    entry = find_entry(name)
    if entry is None:
        return None
    kind = "an op" if entry.kind == "op" else "a block"
    return f"`{name}` is {kind}: `archbuilder show {name}` prints it, `archbuilder block {name}` tries it"


def _holds(question: Callable[[], bool]) -> bool:
    """What is asked of a path; no, of what cannot be one (too long, or with a NUL in it)."""
    try:
        return question()
    except (OSError, ValueError):
        return False
