"""Architecture -> YAML text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml

from archbuilder.language.models import Architecture, Step, write_section
from archbuilder.language.reader import resolve_scalar
from archbuilder.language.spoken import unnamed
from archbuilder.language.words import SECTIONS

Knows = Callable[[str, str, Any], bool]
"""Whether a block (by name) has a use for a key with a value."""


def write_architecture(
    architecture: Architecture,
    knows: Knows,
    unused: dict[str, set[str]],
    unused_parameters: set[str],
) -> str:
    """The spec as YAML, its bases merged in, without what came from a base and its block, or the network, has no use for, and
    without blocks that nothing uses.

    Args:
        architecture: the network.
        knows: what blocks have a use for.
        unused: defaults that reach nothing, by block.
        unused_parameters: parameters that nothing uses.
    """
    data = architecture.model_dump(by_alias=True, exclude_defaults=True)
    for block, given in list(data.get("defaults", {}).items()):
        keys = unused.get(block, set())
        kept = {key: value for key, value in given.items() if key not in keys} if isinstance(given, dict) else None
        if keys and kept:
            data["defaults"][block] = kept
        elif keys:
            del data["defaults"][block]
    data["defaults"] = {block: _useful(block, given, knows) for block, given in data.get("defaults", {}).items()}
    data["defaults"] = {block: given for block, given in data["defaults"].items() if given not in (None, {})}
    for name in unused_parameters & data.get("parameters", {}).keys():
        del data["parameters"][name]
    written = {key: value for key, value in data.items() if value not in (None, {})}
    image = architecture.input
    written["input"] = {"channels": image.channels, "size": image.size, **image.model_dump(exclude_defaults=True)}
    for name in SECTIONS:
        section = getattr(architecture, name)
        if section is not None:
            written[name] = write_section(_without_unknown(section, knows))
    while idle := unnamed(written.get("blocks", {}), written):  # without these, others may go unused
        written["blocks"] = {name: block for name, block in written["blocks"].items() if name not in idle}
    return yaml.dump(
        _plain(written), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None
    )


def _useful(block: str, given: Any, knows: Knows) -> Any:
    """The defaults for a block without those that were removed."""
    if not isinstance(given, dict):
        return given
    inner = {key: _useful(key, value, knows) for key, value in given.items()}
    return {key: value for key, value in inner.items() if value not in (None, {}) or knows(block, key, value)}


def _without_unknown(section: Any, knows: Knows) -> Any:
    if isinstance(section, dict):
        return {name: _without_unknown(step, knows) for name, step in section.items()}
    if isinstance(section, list):
        return [_without_unknown(step, knows) for step in section]
    if not isinstance(section, Step) or section.block is None:
        return section
    block = section.block
    kept = {
        key: value
        for key, value in section.arguments.items()
        if not (section.is_weak(key) or value in (None, {})) or knows(block, key, value)
    }
    return section if kept == section.arguments else section.with_arguments(kept)


def _plain(value: Any) -> Any:
    """The value in plain types that YAML knows."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, str) else value


class _Dumper(yaml.SafeDumper):
    """Writes texts so that they are read as texts by YAML 1.2 and by older readers alike."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    try:
        plain = isinstance(resolve_scalar(text), str)
    except ValueError:  # it looks like a number that is too large
        plain = False
    style = '"' if _OTHER_BREAKS.intersection(text) else None if plain else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_OTHER_BREAKS = frozenset("\x85\u2028\u2029")
"""What YAML folds as it does line breaks, but where it is escaped: a next line, a line separator, a paragraph separator."""


_Dumper.add_representer(str, _represent_text)
