"""One mistake in a spec that is right: of a kind, at a random place, with what a report of it has to say.

The text is edited, nothing else, and each edit is a mistake by what it does. So nothing here knows what is reported.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import yaml

from archbuilder.language.networks import network_names
from tests.properties.places import STEP_WORDS, Spec, Use, blocks, entries_of, is_body, is_use


class Mistake(NamedTuple):
    """A wrong text. `lines` are those on which it may be reported, `wanted` what the report must name: one of these words."""

    kind: str
    text: str
    lines: frozenset[int]
    wanted: tuple[str, ...]
    what: str


class Edit(NamedTuple):
    """A stretch of a text, from one index up to another, and what stands there instead."""

    start: int
    end: int
    new: str


# ---- edits ----------------------------------------------------------------------------------------------------------


def replace(node: Any, new: str) -> Edit:
    return Edit(node.start_mark.index, node.end_mark.index, new)


def within(node: Any, old: str, new: str, at: int = 0) -> Edit:
    """Part of a scalar replaced; its text is found from where it begins."""
    return Edit(node.start_mark.index + at, node.start_mark.index + at + len(old), new)


def misspell(draw: random.Random, word: str, known: set[str]) -> str | None:
    """A word with one slip of the fingers, which is no other word that is known."""
    letters = [at for at, letter in enumerate(word) if letter.isalpha()]
    if len(letters) < 3:
        return None
    for _ in range(30):
        at = draw.choice(letters)
        slip = draw.choice(("drop", "double", "swap", "other"))
        if slip == "drop":
            new = word[:at] + word[at + 1 :]
        elif slip == "double":
            new = word[:at] + word[at] + word[at:]
        elif slip == "swap" and at + 1 < len(word) and word[at + 1].isalpha():
            new = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        else:
            new = word[:at] + draw.choice("abcdefghijklmnoprstuvw") + word[at + 1 :]
        if new != word and new not in known and re.match(r"[A-Za-z_]", new):
            return new
    return None


# ---- kinds ----------------------------------------------------------------------------------------------------------


class Candidate(NamedTuple):
    """A place for a mistake: what is around it, and what makes the mistake there, or finds that it cannot."""

    where: str
    make: Callable[[random.Random], Done | None]


class Done(NamedTuple):
    edit: Edit
    wanted: tuple[str, ...]
    also: tuple[int, ...] = ()
    """Indices in the text whose lines say why, too."""


Kind = Callable[[Spec], Iterator[Candidate]]
KINDS: dict[str, Kind] = {}


def kind(function: Kind) -> Kind:
    KINDS[function.__name__] = function
    return function


def misspelt(node: Any, known: set[str], *also: int) -> Callable[[random.Random], Done | None]:
    def make(draw: random.Random) -> Done | None:
        new = misspell(draw, node.value, known)
        return Done(replace(node, new), (node.value,), also) if new else None

    return make


def own_blocks(spec: Spec) -> dict[str, Any]:
    return {name.value: node for name, node, _ in spec.definitions}


def plain(node: Any) -> bool:
    """A scalar without quotes and expressions, on one line."""
    return isinstance(node, yaml.ScalarNode) and node.style is None and "$" not in node.value


def parameters_of(spec: Spec, use: Use) -> dict[str, Any] | None:
    """The parameters of the shipped block or op that a use has."""
    if use.block is None or use.block.value in own_blocks(spec):
        return None
    return blocks().get(use.block.value)


@kind
def misspelt_word_at_the_top(spec: Spec) -> Iterator[Candidate]:
    for key, _ in spec.tops:
        yield Candidate("top", misspelt(key, spec.words))
    for _, inner in spec.variants:
        for key, _ in entries_of(inner):
            yield Candidate("variant", misspelt(key, spec.words))


@kind
def misspelt_word_of_a_step(spec: Spec) -> Iterator[Candidate]:
    for use in spec.uses:
        for key, _ in use.entries:
            if key.value in STEP_WORDS and key.value not in ("block", "body"):
                yield Candidate(use.where, misspelt(key, spec.words | set(STEP_WORDS)))


@kind
def misspelt_block_or_body(spec: Spec) -> Iterator[Candidate]:
    for use in spec.uses:
        for key, _ in use.entries:
            if key.value in ("block", "body"):
                yield Candidate(use.where, misspelt(key, spec.words | set(STEP_WORDS)))


@kind
def misspelt_parameter(spec: Spec) -> Iterator[Candidate]:
    for use in spec.uses:
        for key, _ in use.entries:
            if key.value not in STEP_WORDS:
                yield Candidate(use.where, misspelt(key, spec.words | set(STEP_WORDS) | set(blocks())))


@kind
def misspelt_name_of_a_block(spec: Spec) -> Iterator[Candidate]:
    known = spec.words | set(blocks())
    for use in spec.uses:
        if use.block is not None and plain(use.block):
            yield Candidate(use.where, misspelt(use.block, known))
    for name, _, where in spec.definitions:
        uses = [
            use.block.start_mark.index for use in spec.uses if use.block is not None and use.block.value == name.value
        ]
        if uses:
            yield Candidate(where, misspelt(name, known, *uses))


@kind
def misspelt_name_of_a_value(spec: Spec) -> Iterator[Candidate]:
    for use in spec.uses:
        value = use.value("from")
        for node in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            if node is not None and plain(node):
                yield Candidate(use.where, misspelt(node, spec.words | {"input"}))


@kind
def misspelt_name_of_a_step(spec: Spec) -> Iterator[Candidate]:
    """Reported where the step is named: in a `from`, or in an expression."""
    named = [(node.value, node.start_mark.index) for use in spec.uses for node in names_in(use.value("from"))]
    for use in spec.uses:
        places = [at for name, at in named if re.fullmatch(rf"{re.escape(use.name)}(\.(\$?\w+|-?\d+|\*))?", name)]
        takers = places + [node.start_mark.index for node, _ in spec.expressions if says(node.value, use.name)]
        if (
            places
            and plain(use.key)
            and use.key is not use.node
            and [each.name for each in spec.uses].count(use.name) == 1
        ):
            yield Candidate(use.where, misspelt(use.key, spec.words, *takers))


def names_in(value: Any) -> list[Any]:
    """The scalars in a list, or the one that stands for such a list."""
    return value.value if isinstance(value, yaml.SequenceNode) else [value] if value is not None else []


def says(expression: str, name: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", expression) is not None


@kind
def wrong_type(spec: Spec) -> Iterator[Candidate]:
    wrong = {
        "int": ["many", "[1, 2, 3]", "2.5", "true"], "channels": ["wide", "0", "-8", "[8, 8]", "1.5"],
        "size": ["large", "[1, 2, 3]", "true", "-1"], "bool": ["7", "perhaps", "[true]"], "float": ["much", "[0.1]", "true"],
        "string": ["7", "[relu]", "true"], "padding": ["none", "[1, 2, 3]"], "init": ["random", "7", "{normal: big}"],
    }  # fmt: skip
    for use in spec.uses:
        parameters = parameters_of(spec, use) or {}
        for key, value in use.entries:
            parameter = parameters.get(key.value)
            if parameter is not None and parameter.type in wrong and isinstance(value, yaml.ScalarNode):
                yield Candidate(use.where, _instead(value, wrong[parameter.type], (key.value,)))
        for key, value in use.entries:
            bad = {
                "depth": ["0", "-1", "many", "2.5", "[2]"],
                "inline": ["7"],
                "output": ["often"],
                "else": ["none", "7"],
            }
            if key.value in bad and isinstance(value, yaml.ScalarNode):
                yield Candidate(use.where, _instead(value, bad[key.value], (key.value,)))


def _instead(node: Any, values: list[str], wanted: tuple[str, ...]) -> Callable[[random.Random], Done | None]:
    return lambda draw: Done(replace(node, draw.choice(values)), wanted)


@kind
def wrong_type_in_defaults(spec: Spec) -> Iterator[Candidate]:
    wrong = {
        "float": ["much", "[0.1]"],
        "string": ["7", "[a]"],
        "bool": ["7"],
        "int": ["few", "0.5"],
        "init": ["random", "7"],
    }
    for block, node, where in spec.defaults:
        for key, value in entries_of(node):
            parameter = blocks().get(block.value, {}).get(key.value)
            if parameter is not None and parameter.type in wrong and isinstance(value, yaml.ScalarNode):
                yield Candidate(where, _instead(value, wrong[parameter.type], (key.value,)))


@kind
def wrong_choice(spec: Spec) -> Iterator[Candidate]:
    for use in spec.uses:
        parameters = parameters_of(spec, use) or {}
        for key, value in use.entries:
            if (parameter := parameters.get(key.value)) is not None and parameter.choices and plain(value):
                yield Candidate(use.where, misspelt(value, set(parameter.choices)))
    for block, node, where in spec.defaults:
        for key, value in entries_of(node):
            parameter = blocks().get(block.value, {}).get(key.value)
            if parameter is not None and (parameter.choices or parameter.type == "init") and plain(value):
                known = set(parameter.choices or ())
                yield Candidate(where, misspelt(value, known))


@kind
def missing_parameter(spec: Spec) -> Iterator[Candidate]:
    for use in spec.uses:
        parameters = parameters_of(spec, use) or {}
        given = [key.value for key, _ in use.entries]
        for number, (key, _) in enumerate(use.entries):
            parameter = parameters.get(key.value)
            if parameter is not None and parameter.required and use.where != "variant" and use.node.flow_style:
                # not where a default or a base may say it
                said = [block.value for block, _, _ in spec.defaults]
                if use.block.value not in said and "extends" not in [top.value for top, _ in spec.tops]:
                    yield Candidate(use.where, _removed(spec, use.entries, number, given))


def _removed(spec: Spec, entries: list[Any], number: int, given: list[str]) -> Callable[[random.Random], Done | None]:
    key, value = entries[number]
    start, end = key.start_mark.index, value.end_mark.index
    if number + 1 < len(entries):
        end = entries[number + 1][0].start_mark.index
    elif number > 0:
        start = entries[number - 1][1].end_mark.index
    first = entries[0][0].start_mark.index
    return lambda _: Done(Edit(start, end, ""), (key.value,), (first,)) if given else None


@kind
def missing_block(spec: Spec) -> Iterator[Candidate]:
    """A use that lacks its block: `{width: 8, kernel: 3}`."""
    if "extends" in [top.value for top, _ in spec.tops]:
        return
    for use in spec.uses:
        names = [key.value for key, _ in use.entries]
        is_alone = use.where in ("section", "block", "loop")  # no patch, and nothing that only looks like a use
        if is_alone and "block" in names[:-1] and use.node.flow_style:
            yield Candidate(use.where, _without_block(spec, use, names.index("block")))


def _without_block(spec: Spec, use: Use, number: int) -> Callable[[random.Random], Done | None]:
    removed = _removed(spec, use.entries, number, ["block"])

    def make(draw: random.Random) -> Done | None:
        done = removed(draw)
        return done and Done(done.edit, ("block",), (use.key.start_mark.index,))

    return make


@kind
def unknown_parameter(spec: Spec) -> Iterator[Candidate]:
    """One that another library has, or that no block has."""
    extra = {"in_channels": "in_channels", "strides": "stride", "kernal": "kernel", "use_bias": "use_bias", "lr": "lr"}
    for use in spec.uses:
        if use.block is not None and use.entries and use.node.flow_style and plain(use.block):
            for key in extra:
                if key not in [each.value for each, _ in use.entries]:
                    yield Candidate(use.where, _added(use, f"{key}: 3", (key,)))


def _added(use: Use, text: str, wanted: tuple[str, ...]) -> Callable[[random.Random], Done | None]:
    """An entry more, behind a use's last one."""
    end = use.entries[-1][1].end_mark.index
    return lambda _: Done(Edit(end, end, f", {text}"), wanted)


