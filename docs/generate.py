"""Writes the pages of docs/reference/, the drawings of docs/pictures/ and the page in docs/pages/ from the package itself.

python docs/generate.py           writes them
python docs/generate.py --check   says which are out of date, and ends with 1 if one is
"""

# ruff: noqa: INP001 -- a script

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

import archbuilder
from archbuilder.analysis.summary import Summary
from archbuilder.cli import app
from archbuilder.cli.reports import colour_help_alike
from archbuilder.graph.op import Op
from archbuilder.graph.table import OPS
from archbuilder.language import zoo
from archbuilder.language.models import Architecture, Step
from archbuilder.language.networks import variants_of
from archbuilder.language.reader import read_yaml
from archbuilder.lowering.library import shipped_block
from archbuilder.parameters import Parameter, describe

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs"
DRAWING_PAGE = FOLDER / "howto" / "draw.md"
"""The page whose commands make the drawings."""
DRAWN = {"digits": ("render", str(ROOT / "examples" / "digits.yaml"))}
"""The other drawings: each file's name, and the command that makes it."""
WALKED = "resnet50"
"""The network of which there is a page to walk through."""
WIDTH = 100
"""Columns of the command's help: the same everywhere, whatever the terminal."""

NOTE = "<!-- Written by docs/generate.py (`make docs`): edit the package, not this page. -->"


def files() -> dict[str, str]:
    """Every file that is written, by its path in docs/."""
    writers: dict[str, Callable[[], Iterator[str]]] = {
        "blocks.md": blocks,
        "ops.md": ops,
        "zoo.md": networks,
        "command.md": command,
        "python.md": python,
    }
    pages = {f"reference/{name}": f"{NOTE}\n\n{_page(write())}\n" for name, write in writers.items()}
    commands = re.findall(r"^\$ archbuilder (render .*) -o (\w+)\.svg$", DRAWING_PAGE.read_text("utf-8"), re.MULTILINE)
    drawn = {name: tuple(words.split()) for words, name in commands} | DRAWN
    drawings = {f"pictures/{name}.svg": _drawing(words) for name, words in drawn.items()}
    return pages | drawings | {f"pages/{WALKED}.html": _drawing(("render", WALKED, "--format", "html"))}


def _page(parts: Iterable[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts)).strip()


def _drawing(words: Iterable[str]) -> str:
    """What a command draws."""
    with contextlib.chdir(ROOT / "examples"):
        return _printed([*words, "-o", "-"])


PLAIN = {"COLUMNS": str(WIDTH), "TERMINAL_WIDTH": str(WIDTH), "NO_COLOR": "1", "TERM": "dumb"}


def _printed(words: list[str]) -> str:
    """What a command prints, whatever the terminal."""
    colour_help_alike()
    runner = CliRunner(env=PLAIN)
    return runner.invoke(app, words, prog_name="archbuilder", catch_exceptions=False).stdout


# ---- blocks and ops -------------------------------------------------------------------------------------------------


def blocks() -> Iterator[str]:
    """The shipped blocks, a file after the other."""
    yield "# Blocks\n"
    yield (
        "The blocks that come with archbuilder. Each is YAML, in [archbuilder/blocks/](../../archbuilder/blocks), and is "
        "used by its name: `{block: bottleneck, width: 256}`. Their parameters can be set at a use, or for all uses in "
        "`defaults`. What they are made of are [ops](ops.md). How to write one: [blocks](../blocks.md).\n"
    )
    for path in sorted(zoo.BLOCKS.glob("*.yaml")):
        names = _blocks_in(path)
        yield f"- [{path.name}](../../archbuilder/blocks/{path.name}): {', '.join(_link(name) for name in names)}"
    for path in sorted(zoo.BLOCKS.glob("*.yaml")):
        for name in _blocks_in(path):
            definition = shipped_block(name)
            yield f"\n## {name}\n"
            yield f"{_sentence(definition.help)}\n"
            yield from _parameters(definition.parameters.values())
            yield f"\nSteps: {_steps(definition.body)}."


def _blocks_in(path: Path) -> list[str]:
    reporter = archbuilder.diagnostics.Reporter()
    table = read_yaml(archbuilder.diagnostics.Source(path.name, path.read_text("utf-8"), shipped=True), reporter)
    reporter.raise_if_any()
    return list(table["blocks"]) if table is not None else []


def _steps(body: Any) -> str:
    """The steps of a body in a line: each name, with the block that it uses."""
    items = enumerate(body) if isinstance(body, list) else body.items()
    return ", ".join(_step(str(key), step) for key, step in items)


