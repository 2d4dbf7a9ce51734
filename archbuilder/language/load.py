"""Text or file or name -> `Architecture`: read, base and variant merged, parameters set, validated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from archbuilder.diagnostics import Place, Reporter, Source, SpecError, shorten, suggest, with_article
from archbuilder.language import zoo
from archbuilder.language.blocks import read_used_files, resolve_blocks, shipped_files
from archbuilder.language.files import Files
from archbuilder.language.habits import advice_for_turn
from archbuilder.language.merge import arrange, inherit, join_plugins, listed_plugins, merge, settle_removed, weaken
from archbuilder.language.misplaced import find_beside, in_their_places
from archbuilder.language.models import Architecture, validate_architecture
from archbuilder.language.networks import network_names
from archbuilder.language.reader import MAXIMUM_NESTING, plain_value
from archbuilder.language.table import Items, Table, as_table, copied_table, key_place, value_place
from archbuilder.language.validation import as_meant, extends_no_text, lacks_definitions
from archbuilder.language.words import FOR_BLOCKS, NETWORK, NOT_FOR_VARIANTS, SECTIONS
from archbuilder.parameters import describe

MAXIMUM_BASES: Final = 12
"""How long a chain of `extends` may be."""

Spec: TypeAlias = str | Path | Architecture | Mapping[str, Any]
"""What describes a network: a path, a name of the zoo, an architecture made in Python, or a dict as YAML has it."""


def load_architecture(
    spec: Spec | None, overrides: Mapping[str, Any] | None = None, text: str | None = None, files: Files | None = None
) -> Architecture:
    """The network that a path, a zoo name, a dict or a text describes.

    Args:
        spec: what describes it; may be None beside a text.
        overrides: what to set, by dotted path: `classes`, `layer3.depth`, `input.size`.
        text: the spec itself; `spec` is then only its name in messages, and the variant of it that is meant.
        files: what has been read already, where several variants of a file are asked for.

    Raises:
        SpecError: with every mistake in the text.
        FileNotFoundError: if there is no such file or name.
        TypeError: if there is none, or it is nothing that could describe a network.
    """
    if text is not None:
        _refuse_others(spec, text, '{"parameters": {"%s": ...}}')
    reporter = Reporter()
    search = Search(files or Files(), reporter)
    if isinstance(spec, Architecture):
        if not overrides and spec.table is not None and not spec.is_changed:
            return spec
        table: Table | None = _resolve(_table_of(spec), None, None, search)
        if table is not None and spec.table is not None:  # what was changed stands over what was read, as over a base
            weaken(table)
    elif isinstance(spec, Mapping):
        table = _of_mapping(spec, search)
    elif text is not None:
        table = _of_text("<text>" if spec is None else str(spec), text, search)
    elif isinstance(spec, str | Path):
        table = _find(str(spec), None, search, None)
    elif spec is None:
        raise TypeError('name a spec, as in "resnet50" or "net.yaml", or give one: text="name: net ..."')
    else:
        raise TypeError(f"a spec is a path, a network's name, an Architecture or a dict, got {type(spec).__name__}")
    if table is not None:
        if overrides:  # what is set is laid over the spec as over a base: what only served what it replaces goes unused
            table = table.copy()
            weaken(table)
        for path, value, places in _settings(overrides or {}):
            table = _override(table, path, as_table(value), places, reporter)
        table = settle_removed(arrange(resolve_blocks(table, reporter), reporter), reporter)
    architecture = _validated(table, reporter)
    architecture.mark_overridden(bool(overrides) or (isinstance(spec, Architecture) and spec.is_overridden))
    return architecture


def _refuse_others(spec: object, text: object, example: str) -> None:
    """Refuses two specs, and what is none, or no name of one, which may be meant for a parameter that is called so."""
    help = f"a parameter that is called so is set in the spec itself: {example}"
    if not isinstance(text, str | None):
        raise TypeError(f"`text` is a spec as a text, got {describe(text)}; {help % 'text'}")
    if text is not None and isinstance(spec, Architecture | Mapping):
        raise TypeError(f"there are two specs, {with_article(type(spec).__name__)} and a `text`: give one of them")
    if not isinstance(spec, str | Path | None):
        raise TypeError(f"`spec` is the name of a file or of a text, got {describe(spec)}; {help % 'spec'}")


def load_block(
    block: str, parameters: Mapping[str, Any], spec: str | Path | None, text: str | None, *, several: bool
) -> Architecture:
    """A network that is one use of a block.

    Args:
        block: the block's name.
        parameters: what it is told.
        spec: a file that has the block, beside the shipped ones.
        text: the spec itself, where it does not lie in a file.
        several: whether it takes several values.

    Raises:
        SpecError: with every mistake in the text.
        FileNotFoundError: if there is no such file.
    """
    _refuse_others(spec, text, "{block: mine, %s: ...}")
    reporter = Reporter()
    found: Table | None = Table()
    if text is not None:
        found = _of_text(str(spec or "<text>"), text, Search(Files(), reporter))
    elif spec is not None:
        found = _find(str(spec), None, Search(Files(), reporter), None)
    use = Table()
    use.put("block", block)
    if several:
        use.put("from", "input.*")
    for path, value, places in _settings(parameters):
        if not _is_too_deep(path, places[0], reporter):
            use = merge(use, _nest(path.split("."), value, *places))
    table = Table()
    for word in FOR_BLOCKS:
        if found and word in found:
            table.put(word, found[word], found.key_places.get(word), found.value_places.get(word))
    table.put("name", block)
    stages = Table()
    stages.put("block", use)
    table.put("stages", stages)
    table.weak = frozenset(table)
    return _validated(None if found is None else resolve_blocks(table, reporter), reporter)


def _validated(table: Table | None, reporter: Reporter) -> Architecture:
    architecture = None
    if table is not None:
        architecture = validate_architecture(table, reporter)
    if architecture is None:
        reporter.raise_if_any()
        raise SpecError([])
    if reporter.diagnostics:
        raise IncompleteSpec(reporter.diagnostics, architecture)
    return architecture


class IncompleteSpec(SpecError):
    """A spec is wrong, but enough of it was understood to look for further mistakes in `architecture`."""

    def __init__(self, diagnostics: Any, architecture: Architecture) -> None:
        super().__init__(diagnostics)
        self.architecture = architecture


def as_far_as_possible(load: Callable[[], Architecture], reporter: Reporter) -> Architecture:
    """What `load` gives; of a spec with mistakes what was understood, so that these are reported together with later ones.

    Raises:
        SpecError: if too little was understood to look further.
    """
    try:
        return load()
    except IncompleteSpec as error:
        reporter.add(error.diagnostics)
        return error.architecture


class Search(NamedTuple):
    """The search for a spec and what it extends: the files, where mistakes go, and which specs led here."""

    files: Files
    reporter: Reporter
    chain: tuple[str, ...] = ()


def _of_text(name: str, text: str, search: Search) -> Table | None:
    """The merged table of a text, or of the variant of it that its name asks for."""
    wanted = zoo.parse_reference(name)
    read = search.files.of_text(wanted.name, text, search.reporter)
    return read and _resolve(read, None, wanted.variant, search)


def _find(word: str, folder: Path | None, search: Search, place: Place | None) -> Table | None:
    """The merged table that a word means, looked up from `folder`; unknown words are reported at `place`, or raised."""
    files, reporter, _ = search
    wanted = zoo.parse_reference(word, folder)
    path, variant, table = wanted.path, wanted.variant, None
    if path is None:
        path, holders = zoo.find(wanted.name)
        if path is None:
            path, variant, table = _find_variant(holders, search)
            if path is not None and wanted.variant is not None:
                reporter.error("unknown-variant", f"`{wanted.name}` is a variant itself: it has no variants", place)
                return None
    if path is None:
        _report_unknown(wanted.name, reporter, place)
        return None
    if place is not None:
        table = table or files.named_by_text(path, place, reporter, "spec")
    elif not zoo.is_file(path):
        raise FileNotFoundError(f"there is no file {path}")
    else:
        table = table or files.named_by_user(path, reporter)
    return table and _resolve(table, path, variant, search, place)


def _find_variant(holders: Iterable[tuple[Path, str]], search: Search) -> tuple[Path | None, str | None, Table | None]:
    """The first of some files of the zoo that has the variant wanted of it, with that variant and the file's table."""
    for path, key in holders:
        table = search.files.shipped(path, search.reporter)
        variants = table.get("variants") if table is not None else None
        if isinstance(variants, dict) and key in variants:
            return path, key, table
        if not key:
            return path, None, table
    return None, None, None