@kind
def stride_where_none_goes(spec: Spec) -> Iterator[Candidate]:
    for use in spec.uses:
        parameters = parameters_of(spec, use)
        if parameters is not None and "stride" not in parameters and use.entries and use.node.flow_style:
            yield Candidate(use.where, _added(use, "stride: 2", ("stride",)))
        elif parameters is not None and "stride" not in parameters and use.node is use.block and plain(use.node):
            block = use.block.value
            yield Candidate(
                use.where,
                lambda _, node=use.node, block=block: Done(
                    replace(node, f"{{block: {block}, stride: 2}}"), ("stride",)
                ),
            )


@kind
def unknown_parameter_in_defaults(spec: Spec) -> Iterator[Candidate]:
    for _, node, where in spec.defaults:
        for key, value in entries_of(node):
            yield Candidate(where, misspelt(key, spec.words | set(blocks()) | {"rename", "register", "names"}))
            if isinstance(value, yaml.MappingNode):
                for inner, _ in entries_of(value):
                    if key.value in blocks():
                        yield Candidate(where, misspelt(inner, spec.words | set(blocks())))
    for use in spec.uses:
        for key, value in use.entries:
            if (
                key.value in blocks()
                and isinstance(value, yaml.MappingNode)
                and not is_use(value)
                and not is_body(value)
            ):
                for inner, _ in entries_of(value):
                    yield Candidate(use.where, misspelt(inner, spec.words | set(blocks())))