def _step(key: str, step: Step) -> str:
    if step.loop is not None:
        return f"`{key}`: ({_steps(step.body)})"
    if step.body is not None and not isinstance(step.body, dict | list):
        return f"`{key}` ({_named(step.body)})"
    return f"`{key}` ({_named(step.block) if step.body is None else _steps(step.body)})"


def _named(target: Any) -> str:
    """What a step stands for: a block, or a slot."""
    name = str(target)
    return f"the slot `{name[1:]}`" if name.startswith("$") else name


def ops() -> Iterator[str]:
    """The op table."""
    yield "# Ops\n"
    yield (
        "The blocks that have no body: what PyTorch computes. They are used as all blocks are, by their name. A parameter "
        "that is not given has its default; the first one is the main one, which a bare value in `defaults` sets "
        "(`activation: silu`).\n"
    )
    yield ", ".join(_link(name) for name in OPS)
    for name, op in OPS.items():
        yield f"\n## {name}\n"
        yield f"{_sentence(op.help)} {_inputs(op)}\n"
        yield from _parameters(op.parameters)


def _inputs(op: type[Op]) -> str:
    least, most = op.inputs
    if (least, most) == (1, 1):
        return "Takes one value." + (" Counts as a layer." if op.counts_as_layer else "")
    return f"Takes {least} or more values, named in `from`."


def _parameters(parameters: Iterable[Parameter]) -> Iterator[str]:
    """A table of parameters."""
    rows = [
        (
            f"`{each.name}`",
            _type(each),
            "required" if each.required else f"`{_default(each.default)}`",
            _cell(each.help),
        )
        for each in parameters
    ]
    if not rows:
        yield "No parameters."
        return
    yield "| parameter | type | default | |"
    yield "|---|---|---|---|"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _type(parameter: Parameter) -> str:
    if parameter.choices:
        return " ".join(f"`{choice}`" for choice in parameter.choices)
    bounds = [
        f"{word} {bound:g}"
        for word, bound in (("from", parameter.minimum), ("to", parameter.maximum))
        if bound is not None
    ]
    return " ".join([f"[{parameter.element}]" if parameter.element else parameter.type, *bounds])


def _default(value: Any) -> str:
    return _cell(str(value) if isinstance(value, str) else describe(value))


# ---- the zoo --------------------------------------------------------------------------------------------------------


def networks() -> Iterator[str]:
    """The zoo, a family after the other."""
    yield "# The zoo\n"
    yield (
        "The networks that come with archbuilder, in [specs/](../../specs). Each can be named wherever a spec is asked for: "
        '`archbuilder summary resnet50`, `archbuilder.build("resnet50")`, `extends: resnet50`. Parameters and MACs are for '
        "the size of input given; a layer is a convolution or a linear layer on the longest way. *Weights* names the library "
        "whose checkpoints have the same names and shapes, *picture* what these expect.\n"
    )
    yield _WEIGHTS
    families: dict[str, list[tuple[Path, str]]] = {}
    for path in zoo.all_files():
        default, variants = variants_of(path)
        names = [] if default else [path.stem]
        names += [zoo.plain_name(path.stem, variant) for variant in variants]
        families.setdefault(path.parent.name, []).extend((path, name) for name in names)
    for family, members in sorted(families.items()):
        yield f"\n## {family}\n"
        yield "| network | layers | parameters | MACs | input | source | weights | picture | |"
        yield "|---|--:|--:|--:|---|---|---|---|---|"
        yield from (_network(path, name) for path, name in members)


def _network(path: Path, name: str) -> str:
    checked = archbuilder.check(name)
    facts: Summary = checked.summary
    reference = checked.architecture.reference
    source = (reference and (reference.paper or reference.note)) or ""
    size = "×".join(str(each) for each in facts.input_shape)
    words = (checked.architecture.help, reference.note if reference and reference.paper else None)
    cells = (
        f"[{name}](../../specs/{path.parent.name}/{path.name})", str(facts.layers), f"{facts.parameters:,}", f"{facts.macs:,}",
        size, _paper(source), _weights(reference), _picture(checked.architecture), "; ".join(filter(None, words)),
    )  # fmt: skip
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


