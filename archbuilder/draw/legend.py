"""The legend of volumes: what colours mean, what the sides of a solid stand for, and what the blocks are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from archbuilder.draw.drawing import Drawing, moved, wrapped
from archbuilder.draw.fonts import width
from archbuilder.draw.model.figure import SHORTCUTS, TAP, TAPS, Box, EdgeKind, Figure, Role
from archbuilder.draw.model.maps import SIGNS, Folding, Volume, channels_of, is_chain
from archbuilder.draw.scene import Shape, Text
from archbuilder.draw.solids import Solid, arch
from archbuilder.graph.shapes import Vector

_KINDS: Final[Mapping[Role, str]] = {
    "stage": "block", "convolution": "convolution", "pool": "pooling, resampling", "linear": "linear",
    "attention": "attention", "norm": "norm", "combine": "sum, product",
}  # fmt: skip

_SIDES: Final = "height and depth: square root of the map's size; thickness: cube root of its channels"
_GAP: Final = "a gap: more of the same"


def legend(folding: Folding, room: float, size: float, most: int) -> Drawing:
    """The legend of what is drawn, in texts of a size; of equal values in a row so many are drawn."""
    every = [volume for makes in folding.made_of.values() for volume in makes]
    roles = {volume.role for volume in every}
    items = [(_swatch(role, size), text) for role, text in _KINDS.items() if role in roles]
    others = dict.fromkeys(volume.kind for volume in every if volume.role in ("other", "activation"))
    items += [(_swatch("other", size), ", ".join([*others][:3]))] if others else []
    ends = list(dict.fromkeys(volume.ends for volume in every if volume.active))
    items += (
        [(_swatch("activation", size), f"{' / '.join(', '.join(each) for each in ends[:3])} at its end")]
        if ends
        else []
    )
    kinds = {kind for volume in every for kind in volume.around}
    items += [(_arch(kind, size), text) for kind, text in SHORTCUTS.items() if kind in kinds]
    if any(box.taps or box.name.startswith(TAP) for box in folding.boxes.values()):
        items.append(((Text(size * 0.6, size * 0.34, TAP, size, "quiet", anchor="middle"),), TAPS))
    shapes, y = _in_lines(items, room, size)
    sides = _SIDES + (f"; {_GAP}" if any(len(volume.shapes) > most for volume in every) else "")
    for line in (sides, *_blocks(folding)):
        for text in wrapped(line, size, room):
            shapes.append(Text(0, y + size * 1.1, text, size, "quiet"))
            y += size * 1.3
    return Drawing(tuple(shapes), room, y + size * 0.4)


def _in_lines(items: Sequence[tuple[tuple[Shape, ...], str]], room: float, size: float) -> tuple[list[Shape], float]:
    """Swatches with their words, as many beside each other as there is room for, and how high they are."""
    shapes: list[Shape] = []
    x, y, high, swatch = 0.0, 0.0, size * 1.7, size * 2.0
    for drawn, words in items:
        lines = wrapped(words, size, room - swatch)
        wide = swatch + max(width(line, size) for line in lines)
        if x and x + wide > room:
            x, y = 0.0, y + high
        shapes += moved(drawn, x, y + high / 2)
        for number, line in enumerate(lines):
            y += size * 1.3 if number else 0.0
            shapes.append(Text(x + swatch, y + high / 2 + size * 0.34, line, size, "quiet"))
        x += wide + size * 1.6
    return shapes, y + high


def _swatch(role: Role, size: float) -> tuple[Shape, ...]:
    """A small solid."""
    return tuple(Solid(Volume("", role, ()), Vector(1), size * 0.25, size * 0.8, size * 0.8, size * 0.9).shapes())


def _arch(kind: EdgeKind, size: float) -> tuple[Shape, ...]:
    """A small shortcut."""
    return tuple(arch(0.0, size * 1.4, size * 0.3, kind))


# ---- blocks ---------------------------------------------------------------------------------------------------------


def _blocks(folding: Folding) -> Iterator[str]:
    """Of what each block is made where it is used first."""
    seen: set[str] = set()
    for key, makes in folding.made_of.items():
        for volume in makes:
            if volume.inside is not None and volume.kind not in seen:
                seen.add(volume.kind)
                words = list(_steps(volume.inside))
                if words:
                    where = (folding.boxes[key].name or key).partition("–")[0]
                    yield f"{volume.kind}, as in {where}: {', '.join(words)}"


def _steps(figure: Figure) -> Iterator[str]:
    """What happens in a block, one after the other, and with what values that come another way are joined."""
    into: dict[str, list[str]] = {box.id: [] for box in figure.boxes}
    for edge in figure.edges:
        into[edge.target].append(edge.source)
    path = figure.main_path()
    by_id = {box.id: box for box in figure.boxes}
    for before, key in pairwise(path):
        if by_id[key].end:
            continue
        others = list(into[key])
        others.remove(before)
        beside = dict.fromkeys(_beside(other, into, by_id, path) for other in others)
        yield _words(by_id[key]) + (f" with {' / '.join(beside)}" if beside else "")


def _beside(key: str, into: Mapping[str, list[str]], by_id: Mapping[str, Box], path: Sequence[str]) -> str:
    """The steps on the way from the main path to a box, that included."""
    words: list[str] = []
    while key not in path and not by_id[key].end and into[key]:
        words.insert(0, _words(by_id[key]))
        key = into[key][0]
    return ", ".join(words) or ("its input" if by_id[key].end else "an earlier value")


def _words(box: Box) -> str:
    """A step in few words: what it does, and the channels that come of it."""
    if box.sign:
        return SIGNS.get(box.sign, box.sign)
    if box.inside is not None and is_chain(box.inside):
        return ", ".join(_steps(box.inside))
    text = (box.bands[0].text if box.bands else box.name).partition(" ×")[0]
    channels = str(channels_of(box.gives)) if box.layers and box.gives is not None else ""
    return text if not channels or text.endswith(f" {channels}") else f"{text} → {channels}"
