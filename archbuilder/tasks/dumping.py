"""An architecture as the YAML that would describe it without bases."""

from __future__ import annotations

from typing import Any

from archbuilder.diagnostics import Reporter
from archbuilder.language.dump import write_architecture
from archbuilder.language.models import Architecture, validate_architecture
from archbuilder.language.table import without
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
    library = Library.of(architecture, Reporter(is_aside=True))

    def knows(block: str, key: str, value: Any) -> bool:
        definition = library.find(block)
        has = definition is None or key in definition.parameters
        return has or (value not in (None, {}) and library.find(key) is not None)

    defaults, parameters, places = unused_by(architecture)
    is_overridden = architecture.is_overridden
    if places and architecture.table is not None:
        useful = validate_architecture(without(architecture.table, places), Reporter(is_aside=True))
        architecture = useful or architecture
    if is_overridden:  # what is expected holds for the spec as it was written
        architecture = architecture.model_copy(update={"expect": None})
    return write_architecture(architecture, knows, defaults, parameters)