_SOURCES = {
    "weights": ("where they are", "licence"),
    "---": ("---", "---"),
    "torchvision": (
        'with the package, which has them: `weights="torchvision"` is the first in a network\'s [list](TV), `IMAGENET1K_V1`',
        "BSD-3-Clause is the package's; of the weights torchvision says that they may have terms of their own, from their data",
    ),
    "timm": (
        'on the [hub](https://huggingface.co/timm), each with a card: `weights="timm"` is a network\'s default there',
        "as the table says; where it says nothing, timm knows of none",
    ),
    "authors": ("where the last column says", "as the table says"),
}
_LIST = "https://docs.pytorch.org/vision/stable/models.html"
_WEIGHTS = f"""
## Weights

`archbuilder.build("resnet50", weights="torchvision")` gives a network the weights that its table names;
[how to bring your weights](../howto/weights.md) tells of all other ways.

{chr(10).join(f"| {name} | {' | '.join(row)} |" for name, row in _SOURCES.items()).replace("TV", _LIST)}

All were trained with ImageNet, whose terms are for research that is not commercial; what that means for weights, their
publishers leave open.

*Picture* is what weights expect: the side to which a picture is scaled, the side that is cut out of its middle, and the
interpolation. Mean and deviation are ImageNet's throughout, `(0.485, 0.456, 0.406)` and `(0.229, 0.224, 0.225)`. A built
model says all of it in `pretrained_cfg`. GoogLeNet's weights want `transform_input=True` as well.
"""


def _weights(reference: Any) -> str:
    if reference is None or reference.weights is None:
        return ""
    return f"{reference.weights}, {reference.licence}" if reference.licence else reference.weights


def _picture(architecture: Architecture) -> str:
    """What the weights of a network expect of a picture."""
    wanted = architecture.input
    if architecture.reference is None or architecture.reference.weights is None or not isinstance(wanted.size, int):
        return ""
    return f"{round(wanted.size / wanted.crop)}, {wanted.size}, {wanted.interpolation}"


def _paper(source: str) -> str:
    match = re.match(r"arXiv:([\d.]+)(.*)", source)
    return f"[arXiv:{match[1]}](https://arxiv.org/abs/{match[1]}){match[2]}" if match else source


# ---- the command ----------------------------------------------------------------------------------------------------


def command() -> Iterator[str]:
    """The help of the command and of all it can do."""
    names = [each.name or getattr(each.callback, "__name__", "") for each in app.registered_commands]
    yield "# The command\n"
    yield "`archbuilder` and `python -m archbuilder` are the same.\n"
    yield ", ".join(_link(name) for name in names)
    yield _COMMON
    yield from _help([])
    for name in names:
        yield f"\n## {name}\n"
        yield from _help([name])


_COMMON = """
- **A spec** is a file (`net.yaml`), a network of [the zoo](zoo.md) (`resnet50`), or `-` for standard input. `net.yaml#small` and
  `resnet#50` are variants.
- **`--set NAME=VALUE`** sets a parameter of the spec (`classes=10`), or any value in it by its path (`layer3.depth=23`,
  `input.channels=1`, `defaults.activation=silu`). The value is read as YAML. `expect` is then not held against the network.
- **Exit codes**: 0 all is well, 1 the spec is wrong (or the work failed), 2 the command was called wrongly.
- **Errors** go to standard error as `file:line:column: error[code]: message`, with the line and a remedy below.
- **Colour** is used on a terminal only, and not where `NO_COLOR` is set. In a pipe, tables are as wide as they need.
- **Torch** is loaded by `build` alone. The others work without it.
"""


def _help(arguments: list[str]) -> Iterator[str]:
    yield "```text"
    yield "\n".join(line.rstrip() for line in _printed([*arguments, "--help"]).splitlines()).strip("\n")
    yield "```"


# ---- Python ---------------------------------------------------------------------------------------------------------


def python() -> Iterator[str]:
    """The public names of the package."""
    functions = [name for name in archbuilder.__all__ if inspect.isfunction(getattr(archbuilder, name))]
    classes = [name for name in archbuilder.__all__ if name not in functions]
    yield "# Python\n"
    yield (
        "What `import archbuilder` offers. `build`, `block`, `load_checkpoint` and `save` need torch, the rest works without it. "
        "These names stand in signatures:\n"
    )
    yield from (f"- `{name}`: {what}" for name, what in _TYPES.items())
    yield ""
    yield f"Functions: {', '.join(_link(name) for name in functions)}.\n"
    yield f"Classes: {', '.join(_link(name) for name in classes)}."
    for name in functions:
        function = getattr(archbuilder, name)
        yield f"\n## {name}\n"
        yield f"```text\n{_signature(name, function)}\n```\n"
        yield from _docstring(function)
    for name in classes:
        yield f"\n## {name}\n"
        yield from _class(getattr(archbuilder, name))


_TYPES = {
    "Spec": "a spec: a path, a name of [the zoo](zoo.md), a variant (`resnet#50`), an [Architecture](#architecture), or a dict "
    "that has what a YAML file would",
    "Network": "an `nn.Module` that knows its `spec` and its `feature_info`, and can do what "
    "[a backbone and a classifier](../howto/backbone.md) can",
    "Features": "a name of a step or a number of a feature map, several of them, or a dict from these to other names",
    "Weights": "a file, a state, or [the name of a library](../howto/weights.md)",
    "Inputs": "(channels, height, width) of one value, or a list of these",
    "Shape": "a `Map` of channels, height and width, a `Vector`, `Tokens`, or several of these, `Streams`; `str` gives 64×56×56",
    "Depth": '`"stage"`, `"block"` or `"layer"`: how far a summary or a drawing goes in',
    "Format": '`"svg"`, `"png"` or `"dot"`',
    "Rendered": "the bytes of a drawing, which a notebook shows",
}
"""What stands in signatures, beside the classes of the page."""


