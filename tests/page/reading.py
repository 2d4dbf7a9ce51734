"""Reads a page as a browser would: the file's parts, and what its data says of each step."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from archbuilder.analysis.summary import summarize
from archbuilder.language.load import Spec, load_architecture
from archbuilder.lowering.network import Lowered, lower_with_record
from archbuilder.page.data import data_of
from archbuilder.page.picture import Picture, picture_of


@dataclass
class Parts(HTMLParser):
    """The elements of a page, as (name, attributes, text); what is in an SVG is text of nothing."""

    found: list[tuple[str, dict[str, str | None], str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), ""))

    def handle_data(self, data: str) -> None:
        if self.found:
            tag, attributes, text = self.found[-1]
            self.found[-1] = tag, attributes, text + data

    def of(self, name: str) -> list[tuple[dict[str, str | None], str]]:
        """The elements of a name, each with its attributes and the text at its beginning."""
        return [(attributes, text) for tag, attributes, text in self.found if tag == name]


def parts_of(page: str) -> Parts:
    """The elements of a page."""
    parts = Parts()
    parts.feed(page)
    return parts


def data_in(page: str) -> Any:
    """The data of a page."""
    (text,) = [text for attributes, text in parts_of(page).of("script") if attributes.get("type") == "application/json"]
    return json.loads(text)


@dataclass(frozen=True)
class Read:
    """A network as its data tells of it."""

    lowered: Lowered
    picture: Picture
    data: dict[str, Any]

    def items(self) -> list[dict[str, Any]]:
        """What one can look at, in order."""
        found = list(self._items(0, "", 1))
        for number, item in enumerate(found):
            item.update(number=number, kept=self.data["kept"][number], field=self.text(self.data["fields"][number]))
        return found

    def text(self, number: int) -> str:
        return self.data["strings"][number]

    def _items(self, figure: int, path: str, around: int) -> Iterator[dict[str, Any]]:
        for box in self.data["figures"][figure]["boxes"]:
            for record, name, count in box.get("of", ()) if not box.get("end") else ():
                own = self.text(name)
                words = ("label", "kind", "input", "output", "parameters", "buffers", "macs", "activations", "bytes")
                *values, tensors = self.data["records"][record]
                item = dict(zip(words, values, strict=True), tensors=self.data["tensors"][tensors])
                item |= {"path": own if box.get("part") else path + own, "times": around * count, "around": around}
                item |= {"part": bool(box.get("part")), "inside": "inside" in box, "top": figure == 0}
                yield item
                if "inside" in box:
                    yield from self._items(box["inside"], path if box.get("part") else f"{path}{own}.", around * count)

    def item(self, path: str) -> dict[str, Any]:
        """The item at a path."""
        return next(item for item in self.items() if item["path"] == path and not item["part"])

    def whys(self, path: str) -> dict[str, list[Any]]:
        """Why the parameters of an item are what they are, by their names."""
        numbers = self.data["lists"][self.data["why"][self.item(path)["number"]]]
        return {self.text(self.data["whys"][number][0]): self.data["whys"][number] for number in numbers}


def read(spec: Spec) -> Read:
    """What a page knows of a network, through JSON as in the file."""
    architecture = load_architecture(spec)
    lowered = lower_with_record(architecture)
    summary = summarize(lowered.graph)
    picture = picture_of(summary)
    return Read(lowered, picture, json.loads(json.dumps(data_of(architecture, lowered, summary, picture))))
