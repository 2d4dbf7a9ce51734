"""Which feature maps can be taken out of a network."""

from __future__ import annotations

from dataclasses import dataclass

from archbuilder.diagnostics import Reporter
from archbuilder.graph.graph import Section, Tap, Value, reduction_of
from archbuilder.graph.shapes import Map, Streams
from archbuilder.language.models import Architecture
from archbuilder.lower.frame import POISON, Frame
from archbuilder.lower.references import advice_for, find_values


@dataclass
class Taps:
    """Finds the taps of a network whose steps are lowered."""

    architecture: Architecture
    frame: Frame
    reporter: Reporter

    def of(self, sections: list[Section]) -> tuple[Tap, ...]:
        """Those that `features` names; by default the last map of each reduction."""
        wanted = self.architecture.features
        if wanted is None:
            return self._default_taps(sections)
        return tuple(tap for number, name in enumerate(wanted) for tap in self._named(number, name, wanted[:number]))

    def _named(self, number: int, name: str, before: list[str]) -> list[Tap]:
        """The taps of a name, which may stand for several; none where that is wrong."""
        place = self.architecture.place_inside("features", number)
        if name in before:
            self.reporter.error("duplicate", f"`{name}` is here twice", place, help="remove one of them")
            return []
        values = find_values(name, self.frame) or self._inline_values(name)
        if values is None and POISON not in self.frame.values.values():  # else it may be one of those that went wrong
            message = f"there is no step `{name}` to take features from"
            self.reporter.error("unknown-step", message, place, help=advice_for(name, self.frame))
        taps: list[Tap] = []
        for value in values or ():
            if value != POISON and isinstance(self.frame.builder.shape_of(value), Streams):
                message = f"`{name}` is no feature map but the parts of one"
                self.reporter.error("bad-shape", message, place, help=f"take one of them, as in {name}.0")
            elif value != POISON:
                taps.append(self._tap(self._name_of(value) if len(values or ()) > 1 else name, value))
        return taps

    def _name_of(self, value: Value) -> str:
        """What a value is called that is one of several."""
        part = "" if value.item is None else f".{value.item}"
        return self.frame.builder.nodes[value.node].all_names()[-1] + part

    def _inline_values(self, name: str) -> list[Value] | None:
        """The values of children that stand inline, by the names that they have in the module."""
        prefix = name.removesuffix("*") if name.endswith(".*") else None
        nodes = [
            (at, node.all_names()[-1]) for at, node in enumerate(self.frame.builder.nodes)
        ]  # repeats give what the last gives
        found = [Value(at) for at, last in nodes if last == name or (prefix and last.startswith(prefix))]
        return found or None

    def _tap(self, name: str, value: Value) -> Tap:
        is_map = isinstance(self.frame.builder.shape_of(value), Map)
        return Tap(
            name, value, reduction_of(value, self.frame.builder.nodes, self.frame.builder.input) if is_map else 0
        )

    def _default_taps(self, sections: list[Section]) -> tuple[Tap, ...]:
        """The last map of each reduction in stem and stages."""
        found: dict[int, Tap] = {}
        for section in sections:
            if section.name not in ("stem", "stages"):
                continue
            for number in range(section.start, section.stop):
                node = self.frame.builder.nodes[number]
                if isinstance(node.shape, Map) and node.body is not None:
                    tap = self._tap(node.all_names()[-1], Value(number))
                    found[tap.reduction] = tap
        return tuple(found[reduction] for reduction in sorted(found))
