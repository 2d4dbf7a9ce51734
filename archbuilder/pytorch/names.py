"""Names in emitted source: unique, valid, and never those of something else."""

from __future__ import annotations

import keyword
import re
from typing import Final

from archbuilder.graph.helpers import HELPERS

RESERVED: Final = frozenset(  # a table reads better than a list of quoted words
    """
    False NamedTuple None OrderedDict StreamSequential Tensor True annotations
    bool callable dict enumerate float functional getattr int
    isinstance list math nn range round_to self str sum_of super torch tuple zip
    """.split()  # noqa: SIM905
).union(HELPERS)
"""What the emitted source uses itself."""

BUILTINS: Final = frozenset(
    """
    abs aiter all anext any ascii bin breakpoint bytearray bytes chr classmethod compile complex delattr dir divmod
    eval exec filter format frozenset globals hash help hex id input issubclass iter len locals map max
    memoryview min next object oct open ord pow print property repr reversed round set setattr slice sorted staticmethod
    sum type vars
    """.split()  # noqa: SIM905
)
"""What Python calls its own, beside that: an argument or a variable of such a name would mislead."""


def camel_case(name: str) -> str:
    """A class's name: `squeeze_excite` becomes SqueezeExcite. Letters, digits and underscores of ASCII only."""
    words = [word for word in re.split(r"[^A-Za-z0-9]+", name) if word]
    joined = "".join(word[:1].upper() + word[1:] for word in words)
    return f"Net{joined}" if joined[:1].isdigit() else joined


def counted(counts: tuple[int | str, ...], every: list[tuple[int | str, ...]]) -> str:
    """What tells a block's class from its others by how often its loops run: `Of3`, or `Of2By3` where it takes several.
    Empty where there is nothing to tell, or nothing is counted."""
    common = range(min(len(each) for each in every))
    different = [at for at in common if len({each[at] for each in every}) > 1]
    telling = [at for at in different if len({each[at] for each in every}) == len(every)][:1] or different
    found = [counts[at] for at in telling]
    return f"Of{'By'.join(map(str, found))}" if found and all(type(count) is int for count in found) else ""


def argument_name(wanted: str) -> str:
    """The name of a constructor's argument: nothing that a constructor's text uses itself. Names of classes begin with a
    capital, `_` counts in loops, and Python changes names that begin with two underscores."""
    name = wanted.lstrip("_")
    if not name.isidentifier():
        name = f"value{wanted}"
    hides = name in RESERVED | BUILTINS or keyword.iskeyword(name) or name[0].isupper()
    return f"{name}_" if hides else name


class ClassNames:
    """Gives each class a name of its own: a valid identifier, unique, never one that the source uses itself."""

    def __init__(self, taken: frozenset[str] = frozenset()) -> None:
        # module, path and reset are variables of the root's methods
        self.taken: set[str] = {*RESERVED, *taken, "module", "path", "reset"}

    def take(self, wanted: str) -> str:
        """`wanted`, or with a number behind it where that is taken, apart from a number that it ends in."""
        base = wanted if wanted.isidentifier() and wanted.isascii() and not keyword.iskeyword(wanted) else "Network"
        base = base[:80]
        if base not in self.taken and base.lower() in map(str.lower, self.taken):
            base = f"{base}Block"  # as Res2Net, the network, and Res2net, its block
        name, number = base, 2
        while name in self.taken:
            name, number = f"{base}{'_' if base[-1].isdigit() else ''}{number}", number + 1
        self.taken.add(name)
        return name


class Locals:
    """The names of local variables in a `forward`: each value has one, no two values share one, and none hides anything."""

    def __init__(self, taken: set[str]) -> None:
        self.taken = taken | RESERVED | BUILTINS

    def take(self, wanted: str) -> str:
        """`wanted`, or with an underscore behind it where that is taken."""
        wanted = wanted.lstrip("_") or "value"  # Python changes names in classes that begin with two
        name = wanted if wanted.isidentifier() and not keyword.iskeyword(wanted) else f"value_{wanted}"
        while name in self.taken or (name[0].isupper() and not name.endswith("_")):  # capitals begin names of classes
            name += "_"
        self.taken.add(name)
        return name
