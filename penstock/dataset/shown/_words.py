"""The difference between two states of a sample, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Annotations", "Difference", "equal", "value_words", "words_of_difference"]

Difference = dict[str, str]
_SAME = 0.01  # pixels
_NEAR = 0.05  # intersection over union: still the same object, moved or resized
_SHORT = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotations:
    """Labels and boxes of a sample.

    Parameters
    ----------
    labels : list of int
        Class indices.
    boxes : ndarray of float64, shape (num_boxes, 4)
        x, y, width, height in pixels.
    """

    labels: list[int]
    boxes: NDArray[np.float64]

    @property
    def paired(self) -> bool:
        """Whether each label has a box."""
        return len(self.labels) == len(self.boxes)


def words_of_difference(
    before: Annotations, after: Annotations, names: Sequence[str], *, paired: bool
) -> list[Difference]:
    """Return how labels and boxes differ, each part with its sign: ``-`` removed, ``+`` added, or none.

    What the parts come to has the sign ``=``: the number of boxes before and after is no edit of its own.

    Parameters
    ----------
    before, after : Annotations
        The sample as committed and as it is now.
    names : sequence of str
        Class names.
    paired : bool
        Whether labels and boxes describe the same objects.

    Examples
    --------
    >>> def sample(labels, *boxes):
    ...     return Annotations(labels=labels, boxes=np.array(boxes, float).reshape(-1, 4))
    >>> words_of_difference(sample([0], [5, 5, 9, 9]), sample([1], [1, 5, 9, 9]), ["Ring", "Cross"], paired=True)
    [{'sign': '-', 'text': 'Ring'}, {'sign': '+', 'text': 'Cross'}, {'sign': '', 'text': 'box 1 moved 4 px left'}]
    """
    if not (paired and before.paired and after.paired):
        loose = _matched_boxes(before.boxes, after.boxes)
        return [*_label_words(before.labels, after.labels, names), *_box_words(before, after, loose)]
    pairs = _matched(before, after)
    gone = [before.labels[i] for i, j in pairs if j is None and i is not None]
    fresh = [(after.labels[j], j) for i, j in pairs if i is None and j is not None]
    changed = [(before.labels[i], after.labels[j]) for i, j in pairs if i is not None and j is not None]
    removed = Counter([*gone, *(one for one, other in changed if one != other)])
    added = Counter([other for one, other in changed if one != other])
    words = [*_signed("-", removed, names), *_signed("+", added, names)]
    words += [_said("+", f"{_name(label, names)}, box {_size(after.boxes[j])}") for label, j in fresh]
    return [*words, *_box_words(before, after, pairs)]


def _matched_boxes(before: NDArray[np.float64], after: NDArray[np.float64]) -> list[tuple[int | None, int | None]]:
    """Match boxes that belong to no labels."""
    none = Annotations(labels=[0] * len(before), boxes=before), Annotations(labels=[0] * len(after), boxes=after)
    return _matched(*none)


def _label_words(before: list[int], after: list[int], names: Sequence[str]) -> list[Difference]:
    then, now = Counter(before), Counter(after)
    return [*_signed("-", then - now, names), *_signed("+", now - then, names)]


def _signed(sign: str, labels: Counter[int], names: Sequence[str]) -> Iterator[Difference]:
    for label, count in labels.items():
        yield _said(sign, f"{_name(label, names)}{f' ×{count}' if count > 1 else ''}")


def _box_words(
    before: Annotations, after: Annotations, pairs: Sequence[tuple[int | None, int | None]]
) -> Iterator[Difference]:
    for i, j in sorted((pair for pair in pairs if None not in pair), key=lambda pair: pair[1] or 0):
        if i is not None and j is not None:
            moved = _moved(before.boxes[i], after.boxes[j])
            if moved:
                yield _said("", f"box {j + 1} {moved}")
    one, other = len(before.boxes), len(after.boxes)
    if one != other:
        yield _said("=", f"{one:,} → {other:,} {'box' if other == 1 else 'boxes'}")


def _moved(before: NDArray[np.float64], after: NDArray[np.float64]) -> str:
    if np.abs(after - before).max() < _SAME:
        return ""
    if np.abs(after[2:] - before[2:]).max() >= _SAME:
        one, other = _size(before), _size(after)
        return f"resized {one} → {other}" if one != other else "resized by less than 1 px"
    steps = [
        f"{_pixels(abs(way))} px {words[int(way > 0)]}"
        for way, words in zip((after - before)[:2], (("left", "right"), ("up", "down")), strict=True)
        if round(abs(way)) >= 1
    ]
    return f"moved {', '.join(steps)}" if steps else "moved by less than 1 px"


def _matched(before: Annotations, after: Annotations) -> list[tuple[int | None, int | None]]:
    """Return which object became which: those that are equal, then in the same place, then the nearest of a class."""
    left, free = list(range(len(before.boxes))), list(range(len(after.boxes)))
    pairs: list[tuple[int | None, int | None]] = []

    def take(key_before: list[Any], key_after: list[Any]) -> None:
        waiting: dict[Any, list[int]] = {}
        for i in left:
            waiting.setdefault(key_before[i], []).append(i)
        for j in list(free):
            if waiting.get(key_after[j]):
                i = waiting[key_after[j]].pop(0)
                pairs.append((i, j))
                left.remove(i)
                free.remove(j)

    places = [[tuple(box) for box in np.round(side.boxes, 2).tolist()] for side in (before, after)]
    take(list(zip(before.labels, places[0], strict=True)), list(zip(after.labels, places[1], strict=True)))
    take(places[0], places[1])
    for same_class in (True, False):
        for j in list(free):
            near = [i for i in left if not same_class or before.labels[i] == after.labels[j]]
            best = max(near, key=lambda i: _overlap(before.boxes[i], after.boxes[j]), default=None)
            if best is not None and _overlap(before.boxes[best], after.boxes[j]) > _NEAR:
                pairs.append((best, j))
                left.remove(best)
                free.remove(j)
    return [*pairs, *((i, None) for i in left), *((None, j) for j in free)]


def _overlap(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[:2] + one[2:], other[:2] + other[2:])
    shared = float(np.prod(np.clip(high - low, 0, None)))
    whole = float(one[2] * one[3] + other[2] * other[3]) - shared
    return shared / whole if whole > 0 else 0.0


def equal(one: Any, other: Any) -> bool:
    """Tell whether two samples are the same, NaN being equal to itself."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f" and other.dtype.kind == "f"))
    return type(one) is type(other) and bool(one == other)