@kind
def unknown_block_in_defaults(spec: Spec) -> Iterator[Candidate]:
    for key, _, where in spec.defaults:
        yield Candidate(where, misspelt(key, spec.words | set(blocks())))


@kind
def default_that_reaches_nothing(spec: Spec) -> Iterator[Candidate]:
    top = spec.top("defaults")
    if not isinstance(top, yaml.MappingNode) or not top.flow_style or "extends" in [key.value for key, _ in spec.tops]:
        return
    end = top.value[-1][1].end_mark.index
    for block, text in (
        ("dropout", "dropout: 0.5"),
        ("upsample", "upsample: {factor: 2}"),
        ("split", "split: {parts: 2}"),
    ):
        if block not in spec.text:
            yield Candidate("defaults", lambda _, text=text, block=block: Done(Edit(end, end, f", {text}"), (block,)))


@kind
def malformed_expression(spec: Spec) -> Iterator[Candidate]:
    for node, where in spec.expressions:
        for match in re.finditer(r"\$\(", spec.text[node.start_mark.index : node.end_mark.index]):
            yield Candidate(where, _broken_expression(spec, node, match.end()))


def _broken_expression(spec: Spec, node: Any, at: int) -> Callable[[random.Random], Done | None]:
    def make(draw: random.Random) -> Done | None:
        start = node.start_mark.index + at
        new = draw.choice(("1 + + * ", "* ", "2 ** ** ", "if ", "3 3 "))
        return Done(Edit(start, start, new), ())

    return make