def _report_unknown(name: str, reporter: Reporter, place: Place | None) -> None:
    help = suggest(name, network_names())
    if place is None:
        raise FileNotFoundError(f"there is no network called `{name}`" + (f" ({help})" if help else ""))
    if name in shipped_files():
        help = f"it is a block, which a step uses: `block: {name}`"
    reporter.error("unknown-spec", f"there is no network called `{name}`", place, help=help)


def _resolve(
    table: Table,
    path: Path | None,
    variant: str | None,
    search: Search,
    place: Place | None = None,
) -> Table | None:
    """`table` laid over what it extends, then its variant laid over that."""
    files, reporter, chain = search
    folder = path.parent if path else None
    words = [word.name for word in NETWORK]
    if find_beside(table, words, reporter) or lacks_definitions(table, reporter):
        return None
    table = files.own(_with_variant(as_meant(table, words, reporter), variant, reporter, place))
    if "extends" not in table:
        table = in_their_places(table, words, SECTIONS, reporter)
    table = read_used_files(table, folder, files, reporter)
    table = _locate_plugins(table, folder)
    if extends_no_text(table, reporter):
        return None
    extends, where = table.get("extends"), table.value_places.get("extends")
    if extends is None:
        return table
    me = f"{path}#{variant}"
    if me in chain or len(chain) >= MAXIMUM_BASES:
        reason = "this spec extends itself" if me in chain else f"more than {MAXIMUM_BASES} specs extend each other"
        reporter.error("endless-extends", reason, where)
        return None
    base = _find(extends, folder, search._replace(chain=(*chain, me)), where or table.place)
    if base is None:
        return None
    merged = merge(inherit(base), table, inherited=True)
    join_plugins(merged, base, table)
    del merged["extends"]
    return in_their_places(merged, words, SECTIONS, reporter)


