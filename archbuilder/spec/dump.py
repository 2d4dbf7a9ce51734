"""Architecture -> YAML text."""

from __future__ import annotations

from typing import Any

import yaml

from archbuilder.spec.models import SECTIONS, Architecture, write_body


def dump(architecture: Architecture) -> str:
    """The spec as YAML, its bases merged in; reading it again gives an equal architecture."""
    data = architecture.model_dump(by_alias=True, exclude_defaults=True)
    written = {key: value for key, value in data.items() if value not in (None, {})}
    for name in SECTIONS:
        section = getattr(architecture, name)
        if section is not None:
            written[name] = write_body([section])[0] if not isinstance(section, dict | list) else write_body(section)
    return yaml.dump(_plain(written), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)


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