@kind
def unclosed_expression(spec: Spec) -> Iterator[Candidate]:
    for node, where in spec.expressions:
        text = spec.text[node.start_mark.index : node.end_mark.index]
        if text.endswith((")", ')"')) and text.count("$(") == 1:
            at = node.start_mark.index + text.rindex(")")
            yield Candidate(where, lambda _, at=at: Done(Edit(at, at + 1, ""), (")",)))


@kind
def unknown_name_in_an_expression(spec: Spec) -> Iterator[Candidate]:
    functions = {"len", "min", "max", "floor", "ceil", "round", "log2", "round_to"}
    known = spec.words | functions | {"here", "input", "repeat"}
    for node, where in spec.expressions:
        text = spec.text[node.start_mark.index : node.end_mark.index]
        for part in re.finditer(r"\$\(([^()]*(?:\([^()]*\)[^()]*)*)\)|\$([A-Za-z_]\w*)", text):
            for word in re.finditer(r"(?<![\w.'])[A-Za-z_]\w*(?![\w'(])", part[0].lstrip("$")):
                at = part.start() + len(part[0]) - len(part[0].lstrip("$")) + word.start()
                if word[0] in ("if", "else", "and", "or", "not", "is", "in", "true", "false", "null"):
                    continue
                yield Candidate(where, _misspelt_in(node, word[0], at, known))


def _misspelt_in(node: Any, word: str, at: int, known: set[str]) -> Callable[[random.Random], Done | None]:
    def make(draw: random.Random) -> Done | None:
        new = misspell(draw, word, known)
        return Done(within(node, word, new, at), (word,)) if new else None

    return make


