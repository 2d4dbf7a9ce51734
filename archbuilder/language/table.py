"""Values read from YAML that remember where they were written.

A map becomes a `Table`, a list an `Items`; scalars are plain Python values, placed by the container they stand in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final, NamedTuple

from archbuilder.diagnostics import Place


class Past(NamedTuple):
    """A value that a stronger one has replaced, and where it is written."""

    value: Any
    place: Place | None


class Table(dict[str, Any]):
    """A map with the places of its keys and values.

    `name_place` is where the key that it stands behind is written, if it is a step. `weak` names the entries that came
    from a base and may go unused; `replaced` has, for entries that were laid over others, those others, the strongest
    first; `broken` says that something in it was wrong and
    has been reported, so that whoever reads it should stay silent.
    """

    __slots__ = ("broken", "key_places", "name_place", "place", "replaced", "value_places", "weak")

    def __init__(self, place: Place | None = None) -> None:
        self.place = place
        self.name_place: Place | None = None
        self.key_places: dict[str, Place | None] = {}
        self.value_places: dict[str, Place | None] = {}
        self.weak: frozenset[str] = frozenset()
        self.replaced: Mapping[str, tuple[Past, ...]] = _NOTHING
        self.broken = False

    def put(self, key: str, value: Any, key_place: Place | None = None, value_place: Place | None = None) -> None:
        """Sets an entry together with its places."""
        self[key] = value
        self.key_places[key] = key_place
        self.value_places[key] = value_place

    def copy(self) -> Table:
        """A copy of this level; the values are shared."""
        other = Table(self.place)
        other.update(self)
        other.key_places = dict(self.key_places)
        other.value_places = dict(self.value_places)
        other.weak = self.weak
        other.replaced = self.replaced
        other.broken = self.broken
        return other

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


_NOTHING: Final[Mapping[str, tuple[Past, ...]]] = {}


def as_table(value: Any) -> Any:
    """A map as a table, inner ones too, without places where it has none; anything else as it is."""
    if not isinstance(value, dict) or isinstance(value, Table):
        return value
    table = Table()
    for key, each in value.items():
        table.put(str(key), as_table(each))
    return table


class Items(list[Any]):
    """A list with the places of its elements."""

    __slots__ = ("place", "places")

    def __init__(self, place: Place | None = None) -> None:
        super().__init__()
        self.place = place
        self.places: list[Place | None] = []

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)


def copied_table(value: Any, *, weak: bool = False) -> Any:
    """A map or a list with all maps and lists in it copied, their places too; anything else as it is. With `weak` all entries
    may go unused."""
    if isinstance(value, Table):
        table = value.copy()
        table.update({key: copied_table(each, weak=weak) for key, each in value.items()})
        table.weak = frozenset(table) if weak else value.weak
        return table
    if isinstance(value, Items):
        items = Items(value.place)
        items.extend(copied_table(each, weak=weak) for each in value)
        items.places = value.places
        return items
    return value


def moved(value: Any, move: Callable[[Place | None], Place | None]) -> Any:
    """A copy of a map or a list, and of all in it, with its places changed; anything else as it is."""
    copy = copied_table(value)
    left = [copy]
    while left:
        each = left.pop()
        if isinstance(each, Table):
            each.place, each.name_place = move(each.place), move(each.name_place)
            each.key_places = {key: move(place) for key, place in each.key_places.items()}
            each.value_places = {key: move(place) for key, place in each.value_places.items()}
            left += each.values()
        elif isinstance(each, Items):
            each.place, each.places = move(each.place), [move(place) for place in each.places]
            left += each
    return copy


def without(value: Any, places: AbstractSet[Place | None]) -> Any:
    """A map or a list without the entries that stand at some places, inner ones too, nor the maps of which nothing is left."""
    if isinstance(value, Items):
        items = Items(value.place)
        items.extend(without(each, places) for each in value)
        items.places = value.places
        return items
    if not isinstance(value, Table):
        return value
    table = value.copy()
    for key, each in value.items():
        table[key] = without(each, places)
        if not places.isdisjoint((table.key_places.get(key), table.value_places.get(key))) or (
            each and table[key] == {}
        ):
            del table[key]
    return table


def key_place(container: Any, key: str | int) -> Place | None:
    """Where a key of a map is written, if the map was read from a text."""
    return container.key_places.get(str(key)) if isinstance(container, Table) else None


def value_place(container: Any, key: str | int) -> Place | None:
    """Where a value of a map or a list is written, if it was read from a text."""
    if isinstance(container, Table):
        return container.value_places.get(str(key))
    if isinstance(container, Items) and isinstance(key, int) and key < len(container.places):
        return container.places[key]
    return None


def replaced_by(container: Any, key: str) -> tuple[Past, ...]:
    """What a value of a map was laid over, the strongest first."""
    return container.replaced.get(key, ()) if isinstance(container, Table) else ()


def is_whole(written: Any) -> bool:
    """Whether what is written for a step says what it is, so that it is no patch of one."""
    return isinstance(written, str | list) or (isinstance(written, dict) and not {"block", "body"}.isdisjoint(written))


def is_laid_over(written: Any) -> bool:
    """Whether what is written was laid over another map: what that says stands before it, or in another text."""
    begins, places = place_of(written), written.key_places.values() if isinstance(written, Table) else ()
    return begins is not None and any(at and (at.source != begins.source or at[1:] < begins[1:]) for at in places)


def first_place(table: Any) -> Place | None:
    """Where a map begins; one that is laid over another one of the same text, where that begins."""
    place = place_of(table)
    if place is None or not isinstance(table, Table):
        return place
    others = (each for each in table.key_places.values() if each is not None and each.source == place.source)
    return min((each for each in others if each.line < place.line), key=lambda each: each[1:], default=place)


def texts_in(value: Any) -> set[str]:
    """The texts that are values in a map or a list, inner ones too."""
    texts: set[str] = set()
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, dict | list):
            left += each.values() if isinstance(each, dict) else each
        elif isinstance(each, str):
            texts.add(each)
    return texts


def keys_in(value: Any) -> set[str]:
    """The keys of a map, or of the maps in a list, those of inner ones too."""
    left, keys = [value], set[str]()
    while left:
        each = left.pop()
        if isinstance(each, dict | list):
            left += each.values() if isinstance(each, dict) else each
            keys |= each.keys() if isinstance(each, dict) else set()
    return keys


def place_of(container: Any) -> Place | None:
    """Where a map or a list begins, if it was read from a text."""
    return container.place if isinstance(container, Table | Items) else None