def _locate_plugins(table: Table, folder: Path | None) -> Table:
    """`table` with the paths of its plugins, which are seen from the file that asks for them, as whole paths."""
    listed = listed_plugins(table)
    if listed is None:
        return table
    whole = Items(listed.place)
    whole.extend(str(Path((folder or Path()) / file).absolute()) if isinstance(file, str) else file for file in listed)
    whole.places = listed.places
    located = table.copy()
    located["plugins"] = whole
    return located


def _with_variant(table: Table, variant: str | None, reporter: Reporter, place: Place | None) -> Table:
    variants = table.get("variants")
    if variant is None:
        variant = table.get("default")
        place = table.value_places.get("default") or place
    if not isinstance(variant, str):  # nothing, or a default that will be found to be no text
        base = table.copy()
        if table.get("variants"):
            weaken(base)
        return base
    if not isinstance(variants, Table) or variant not in variants:
        names = list(variants) if isinstance(variants, Table) else []
        help = suggest(str(variant), names) if names else "this spec has no variants"
        reporter.error("unknown-variant", f"there is no variant `{variant}`", place or table.place, help=help)
        return table
    patch = variants[variant]
    _check_variants(table, variants, reporter)
    base = table.copy()
    for word in NOT_FOR_VARIANTS:
        base.pop(word, None)
    if patch is None:
        patch = Table(variants.value_places.get(variant))
    if not isinstance(patch, Table):
        reporter.error("bad-value", "a variant is a map of what differs", variants.value_places.get(variant))
        return table
    weaken(base)
    merged = merge(base, patch)
    if "name" not in patch and isinstance(table.get("name"), str):
        merged["name"] = zoo.plain_name(table["name"], variant)
    return merged


def _check_variants(table: Table, variants: Table, reporter: Reporter) -> None:
    """What is said of a file with a default variant must hold for one of its variants."""
    if "expect" in table and isinstance(table.get("default"), str):
        message = "`expect` has no effect here: each variant has its own"
        help = "write it in the variants"
        reporter.error("no-effect", message, table.key_places.get("expect"), help=help)
    for key, variant in variants.items():
        if not key.strip():
            reporter.error("bad-name", "a variant needs a name", variants.key_places.get(key))
        for word in ("variants", "default"):
            if isinstance(variant, Table) and word in variant:
                message = f"`{word}` has no effect in a variant"
                reporter.error("no-effect", message, variant.key_places.get(word), help="write it beside the variants")


def _override(table: Table, path: str, value: Any, places: tuple[Place, Place], reporter: Reporter) -> Table:
    """`table` with one value set, as if a variant had written it."""
    place, value_place = places
    if _is_too_deep(path, place, reporter):
        return table
    keys = _target(table, path.split("."))
    if keys is None:
        message, help = _why_not(table, path)
        reporter.error("unknown-set", message, place, help=help)
        return table
    inner: Any = table
    for depth, key in enumerate(keys[:-1], start=1):
        inner = inner.get(key)
        is_short = isinstance(inner, str) and keys[0] in SECTIONS  # `layer1: basic` stands for {block: basic}
        if inner is None or (depth == 2 and (is_short or keys[0] == "defaults")):
            break  # so may what is set, as a patch may
        if not isinstance(inner, Table):
            message = f"`{'.'.join(keys[:depth])}` is not a map, so nothing in it can be set"
            reporter.error("unknown-set", message, place)
            return table
    return merge(table, _nest(keys, value, place, value_place))