@kind
def expression_without_its_dollar(spec: Spec) -> Iterator[Candidate]:
    for use in spec.uses:
        parameters = parameters_of(spec, use) or {}
        for key, value in use.entries:
            parameter = parameters.get(key.value)
            if parameter is None or parameter.type in ("block", "steps", "string") or parameter.choices:
                continue
            if (
                isinstance(value, yaml.ScalarNode)
                and re.fullmatch(r"\$[A-Za-z_]\w*", value.value)
                and value.style is None
            ):
                yield Candidate(
                    use.where, lambda _, node=value: Done(within(node, "$", ""), (node.value, node.value[1:]))
                )


@kind
def wrong_channels(spec: Spec) -> Iterator[Candidate]:
    """A branch of a sum that is made wider, groups that do not divide, parts that do not."""
    for body in spec.bodies:
        for use in body:
            if use.block is None or use.block.value not in ("add", "multiply"):
                continue
            taken = use.value("from")
            names = [node.value for node in taken.value] if isinstance(taken, yaml.SequenceNode) else []
            for other in body:
                width = other.value("width")
                if other.name in names and len(names) > 1 and width is not None and plain(width):
                    marks = (use.key.start_mark.index, use.node.start_mark.index)
                    yield Candidate(
                        use.where, lambda _, width=width, marks=marks: Done(replace(width, "1013"), (), marks)
                    )
    for use in spec.uses:
        parameters = parameters_of(spec, use) or {}
        said = [key.value for key, _ in use.entries]
        is_conv = parameters and use.block.value in ("conv", "conv_norm_act")
        if is_conv and said and use.node.flow_style and not {"groups", "group_width"} & set(said):
            yield Candidate(use.where, _added(use, "groups: 1013", ("groups",)))
        if use.block is not None and use.block.value == "split" and use.value("parts") is not None:
            parts = use.value("parts")
            yield Candidate(use.where, lambda _, parts=parts: Done(replace(parts, "1013"), ()))


@kind
def wrong_fact(spec: Spec) -> Iterator[Candidate]:
    for where, expect in [
        ("top", spec.top("expect")),
        *(("variant", _inside(inner, "expect")) for _, inner in spec.variants),
    ]:
        for key, value in entries_of(expect):
            if plain(value) and key.value in ("layers", "parameters"):
                number = str(int(value.value.replace("_", "")) + 1)
                yield Candidate(
                    where,
                    lambda _, value=value, number=number: Done(
                        replace(value, number), (value.value, f"{int(value.value.replace('_', ''))}")
                    ),
                )


def _inside(node: Any, word: str) -> Any:
    return next((value for key, value in entries_of(node) if key.value == word), None)


@kind
def unknown_feature(spec: Spec) -> Iterator[Candidate]:
    features = spec.top("features")
    for node in features.value if isinstance(features, yaml.SequenceNode) else ():
        yield Candidate("top", misspelt(node, spec.words))


@kind
def misspelt_rename_or_register(spec: Spec) -> Iterator[Candidate]:
    maps = [(use.value("rename"), use.where) for use in spec.uses] + [(spec.top("rename"), "top")]
    maps += [(_inside(node, "rename"), where) for _, node, where in spec.defaults]
    lists = [(use.value("register"), use.where) for use in spec.uses] + [(spec.top("register"), "top")]
    lists += [(_inside(node, "register"), where) for _, node, where in (*spec.defaults, *spec.definitions)]
    for node, where in maps:
        for key, _ in entries_of(node):
            yield Candidate(where, misspelt(key, spec.words))
    for node, where in lists:
        for each in node.value if isinstance(node, yaml.SequenceNode) else ():
            yield Candidate(where, misspelt(each, spec.words))


@kind
def key_twice(spec: Spec) -> Iterator[Candidate]:
    for use in spec.uses:
        if use.entries and use.node.flow_style:
            for key, value in use.entries:
                text = spec.text[key.start_mark.index : value.end_mark.index]
                if "\n" not in text:
                    yield Candidate(use.where, _added(use, text, (key.value,)))


@kind
def parameter_that_nothing_uses(spec: Spec) -> Iterator[Candidate]:
    for where, node in [
        ("top", spec.top("parameters")),
        *(("block", _inside(node, "parameters")) for _, node, _ in spec.definitions),
    ]:
        if isinstance(node, yaml.MappingNode) and node.flow_style and node.value:
            end = node.value[-1][1].end_mark.index
            yield Candidate(where, lambda _, end=end: Done(Edit(end, end, ", idle_one: 3"), ("idle_one",)))


