"""One line of a YOLO label file: a class and a box, a polygon, a rotated box or a pose."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.importers.building._text import number

__all__ = ["LineReader"]

_BOX = 4
_FEWEST_OF_POLYGON = 6
_LARGEST_FRACTION = 2.0  # beyond, numbers are pixels; between 1 and this, a box that reaches out of its image
_VISIBILITIES = frozenset({0.0, 1.0, 2.0})
_KEYPOINT = 3

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReader:
    """Reads lines of label files.

    Parameters
    ----------
    class_of : dict of int to int
        Class of each number that has a name.
    keypoints : tuple of int, optional
        Keypoints of an object and numbers of each, where the dataset's YAML has them.
    has_yaml : bool
        Whether there is a YAML that would say so.
    """

    class_of: dict[int, int]
    keypoints: tuple[int, int] | None = None
    has_yaml: bool = True

    def read(self, line: str) -> tuple[int, Box]:
        """Return the class, and left, top, width, height in fractions of the image's sides.

        Raises
        ------
        ValueError
            If the line is something else; the message says what.
        """
        label, *values = (number(word) for word in line.split())
        return self._class(label), self._box(values)

    def _class(self, label: float) -> int:
        if label in self.class_of:
            return self.class_of[int(label)]
        if label != int(label) if abs(label) < 1e9 else True:  # inf and NaN are no whole numbers either
            raise ValueError(f"class {label:g} is not valid. Expected an integer")
        last = max(self.class_of, default=-1)
        expected = f"Expected 0 to {last}" if not 0 <= label <= last else "This number has no name"
        raise ValueError(f"class {label:g} is not valid. {expected}")

    def _box(self, values: list[float]) -> Box:
        if self.keypoints is not None:
            return _box(self._without_keypoints(values, *self.keypoints))
        if len(values) == _BOX:
            return _box(values)
        if len(values) < _FEWEST_OF_POLYGON or len(values) % 2:
            raise ValueError(
                f"the line has {len(values) + 1} numbers. Expected class, x, y, width, height, or class and a polygon"
                f"{self._hint_of_pose(values)}"
            )
        if not self.has_yaml and _looks_like_pose(values):
            raise ValueError(
                f"the line has {len(values) + 1} numbers, which look like a box and "
                f"keypoints{self._hint_of_pose(values)}"
            )
        _check_fractions(values)
        xs, ys = values[::2], values[1::2]
        return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)

    def _without_keypoints(self, values: list[float], count: int, size: int) -> list[float]:
        if len(values) not in (_BOX, _BOX + count * size):
            raise ValueError(
                f"the line has {len(values) + 1} numbers. "
                f"Expected {1 + _BOX + count * size}: class, box and {count} keypoints of "
                f"{size} numbers, according to kpt_shape"
            )
        return values[:_BOX]

    def _hint_of_pose(self, values: list[float]) -> str:
        return ". Poses need a YAML file with kpt_shape" if _looks_like_pose(values) else ""


def _box(values: list[float]) -> Box:
    x, y, width, height = values
    _check_fractions(values)
    return x - width / 2, y - height / 2, width, height


def _check_fractions(values: list[float]) -> None:
    wrong = next((value for value in values if abs(value) > _LARGEST_FRACTION), None)
    if wrong is not None:
        raise ValueError(f"{wrong:g} is not a fraction of the image's sides. Expected 0 to 1")


def _looks_like_pose(values: list[float]) -> bool:
    """Return whether all after a box are keypoints with a visibility of 0, 1 or 2."""
    rest = values[_BOX:]
    return len(rest) >= _KEYPOINT and len(rest) % _KEYPOINT == 0 and set(rest[2::_KEYPOINT]) <= _VISIBILITIES