def _signature(name: str, function: Any) -> str:
    """A function's signature, on one line where it fits."""
    signature = inspect.signature(function)
    parts: list[str] = []
    before = None
    for each in signature.parameters.values():
        if before is inspect.Parameter.POSITIONAL_ONLY and each.kind is not before:
            parts.append("/")
        if each.kind is inspect.Parameter.KEYWORD_ONLY and before not in (each.kind, inspect.Parameter.VAR_POSITIONAL):
            parts.append("*")
        if each.name != "self":
            parts.append(_parameter(each))
        before = each.kind
    line = f"{name}({', '.join(parts)}) -> {signature.return_annotation}"
    if len(line) <= WIDTH:
        return line
    return f"{name}(\n" + "".join(f"    {part},\n" for part in parts) + f") -> {signature.return_annotation}"


def _parameter(parameter: inspect.Parameter) -> str:
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    default = "" if parameter.default is inspect.Parameter.empty else f" = {parameter.default!r}"
    return f"{stars}{parameter.name}: {parameter.annotation}{default}"


def _class(made: type) -> Iterator[str]:
    yield from _docstring(made)
    if made is Architecture:
        names = ", ".join(f"`{name}`" for name in Architecture.model_fields)
        yield f"Its fields are [the keys of a spec](../language.md#a-whole-spec): {names}."
    fields = _fields(made)
    if fields:
        yield "\n| field | type |"
        yield "|---|---|"
        yield from (f"| `{name}` | `{_cell(kind)}` |" for name, kind in fields)
    members = {name: member for each in reversed(made.__mro__) if _is_ours(each) for name, member in vars(each).items()}
    for name, member in members.items():
        if name.startswith(("_", "model_", "mark_")) or name in dict(fields):
            continue
        if isinstance(member, property) or (hasattr(member, "func") and hasattr(member, "attrname")):
            yield f"\n**`{name}`**: {_plain(inspect.getdoc(member) or '')}"
        elif inspect.isfunction(member) and member.__doc__ and not name.startswith("place"):
            yield f"\n**`{_signature(name, member)}`**: {_plain(inspect.getdoc(member) or '')}"


def _is_ours(made: type) -> bool:
    return made.__module__.startswith("archbuilder.") and made.__name__ != "SpecModel"


def _fields(made: type) -> list[tuple[str, str]]:
    if dataclasses.is_dataclass(made):
        return [(each.name, str(each.type)) for each in dataclasses.fields(made) if not each.name.startswith("_")]
    if not hasattr(made, "_fields"):
        return []
    return [(name, getattr(kind, "__forward_arg__", str(kind))) for name, kind in made.__annotations__.items()]


def _docstring(documented: Any) -> Iterator[str]:
    """A docstring as Markdown: its lists of arguments and errors as lists."""
    text = inspect.getdoc(documented) or ""
    for part in re.split(r"\n(?=Args:|Raises:)", text):
        title, _, rest = part.partition("\n")
        if title not in ("Args:", "Raises:"):
            yield _plain(part.strip()) + "\n"
            continue
        for entry in re.split(r"\n(?=    \S)", f"\n{rest}"):
            name, colon, help = entry.strip().partition(": ")
            if colon:
                prefix = "raises " if title == "Raises:" else ""
                yield f"- {prefix}`{name}`: {' '.join(_plain(help).split())}"


def _plain(text: str) -> str:
    """Literals as Markdown writes them, and each paragraph in a line."""
    paragraphs = re.split(r"\n\s*\n", text.replace("``", "`"))
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


# ---- small parts ----------------------------------------------------------------------------------------------------


def _link(name: str) -> str:
    return f"[{name}](#{name.lower()})"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _cell(text: str) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def main() -> int:
    """Writes the pages, or with `--check` says which are not as they would be written."""
    stale = []
    for name, text in files().items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() and path.read_text("utf-8") == text:
            continue
        stale.append(str(path.relative_to(ROOT)))
        if "--check" not in sys.argv[1:]:
            path.write_text(text, "utf-8")
    verb = "out of date (run `make docs`)" if "--check" in sys.argv[1:] else "written"
    for page in stale:
        sys.stdout.write(f"{page}: {verb}\n")
    return int(bool(stale) and "--check" in sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