@kind
def misspelt_parameter_where_it_is_declared(spec: Spec) -> Iterator[Candidate]:
    for where, node in [
        ("top", spec.top("parameters")),
        *(("block", _inside(node, "parameters")) for _, node, _ in spec.definitions),
    ]:
        for key, _ in entries_of(node):
            uses = [
                each.start_mark.index
                for each, _ in spec.expressions
                if re.search(rf"(?<![\w.]){re.escape(key.value)}(?!\w)", each.value)
            ]
            said = [name.start_mark.index for use in spec.uses for name, _ in use.entries if name.value == key.value]
            if uses:
                yield Candidate(where, misspelt(key, spec.words, *uses, *said))


@kind
def misspelt_word_of_a_block(spec: Spec) -> Iterator[Candidate]:
    for _, node, where in spec.definitions:
        for key, _ in entries_of(node):
            yield Candidate(where, misspelt(key, spec.words))
        for _, declaration in entries_of(_inside(node, "parameters")):
            for key, value in entries_of(declaration):
                yield Candidate(where, misspelt(key, spec.words))
                if key.value == "type" and plain(value):
                    yield Candidate(where, misspelt(value, spec.words))
            if plain(declaration) and declaration.value in (
                "channels",
                "int",
                "float",
                "size",
                "steps",
                "block",
                "bool",
            ):
                yield Candidate(where, misspelt(declaration, spec.words | {"conv", "norm"}))


@kind
def malformed_loop(spec: Spec) -> Iterator[Candidate]:
    for key, where in spec.loops:
        for old, new in ((" in ", " of "), (" in ", " = "), (" in ", " ")):
            yield Candidate(
                where,
                lambda _, key=key, old=old, new=new: Done(
                    replace(key, key.value.replace(old, new, 1)), ("for i in n:",)
                ),
            )


@kind
def misspelt_base_or_variant(spec: Spec) -> Iterator[Candidate]:
    for word in ("extends", "default"):
        value = spec.top(word)
        if value is not None and isinstance(value, yaml.ScalarNode) and value.style is None:
            yield Candidate("top", misspelt(value, spec.words | set(network_names())))
    for _, node, where in spec.definitions:
        value = _inside(node, "extends")
        if value is not None:
            yield Candidate(where, misspelt(value, spec.words | set(blocks())))


@kind
def no_space_behind_a_colon(spec: Spec) -> Iterator[Candidate]:
    for use in spec.uses:
        for key, value in use.entries:
            if use.node.flow_style and plain(key) and plain(value) and re.fullmatch(r"[\w.]+", value.value):
                at = key.end_mark.index
                if spec.text[at : at + 2] == ": ":
                    yield Candidate(
                        use.where, lambda _, at=at, key=key: Done(Edit(at, at + 2, ":"), (f"{key.value}: ", key.value))
                    )


# ---- all of it ------------------------------------------------------------------------------------------------------


def mistakes(specs: list[Spec], count: int, seed: int) -> Iterator[tuple[Spec, Mistake]]:
    """So many mistakes, each kind as often as the others, and in each all that may be around equally often."""
    draw = random.Random(seed)
    places: dict[str, dict[str, list[tuple[Spec, Candidate]]]] = {}
    for name, find in KINDS.items():
        for spec in specs:
            for candidate in find(spec):
                places.setdefault(name, {}).setdefault(candidate.where, []).append((spec, candidate))
    made = 0
    while made < count:
        for name in places:
            spec, candidate = draw.choice(places[name][draw.choice(sorted(places[name]))])
            done = candidate.make(draw)
            if done is None or made >= count:
                continue
            edit = done.edit
            text = spec.text[: edit.start] + edit.new + spec.text[edit.end :]
            indices = [edit.start, *done.also]
            lines = frozenset(spec.line(index) for index in indices)
            what = f"{spec.text[edit.start : edit.end]!r} -> {edit.new!r} ({candidate.where})"
            made += 1
            yield spec, Mistake(name, text, lines, done.wanted, what)