def value_words(name: str, htype: str, before: Any, after: Any) -> list[Difference]:
    """Return how a value of another tensor differs, in a few words; nothing where it does not.

    Examples
    --------
    >>> value_words("age", "generic", np.array(3), np.array(4))
    [{'sign': '', 'text': 'age 3 → 4'}]
    >>> value_words("view", "text", "left", "a long note about what is in the picture")
    [{'sign': '', 'text': 'view changed'}]
    """
    if equal(before, after):
        return []
    one, other = _short(before, htype), _short(after, htype)
    return [_said("", f"{name} changed" if one is None or other is None else f"{name} {one} → {other}")]


def _short(value: Any, htype: str) -> str | None:
    if value is None:
        return "empty"
    if htype == "text":
        return value if isinstance(value, str) and len(value) <= _SHORT and "\n" not in value else None
    if isinstance(value, np.ndarray) and value.size == 1:
        return f"{value.reshape(-1)[0]:.6g}" if value.dtype.kind == "f" else str(value.reshape(-1)[0])
    return None


def _name(label: int, names: Sequence[str]) -> str:
    return names[label] if 0 <= label < len(names) else str(label)


def _size(box: NDArray[np.float64]) -> str:
    return f"{_pixels(box[2])} × {_pixels(box[3])}"


def _pixels(length: float) -> str:
    return f"{round(float(length)):,}"


def _said(sign: str, text: str) -> Difference:
    return {"sign": sign, "text": text}
