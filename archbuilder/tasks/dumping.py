"""An architecture as the YAML that would describe it without bases."""

from __future__ import annotations

from typing import Any

from archbuilder.diagnostics import Reporter
from archbuilder.language.dump import write_architecture
from archbuilder.language.models import Architecture
from archbuilder.lowering.library import Library
from archbuilder.lowering.network import unused_by


def dump(architecture: Architecture) -> str:
    """The spec as YAML, its bases merged in; reading it again gives an equal network.

    What came from a base and reaches nothing here is left out, since nothing would tell that it may go unused.
    """
    if not isinstance(architecture, Architecture):
        raise TypeError(
            f"expected an architecture, as `archbuilder.load(spec)` gives, got {type(architecture).__name__}"
        )
    if architecture.is_overridden:  # what is expected holds for the spec as it was written
        architecture = architecture.model_copy(update={"expect": None})
    library = Library.of(architecture, Reporter(is_aside=True))

    def knows(block: str, key: str, value: Any) -> bool:
        definition = library.find(block)
        has = definition is None or key in definition.parameters
        return has or (value not in (None, {}) and library.find(key) is not None)

    return write_architecture(architecture, knows, *unused_by(architecture))
