"""The lines of the label file of a sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.exporters._issues import Issues
from penstock.exporters._rows import ExportedRows
from penstock.exporters.yolo._classes import ClassNumbers
from penstock.exporters.yolo._outlines import joined, mask_outlines, polygons_of, rectangle
from penstock.formats._yolo import (
    Style,
    as_written,
    digest_of,
    keypoint_values,
    line_text,
    point_fractions,
    rewritten,
    shortest_boxes,
)
from penstock.tensors import boxes_xywh, clip_boxes, decimals

__all__ = ["OBJECTS", "LabelLines"]

OBJECTS = ("iscrowd", "segmentation", "keypoints", "score", "as_written")
_BOX_WORDS = (5, 6)  # of a line with a box: class, box, and perhaps a score
_ROTATED = 4  # corners
_SLACK = 0.01  # of an image's side, that points may be outside of it: what Ultralytics accepts
_KEYPOINT = 3
_FULLY_VISIBLE = 2
_VISIBLE_CHANGE = 0.01  # pixels
_ROUNDINGS = 2  # of float32: a box up to the edge of its image, rounded, may seem to reach out of it
_FIT = 2.0  # pixels between a box and the polygon that it is around, where the source has both


@dataclass(frozen=True, slots=True, kw_only=True)
class _Object:
    """One object: what its tensors hold, and what an import noted of it."""

    label: int
    size: tuple[int, int]
    box: list[float]
    inside: NDArray[np.float64]
    fractions: list[float]
    segmentation: Any
    keypoints: list[float] | None
    score: float | None
    note: Mapping[str, Any]


class LabelLines:
    """Writes the label files of samples.

    Parameters
    ----------
    rows : ExportedRows
        Samples of a dataset or view.
    classes : ClassNumbers
        Numbers of the classes.
    task : str
        What is written: "detect", "segment", "pose" or "obb".
    is_source_task : bool
        Whether the lines come from label files of the same task.
    style : Style
        How lines are written.
    keypoints : tuple of int
        Keypoints of an object and numbers of each.
    issues : Issues
        Takes what the lines cannot hold.
    """

    def __init__(
        self,
        rows: ExportedRows,
        *,
        classes: ClassNumbers,
        task: str,
        is_source_task: bool,
        style: Style,
        keypoints: tuple[int, int],
        issues: Issues,
    ) -> None:
        self._rows = rows
        self._classes = classes
        self._task = task
        self._is_source_task = is_source_task
        self._style = style
        self._keypoints = keypoints
        self._issues = issues
        self.num_objects = 0

    def text(self, sample: Mapping[str, Any], position: int, where: str) -> str | None:
        """Return the content of a label file; None where there is none.

        Parameters
        ----------
        sample : mapping
            The sample's values.
        position : int
            Of the sample among those exported.
        where : str
            The image's name, for the report.
        """
        kept = sample.get("label_file") or {}
        kept = kept if isinstance(kept, dict) else {}
        lines = [self._line(one, where) for one in self._objects(sample, position, where)]
        self.num_objects += len(lines)
        if not lines and kept.get("missing"):
            return None
        found = str(kept.get("start", ""))
        for at, (line, end) in enumerate(lines):
            is_last = at + 1 == len(lines)
            usual = self._style.newline if self._style.ends_last or not is_last else ""
            found += line + (usual if end is None or (not end and not is_last) else end)
        return found

    def _objects(self, sample: Mapping[str, Any], position: int, where: str) -> list[_Object]:
        boxes, labels = sample.get(self._rows.boxes or ""), sample.get(self._rows.labels or "")
        count = 0 if boxes is None else len(boxes)
        self._rows.check_count(position, count, str(self._rows.labels), [] if labels is None else labels)
        if boxes is None or labels is None or not count:
            return []
        fields = {}
        for name in OBJECTS:
            values = sample.get(name)
            self._rows.check_count(position, count, name, values)
            fields[name] = [None] * count if values is None else _listed(values)
        size = self._size(sample, position)
        if min(size) <= 0:
            for _ in range(count):
                self._issues.note("objects are left out because the size of their image is not known", where)
            return []
        corners = boxes_xywh(boxes, self._rows.table.tensors[str(self._rows.boxes)].coords).astype(np.float32)
        exact = decimals(corners)
        inside = clip_boxes(exact, np.tile(np.array(size, np.float64), (count, 1)))
        kept = self._kept(corners, inside, fields["iscrowd"], where)
        reaches_out = (np.abs(inside - exact) > _ROUNDINGS * np.spacing(np.float32(max(size)))).any(axis=1)
        clipped = np.where(reaches_out[:, None], inside.astype(np.float32), corners)
        fractions = shortest_boxes(clipped, size).tolist()
        return [
            _Object(
                label=int(labels[at]),
                size=size,
                box=exact[at].tolist(),
                inside=inside[at],
                fractions=fractions[at],
                segmentation=fields["segmentation"][at],
                keypoints=fields["keypoints"][at],
                score=_score(fields["score"][at]),
                note=_mapping(fields["as_written"][at]) if self._is_source_task else {},
            )
            for at in kept
        ]

    def _kept(
        self, corners: NDArray[np.float32], inside: NDArray[np.float64], crowds: Sequence[Any], where: str
    ) -> list[int]:
        """Return the objects that are written."""
        found = []
        for at, (box, clipped) in enumerate(zip(corners, inside, strict=True)):
            if crowds[at]:
                self._issues.note("crowds are left out", where)
            elif not (clipped[2:] > 0).all():
                self._issues.note("objects are left out because their box is outside of the image", where)
            else:
                if (np.abs(clipped - box) > _VISIBLE_CHANGE).any():
                    self._issues.note("boxes that reach out of their image or have no area are clipped", where)
                found.append(at)
        return found

    def _size(self, sample: Mapping[str, Any], position: int) -> tuple[int, int]:
        """Return width and height: of the image, or as the source states them."""
        width, height = self._rows.size(position)
        stated = sample.get("image_attributes")
        if min(width, height) <= 0 and isinstance(stated, Mapping):
            sides = [stated.get(name) for name in ("width", "height")]
            width, height = (side if type(side) is int else -1 for side in sides)
        return width, height

    def _line(self, one: _Object, where: str) -> tuple[str, str | None]:
        """Return the line of an object, and what ends it; None for the usual end."""
        number, same = self._classes.numbers[one.label], self._classes.same[one.label]
        text, digest = _written(one.note)
        end = one.note.get("end")
        end = end if isinstance(end, str) and not end.strip() else None
        if (
            text is not None
            and digest is not None
            and digest == digest_of(one.box, one.segmentation, one.keypoints, one.score)
        ):
            kept = [float(word) for word in text.split()[1:]]
            return rewritten(text, number, same, kept) or text, end
        values = self._values(one, text, where)
        if text is not None:
            values = self._as_written(values, text, one)
        changed = None if text is None else rewritten(text, number, same, values, self._style.digits)
        return changed or line_text(number, values, self._style.digits), end

    def _as_written(self, values: list[float], text: str, one: _Object) -> list[float]:
        """Return the numbers of an edited line, those that mean the same pixels as they are written."""
        words = text.split()
        if len(words) != len(values) + 1:
            return values
        has_box = self._task in ("detect", "pose") or (len(words) in _BOX_WORDS and not polygons_of(one.segmentation))
        size = self._keypoints[1] if self._task == "pose" else None
        end = len(values) - (one.score is not None)
        written = [float(word) for word in words[1 : end + 1]]
        return as_written(values[:end], written, one.size, has_box=has_box, keypoint_size=size) + values[end:]

    def _values(self, one: _Object, text: str | None, where: str) -> list[float]:
        """Return the numbers of a line after that of the class."""
        had_box = text is not None and len(text.split()) in _BOX_WORDS
        if self._task == "pose":
            values = self._posed(one, where, had_box=had_box)
        elif self._task == "detect" or (had_box and not polygons_of(one.segmentation)):
            values = one.fractions
        else:
            values = self._outlined(one, where)
        return [*values, one.score] if one.score is not None and self._is_source_task else values

    def _posed(self, one: _Object, where: str, *, had_box: bool) -> list[float]:
        """Return a box and its keypoints."""
        count, num_values = self._keypoints
        points = list(one.keypoints or ())
        if not points and had_box:
            return one.fractions
        if len(points) != count * _KEYPOINT:
            what = "have another number of keypoints" if points else "have no keypoints"
            self._issues.note(f"objects {what}; those they lack are written as not visible", where)
            points = (points + [0] * (count * _KEYPOINT))[: count * _KEYPOINT]
        if num_values < _KEYPOINT and any(_is_lost(*points[at : at + _KEYPOINT]) for at in range(0, len(points), 3)):
            self._issues.note("the visibility of keypoints is left out, as in kpt_shape", where)
        return [*one.fractions, *keypoint_values(points, one.size, num_values)]

    def _outlined(self, one: _Object, where: str) -> list[float]:
        """Return the corners of a polygon or of a rotated box."""
        polygons = polygons_of(one.segmentation)
        if isinstance(one.segmentation, Mapping) and self._task == "segment":
            polygons = self._of_mask(one.segmentation, where)
        if self._task == "obb" and not (len(polygons) == 1 and len(polygons[0]) == _ROTATED):
            self._issues.note("objects without a polygon of four corners are written as upright boxes", where)
            polygons = []
        elif not polygons:
            self._issues.note("objects without a polygon are written as the rectangle of their box", where)
        if len(polygons) > 1:
            self._issues.note("objects of several polygons are written as one, joined by lines", where)
        if polygons:
            self._check_fit(one, polygons, where)
        points = joined(polygons) if polygons else rectangle(one.inside.tolist())
        values: list[float] = point_fractions(self._inside(points, one.size, where), one.size).ravel().tolist()
        return values

    def _of_mask(self, runs: Mapping[str, Any], where: str) -> list[NDArray[np.float64]]:
        outlines = mask_outlines(runs)
        if outlines is not None:
            self._issues.note("run-length masks are written as their outlines, without holes", where)
            return outlines
        self._issues.note("run-length masks cannot be read", where)
        return []

    def _check_fit(self, one: _Object, polygons: Sequence[NDArray[np.float64]], where: str) -> None:
        """Report a box that is not around its polygon: the polygon is what is written."""
        points = np.concatenate(polygons)
        around = np.concatenate([points.min(axis=0), points.max(axis=0) - points.min(axis=0)])
        around = clip_boxes(around[None], np.array([one.size], np.float64))[0]
        if (np.abs(around - one.inside) > (_VISIBLE_CHANGE if self._is_source_task else _FIT)).any():
            self._issues.note("boxes that are not around their polygon are not written, but their polygon is", where)

    def _inside(self, points: NDArray[np.float64], size: tuple[int, int], where: str) -> NDArray[np.float64]:
        """Return points that trainers accept: those far out of the image are moved to its edge."""
        sides = np.array(size, np.float64)
        if self._is_source_task or ((points >= -_SLACK * sides) & (points <= (1 + _SLACK) * sides)).all():
            return points
        self._issues.note("polygons that reach out of their image are clipped", where)
        return np.clip(points, 0, sides)


def _written(note: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the line that an import noted, and the digest of what stands for it."""
    line = note.get("line")
    if isinstance(line, list) and len(line) == 2 and isinstance(line[0], str) and line[0].split():
        return line[0], line[1] if isinstance(line[1], str) else None
    return None, None


def _is_lost(x: float, y: float, visibility: float) -> bool:
    """Return whether two numbers for a keypoint do not say how visible it is."""
    return visibility != (0 if x < 0 or y < 0 else _FULLY_VISIBLE)


def _score(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and value == value else None  # noqa: PLR0124  NaN


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _listed(values: Any) -> Sequence[Any]:
    listed: Sequence[Any] = values.tolist() if isinstance(values, np.ndarray) else values
    return listed
