"""The package under which emitted modules are imported; it is empty by itself."""

__path__: list[str] = []