def _is_too_deep(path: str, place: Place, reporter: Reporter) -> bool:
    """Whether what is set stands deeper than a text can have it, which is reported."""
    if path.count(".") < MAXIMUM_NESTING:
        return False
    reporter.error("too-deep", f"a path has at most {MAXIMUM_NESTING} names", place)
    return True


def _why_not(table: Table, path: str) -> tuple[str, str | None]:
    """Why a path cannot be set, and what can."""
    first = path.partition(".")[0]
    word = next((word for word in NETWORK if word.name == first), None)
    if word is not None and word.set_inside and path == first:
        inside = next(iter(_map_in(table, first)), None)
        if inside is None:
            return f"`{first}` cannot be set", "set what is in it"
        return f"`{first}` cannot be set as a whole", f"set what is in it, as in `{first}.{inside}`"
    if word is not None and word.set_whole:
        return f"nothing in `{first}` can be set", f"set it as a whole, as in `{first}=...`"
    if word is not None and not word.set_inside:
        return f"`{first}` cannot be set", "write it in the spec"
    for section in SECTIONS:
        help = advice_for_turn(path, _map_in(table, section))
        if help is not None:
            return f"there is no step `{path}` to set", help
    steps = [name for section in SECTIONS for name in _names_in(table, section)]
    words = [word.name for word in NETWORK if word.set_inside or word.set_whole]
    choices = [each for each in (*_names_in(table, "parameters"), *steps, *words) if each != path]
    return f"there is nothing called `{first}` to set", suggest(first, choices)


def _settings(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any, tuple[Place, Place]]]:
    """What is set from outside: each name, its value, and where both stand; a table, as the command has it, knows that."""
    for path, value in settings.items():
        name, own = key_place(settings, path), value_place(settings, path)
        if name is not None and own is not None:
            yield path, copied_table(value), (name, own)  # several networks may be told the same
            continue
        plain = plain_value(value)
        source = Source(f"--set {shorten(path)}", f"{path}={plain}")
        end = len(path) + 1
        yield path, plain, (Place(source, 1, 1, end), Place(source, 1, end + 1, len(source.text) + 1))


def _target(table: Table, keys: list[str]) -> list[str] | None:
    if len(keys) == 1 and keys[0] in _names_in(table, "parameters"):
        return ["parameters", *keys]
    for section in SECTIONS:
        names = sorted(_names_in(table, section), key=len, reverse=True)
        for name in names:  # a step's name may hold dots
            parts = name.split(".")
            if keys[: len(parts)] == parts:
                return [section, name, *keys[len(parts) :]]
    if keys[0] in _names_in(table, "parameters"):
        return ["parameters", *keys]
    if any(advice_for_turn(".".join(keys), _map_in(table, section)) for section in SECTIONS):
        return None  # a loop makes it
    reached = any(word.name == keys[0] and (word.set_inside if len(keys) > 1 else word.set_whole) for word in NETWORK)
    return keys if reached else None


def _names_in(table: Table, key: str) -> list[str]:
    return list(_map_in(table, key))


def _map_in(table: Table, key: str) -> dict[str, Any]:
    value = table.get(key)
    return value if isinstance(value, dict) else {}


def _nest(keys: list[str], value: Any, key_place: Place, value_place: Place) -> Table:
    table = Table()
    inner = value if len(keys) == 1 else _nest(keys[1:], value, key_place, value_place)
    table.put(keys[0], inner, key_place, value_place)
    return table


def _of_mapping(written: Mapping[str, Any], search: Search) -> Table | None:
    """A dict that has what a spec's text would, as a table without places."""
    try:
        table: Table = as_table(plain_value(dict(written)))
    except (RecursionError, ValueError):
        search.reporter.error("too-large", "this spec nests deeper than any network, or holds itself", None)
        return None
    found, extends = _resolve(table, None, None, search), table.get("extends")
    if found is not None and isinstance(extends, str):  # where mistakes are told that show in what it extends
        found.value_places["extends"] = Place(Source("<dict>", f"extends: {extends}"), 1, 10, 10 + len(extends))
    return found


def _table_of(architecture: Architecture) -> Table:
    """An architecture that was made in Python, as a table without places."""
    said = architecture.model_dump(by_alias=True, exclude_unset=True, warnings=False)
    if said.get("extends") is None:  # there is nothing that a null could remove
        said = {name: value for name, value in said.items() if value is not None}
    table: Table = as_table(said)
    return table
