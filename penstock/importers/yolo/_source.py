"""The content of label files other than boxes and classes, kept so that it can be written again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.formats._yolo import (
    digest_of,
    keypoint_values,
    line_text,
    point_fractions,
    points_in_pixels,
    rewritten,
    shortest_boxes,
    style_of,
)
from penstock.importers.boxes._frames import Frame
from penstock.importers.boxes._source import Field
from penstock.importers.yolo._files import ReadFile
from penstock.importers.yolo._lines import LabelLine
from penstock.tensors import decimals

__all__ = ["YoloSource"]

_NUM_STYLED = 1000  # lines that show the style of all
_VISIBLE = 2.0
_BOX = 4


class YoloSource:
    """Images and objects of a folder of label files, by their places in it.

    Parameters
    ----------
    files : sequence of ReadFile
        Label files, one for each image.
    names : sequence of str
        Path of each image in the folder.
    info : mapping
        What is noted of the folder.
    numbers : mapping of int to int
        Number in the label files that is written for each class.
    same : mapping of int to set of int
        All numbers of each class.
    """

    def __init__(
        self,
        files: Sequence[ReadFile],
        names: Sequence[str],
        *,
        info: Mapping[str, Any],
        numbers: Mapping[int, int],
        same: Mapping[int, set[int]],
    ) -> None:
        self._files = files
        self._names = names
        self._lines = [line for file in files for line in file.lines]
        self._image_of = np.repeat(np.arange(len(files)), [len(file.lines) for file in files])
        self._ends_file = np.array([at + 1 == len(file.lines) for file in files for at in range(len(file.lines))], bool)
        self._style = style_of(
            [(text, end) for text, end, _ in self._lines[:_NUM_STYLED]],
            [file.lines[-1][1] for file in files[:_NUM_STYLED] if file.lines],
        )
        self._info = info
        self._numbers = numbers
        self._same = same
        self._frames: dict[int, tuple[Frame, bool]] = {}
        self._notes: dict[int, dict[str, Any]] = {}

    def see(self, image: int, frame: Frame, *, is_stored: bool) -> None:
        """Take the size of an image, and whether its label file refers to the stored pixels."""
        self._frames[image] = frame, is_stored

    @property
    def image_fields(self) -> Mapping[str, Field]:
        """Paths of images, and label files that are missing or unusual."""
        found = {"file": Field(htype="text", blank="")}
        if any(self._label_file(image) for image in range(len(self._files))):
            found["label_file"] = Field(htype="json")
        return found

    def object_fields(self, objects: NDArray[np.int64], boxes_xywh: NDArray[np.float32]) -> Mapping[str, Field]:
        """Return polygons, keypoints, scores, and lines that are written in another way than an export does."""
        lines = [self._lines[at][2] for at in objects.tolist()]
        found = {}
        if any(line.num_points for line in lines):
            found["segmentation"] = _json()
        if any(line.num_keypoints for line in lines):
            found["keypoints"] = _json()
        if any(line.score is not None for line in lines):
            options = {"dtype": "float64", "aligned_with": "boxes"}
            found["score"] = Field(htype="generic", options=options, blank=np.nan)
        self._notes = dict(self._noted(objects, boxes_xywh))
        if self._notes:
            found["as_written"] = _json()
        return found

    @property
    def info(self) -> Mapping[str, Any]:
        """What is noted of the folder, and the style of its lines."""
        (file,) = self._info["files"]
        return {**self._info, "files": [{**file, "style": self._style.as_json()}]}

    def of_image(self, image: int) -> Mapping[str, Any]:
        """Return the fields of an image."""
        return {"file": self._names[image], "label_file": self._label_file(image)}

    def of_objects(
        self, objects: NDArray[np.int64], boxes_xywh: NDArray[np.float32]
    ) -> Mapping[str, Sequence[Any] | NDArray[Any]]:
        """Return the fields of some objects of one image; their boxes were seen by `object_fields`."""
        del boxes_xywh
        places = objects.tolist()
        lines = [self._lines[at][2] for at in places]
        frame = self._frame(places[0]) if places else None
        return {
            "segmentation": [self._segmentation(line, frame) for line in lines],
            "keypoints": [self._keypoints(line, frame) for line in lines],
            "score": np.array([np.nan if line.score is None else line.score for line in lines], np.float64),
            "as_written": [self._notes.get(at) for at in places],
        }

    def _label_file(self, image: int) -> dict[str, Any] | None:
        """Return what is unusual about a label file: that it is missing, or what it has before its first line."""
        start = self._files[image].start
        if start is None:
            return {"missing": True}
        return {"start": start} if start else None

    def _frame(self, place: int) -> tuple[Frame, bool]:
        return self._frames.get(int(self._image_of[place]), (Frame(1, 1), False))

    def _segmentation(self, line: LabelLine, frame: tuple[Frame, bool] | None) -> list[list[float]] | None:
        if not line.num_points or frame is None:
            return None
        points = np.array(line.values[: 2 * line.num_points], np.float64).reshape(-1, 2)
        return [points_in_pixels(_in_pixels(points, *frame))]

    def _keypoints(self, line: LabelLine, frame: tuple[Frame, bool] | None) -> list[float] | None:
        if not line.num_keypoints or frame is None:
            return None
        end = _BOX + line.num_keypoints * line.keypoint_size
        given = np.array(line.values[_BOX:end], np.float64).reshape(line.num_keypoints, -1)
        is_there = np.where((given[:, :2] < 0).any(axis=1), 0.0, _VISIBLE)
        visible = given[:, 2] if given.shape[1] > 2 else is_there  # of two numbers, negative ones say it is not there
        return points_in_pixels(np.concatenate([_in_pixels(given[:, :2], *frame), visible[:, None]], axis=1))

    def _noted(
        self, objects: NDArray[np.int64], boxes_xywh: NDArray[np.float32]
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the objects whose lines an export would write in another way, with their lines."""
        boxes = decimals(boxes_xywh).tolist()
        starts = np.flatnonzero(np.diff(self._image_of[objects], prepend=-1))
        for start, end in pairwise([*starts.tolist(), len(objects)]):
            frame = self._frame(int(objects[start]))
            fractions = shortest_boxes(boxes_xywh[start:end], frame[0].size).tolist()
            for at in range(start, end):
                place = int(objects[at])
                note = self._note(place, boxes[at], fractions[at - start], frame)
                if note:
                    yield place, note

    def _note(self, place: int, box: list[float], fractions: list[float], frame: tuple[Frame, bool]) -> dict[str, Any]:
        text, end, line = self._lines[place]
        segmentation, keypoints = self._segmentation(line, frame), self._keypoints(line, frame)
        values = _values(line, fractions, segmentation, keypoints, frame[0])
        number, style = self._numbers[line.label], self._style
        note: dict[str, Any] = {}
        is_other = self._info["task"] != "detect" and not line.num_points and not line.num_keypoints
        if is_other or text != line_text(number, values, style.digits):  # a box among polygons or poses stays one
            is_same = rewritten(text, number, self._same[line.label], values) == text
            note["line"] = [text, None if is_same else digest_of(box, segmentation, keypoints, line.score)]
        if end != (style.newline if style.ends_last or not self._ends_file[place] else ""):
            note["end"] = end
        return note


def _values(
    line: LabelLine,
    fractions: list[float],
    segmentation: list[list[float]] | None,
    keypoints: list[float] | None,
    frame: Frame,
) -> list[float]:
    """Return the numbers that an export writes for what the tensors hold of a line."""
    if segmentation is not None:
        values = point_fractions(np.array(segmentation[0]), frame.size).ravel().tolist()
    else:
        values = [*fractions]
    if keypoints is not None:
        values += keypoint_values(keypoints, frame.size, line.keypoint_size)
    return [*values, *([] if line.score is None else [line.score])]


def _in_pixels(points: NDArray[np.float64], frame: Frame, is_stored: bool) -> NDArray[np.float64]:
    """Return points in pixels of the upright image."""
    if not is_stored:
        return points * np.array(frame.size, np.float64)
    pixels = points * np.array(frame.stored_size, np.float64)
    return frame.upright(np.concatenate([pixels, np.zeros_like(pixels)], axis=1))[:, :2]


def _json() -> Field:
    return Field(htype="json", options={"aligned_with": "boxes"})
