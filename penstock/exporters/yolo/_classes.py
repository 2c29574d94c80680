"""Class numbers of YOLO label files for the current classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["ClassNumbers"]


class ClassNumbers:
    """The number that is written for each class: that of the source, without gaps where classes are gone.

    Parameters
    ----------
    class_names : sequence of str
        The classes now, by index.
    origins : sequence of str or None
        The name that each class had in the source; None for a class that is new.
    known : mapping of str to sequence of int
        Numbers that the source's classes have, by name, the one that is written first.

    Examples
    --------
    >>> known = {"cat": [0], "dog": [1], "fox": [2]}
    >>> found = ClassNumbers(["cat", "wolf", "owl"], ["cat", "fox", None], known)
    >>> found.numbers, found.names
    ([0, 1, 2], {0: 'cat', 1: 'wolf', 2: 'owl'})
    """

    def __init__(
        self, class_names: Sequence[str], origins: Sequence[str | None], known: Mapping[str, Sequence[int]]
    ) -> None:
        kept = {origin for origin in origins if origin is not None}
        gone = sorted(number for name, numbers in known.items() if name not in kept for number in numbers)
        self.gone = [name for name in known if name not in kept]
        self.numbers: list[int] = []
        self.same: list[frozenset[int]] = []
        self.names: dict[int, str] = {}
        self.moved: list[str] = []
        following = 1 + max((number for numbers in known.values() for number in numbers), default=-1) - len(gone)
        for name, origin in zip(class_names, origins, strict=True):
            own = list(known.get(origin, ())) if origin is not None else []
            shifted = [number - sum(other < number for other in gone) for number in own]
            if not shifted:
                shifted = [following]
                following += 1
            elif own != shifted:
                self.moved.append(name)
            self.numbers.append(shifted[0])
            self.same.append(frozenset(shifted) if own == shifted else frozenset())
            self.names |= dict.fromkeys(shifted, name)
        self.names = dict(sorted(self.names.items()))
