"""One line of a YOLO label file: a class and a box, a polygon, a rotated box or a pose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from penstock.importers.building._text import number

__all__ = ["TASKS", "LabelLine", "LineReader", "Task", "has_scores", "task_of"]

Task = Literal["detect", "segment", "pose", "obb", "classify"]
TASKS: tuple[Task, ...] = ("detect", "segment", "pose", "obb", "classify")
_BOX = 4
_ROTATED = 8  # numbers: four corners
_FEWEST_OF_POLYGON = 6
_LARGEST_FRACTION = 2.0  # beyond, numbers are pixels; between 1 and this, a box that reaches out of its image
_VISIBILITIES = frozenset({0.0, 1.0, 2.0})
_KEYPOINT = 3

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelLine:
    """What a line of a label file says.

    Parameters
    ----------
    label : int
        The class.
    box : tuple of float
        Left, top, width, height in fractions of the image's sides.
    values : tuple of float
        All numbers after that of the class.
    num_points : int
        Corners of the polygon; 0 where the line has a box.
    num_keypoints : int
        Keypoints after the box.
    keypoint_size : int
        Numbers of each keypoint.
    score : float, optional
        The last number, where lines have scores.
    """

    label: int
    box: Box
    values: tuple[float, ...]
    num_points: int = 0
    num_keypoints: int = 0
    keypoint_size: int = _KEYPOINT
    score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReader:
    """Reads lines of label files.

    Parameters
    ----------
    class_of : dict of int to int
        Class of each number that has a name.
    keypoints : tuple of int, optional
        Keypoints of an object and numbers of each, where the dataset's YAML has them.
    may_be_pose : bool
        Whether a line may look like a pose and be something else.
    scores : bool
        Whether a line may end with a score.
    """

    class_of: dict[int, int]
    keypoints: tuple[int, int] | None = None
    may_be_pose: bool = True
    scores: bool = False

    def read(self, line: str) -> LabelLine:
        """Return what a line says.

        Raises
        ------
        ValueError
            If the line is something else; the message says what.
        """
        first, *rest = line.split()
        label = self._class(number(first))
        values = [number(word) for word in rest]
        return self._posed(label, values) if self.keypoints is not None else self._outlined(label, values)

    def _class(self, label: float) -> int:
        if label in self.class_of:
            return self.class_of[int(label)]
        if label != int(label) if abs(label) < 1e9 else True:  # inf and NaN are no whole numbers either
            raise ValueError(f"class {label:g} is not valid. Expected an integer")
        last = max(self.class_of, default=-1)
        expected = f"Expected 0 to {last}" if not 0 <= label <= last else "This number has no name"
        raise ValueError(f"class {label:g} is not valid. {expected}")

    def _outlined(self, label: int, values: list[float]) -> LabelLine:
        """Return a box or a polygon."""
        count = len(values)
        self._check_is_no_pose(values)
        is_scored = self.scores and count > _BOX and count % 2 == 1
        placed = values[:-1] if is_scored else values
        score = _score(values[-1]) if is_scored else None
        if len(placed) == _BOX:
            return LabelLine(label=label, box=_box(placed), values=tuple(values), score=score)
        if len(placed) < _FEWEST_OF_POLYGON or len(placed) % 2:
            raise ValueError(
                f"the line has {count + 1} numbers. Expected class, x, y, width, height, or class and a polygon"
                f"{self._hint_of_pose(values)}"
            )
        _check_fractions(placed)
        xs, ys = placed[::2], placed[1::2]
        box = min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)
        return LabelLine(label=label, box=box, values=tuple(values), num_points=len(xs), score=score)

    def _check_is_no_pose(self, values: list[float]) -> None:
        if not self.may_be_pose and len(values) > _BOX and _looks_like_pose(values):
            raise ValueError(
                f"the line has {len(values) + 1} numbers, which look like a box and "
                f"keypoints{self._hint_of_pose(values)}"
            )

    def _posed(self, label: int, values: list[float]) -> LabelLine:
        """Return a box, with its keypoints if it has some."""
        count, size = self.keypoints or (0, 0)
        whole = _BOX + count * size
        if len(values) not in (_BOX, _BOX + 1, whole, whole + 1):
            raise ValueError(
                f"the line has {len(values) + 1} numbers. "
                f"Expected {1 + whole}: class, box and {count} keypoints of "
                f"{size} numbers, according to kpt_shape"
            )
        points = values[_BOX:whole]
        _check_fractions([value for at, value in enumerate(points) if at % size < 2])
        _check_visibilities(points[2::size] if size == _KEYPOINT else [])
        is_scored = len(values) in (_BOX + 1, whole + 1)
        return LabelLine(
            label=label,
            box=_box(values[:_BOX]),
            values=tuple(values),
            num_keypoints=count if len(values) >= whole else 0,
            keypoint_size=size,
            score=_score(values[-1]) if is_scored else None,
        )

    def _hint_of_pose(self, values: list[float]) -> str:
        return ". Poses need a YAML file with kpt_shape" if _looks_like_pose(values) else ""


def task_of(counts: Iterable[int]) -> tuple[Task, bool]:
    """Return the task of label lines without keypoints, and whether they may as well be of another.

    Parameters
    ----------
    counts : iterable of int
        Numbers after that of the class, of each line; None of them a score.

    Examples
    --------
    >>> task_of([4, 4]), task_of([12, 8]), task_of([8, 8])
    (('detect', False), ('segment', False), ('obb', True))
    """
    found = set(counts)
    if found == {_ROTATED}:
        return "obb", True
    return ("segment" if any(count >= _FEWEST_OF_POLYGON for count in found) else "detect"), False


def has_scores(counts: Counter[int]) -> bool:
    """Return whether lines end with a score: boxes alone, of which some have five numbers, or only odd numbers.

    Examples
    --------
    >>> has_scores(Counter({4: 2, 5: 1})), has_scores(Counter({7: 2, 9: 1})), has_scores(Counter({6: 9, 7: 1}))
    (True, True, False)
    """
    placed = {count for count in counts if count >= _BOX}
    return bool(placed) and (placed <= {_BOX, _BOX + 1} or all(count % 2 for count in placed))


def _score(value: float) -> float:
    if not 0 <= value <= 1:
        raise ValueError(f"the score {value:g} is not valid. Expected 0 to 1")
    return value


def _box(values: list[float]) -> Box:
    x, y, width, height = values
    _check_fractions(values)
    return x - width / 2, y - height / 2, width, height


def _check_fractions(values: list[float]) -> None:
    wrong = next((value for value in values if not abs(value) <= _LARGEST_FRACTION), None)
    if wrong is not None and wrong == wrong:  # noqa: PLR0124  NaN is not the same as itself
        raise ValueError(f"{wrong:g} is not a fraction of the image's sides. Expected 0 to 1")
    if wrong is not None:
        raise ValueError(f"{wrong:g} is not a finite number")


def _check_visibilities(values: list[float]) -> None:
    wrong = next((value for value in values if not abs(value) < float("inf")), None)
    if wrong is not None:
        raise ValueError(f"the visibility {wrong:g} of a keypoint is not valid. Expected 0, 1 or 2")


def _looks_like_pose(values: list[float]) -> bool:
    """Return whether all after a box are keypoints with a visibility of 0, 1 or 2."""
    rest = values[_BOX:]
    return len(rest) >= _KEYPOINT and len(rest) % _KEYPOINT == 0 and set(rest[2::_KEYPOINT]) <= _VISIBILITIES
