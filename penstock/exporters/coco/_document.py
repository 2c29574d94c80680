"""One COCO file of some samples."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.exporters._rows import ExportedRows
from penstock.exporters.coco._classes import Categories
from penstock.exporters.coco._entries import annotation_entry, image_entry
from penstock.exporters.coco._ids import Ids
from penstock.exporters.coco._spool import Spool
from penstock.exporters.coco._texts import entries_of_list, entry_text
from penstock.tensors import boxes_xywh, decimals

__all__ = ["WRITTEN", "CocoDocument"]

_OBJECTS = ("iscrowd", "annotation_id", "area", "segmentation", "keypoints", "attributes", "as_written")
_IMAGES = ("file", "source_id", "image_attributes")
_TEXTS = ("segmentation",)
_PLACES = ("image_index", "annotation_index")
WRITTEN = frozenset({*_OBJECTS, *_IMAGES, *_PLACES, "subset"})
_HEADER: Mapping[str, Any] = {"info": {}, "licenses": [], "images": None, "annotations": None, "categories": None}
_VISIBLE = slice(2, None, 3)  # of keypoints: x, y, visibility


class CocoDocument:
    """The COCO file that samples come from, or a new one.

    Parameters
    ----------
    rows : ExportedRows
        Samples of a dataset or view.
    chosen : ndarray of int64
        Positions of the samples that go into this file.
    note : mapping
        What the import noted of the file; empty for a new one.
    categories : Categories
        Of the classes there are now.
    """

    def __init__(
        self, rows: ExportedRows, chosen: NDArray[np.int64], note: Mapping[str, Any], categories: Categories
    ) -> None:
        self._rows = rows
        self._chosen = chosen
        self._note = note
        self._categories = categories
        self._images = Spool()
        self._annotations = Spool()
        self.file_names = [""] * len(chosen)
        self._gather()

    @property
    def num_objects(self) -> int:
        """Annotations in the file."""
        return len(self._annotations)

    def _gather(self) -> None:
        """Read the samples in the order of the dataset, by which new ids are given, whatever their order here."""
        rows, note = self._rows, self._note
        names = [name for name in (rows.boxes, rows.labels) if name is not None]
        image_ids = Ids(_largest(rows, "source_id"), allows_zero=bool(note.get("has_image_0")))
        annotation_ids = Ids(_largest(rows, "annotation_id"), allows_zero=bool(note.get("has_annotation_0")))
        names += [*_OBJECTS, *_IMAGES, *_PLACES]
        positions = np.argsort(rows.rows[self._chosen], kind="stable")
        for start, samples in rows.chunks(rows.fields(names), self._chosen[positions], texts=_TEXTS):
            found = positions[start : start + len(next(iter(samples.values())))].tolist()
            boxes = self._boxes(samples)
            for at, position in enumerate(found):
                sample = {name: values[at] for name, values in samples.items()}
                image_id = self._add_image(sample, image_ids, position)
                self._add_annotations(sample, annotation_ids, image_id, position, boxes[at])

    def _boxes(self, samples: Mapping[str, Sequence[Any]]) -> list[list[list[float]]]:
        """Return the boxes of each sample: left, top, width, height; whole numbers without a point."""
        name = str(self._rows.boxes)
        boxes = [np.empty((0, 4), np.float32) if one is None else one for one in samples[name]]
        corners = decimals(boxes_xywh(np.concatenate(boxes), self._rows.table.tensors[name].coords))
        plain = [[int(side) if side.is_integer() else side for side in box] for box in corners.tolist()]
        ends = np.cumsum([0, *map(len, boxes)]).tolist()
        return [plain[start:end] for start, end in pairwise(ends)]

    def _add_image(self, sample: Mapping[str, Any], ids: Ids, position: int) -> Any:
        known = sample.get("source_id")
        image_id = ids.of(known.item() if isinstance(known, np.ndarray) else known)
        attributes = sample.get("image_attributes")
        file_name = sample.get("file") or None
        if file_name is None and attributes is None:
            file_name = f"{image_id:012d}{self._rows.suffix(int(self._chosen[position]))}"
        layouts = self._note.get("image_keys", ())
        is_stated = attributes is not None and layouts  # then the image, which may be far away, is not looked at
        size = (-1, -1) if is_stated else self._rows.size(int(self._chosen[position]))
        entry = image_entry(layouts, image_id, file_name, size, attributes)
        index = sample.get("image_index")
        address = (attributes or {}).get("coco_url")  # LVIS names no files
        last = address.rsplit("/", 1)[-1] if isinstance(address, str) else ""
        self.file_names[position] = file_name or last or f"{position:012d}.jpg"
        self._images.add(entry_text(entry), position if index is None else float(index), position)
        return image_id

    def _add_annotations(
        self, sample: Mapping[str, Any], ids: Ids, image_id: Any, position: int, boxes: Sequence[list[float]]
    ) -> None:
        layouts = self._note.get("annotation_keys", ())
        for values in self._objects(sample, position, boxes):
            attributes, odd = values.pop("attributes") or {}, values.pop("as_written") or {}
            index = values.pop("index")
            known = values["id"]
            if isinstance(odd.get("id"), list) and known == odd["id"][-1]:
                is_new = False
            else:
                values["id"] = ids.of(known)
                is_new = known is None or values["id"] != known
            if is_new and values["area"] is None and "area" in sample:
                values["area"] = _area(None, values["bbox"])
            entry = annotation_entry(
                layouts, {"id": None, "image_id": image_id, **values}, attributes, odd, is_new=is_new
            )
            place = float("inf") if is_new else position if index is None else index
            self._annotations.add(entry_text(entry), place, position)

    def _objects(
        self, sample: Mapping[str, Any], position: int, boxes: Sequence[list[float]]
    ) -> Iterator[dict[str, Any]]:
        """Yield the objects of a sample, with their fields under COCO's names."""
        labels = sample.get(self._rows.labels or "")
        if labels is None:
            return
        count = len(boxes)
        self._check_count(position, count, self._rows.labels, labels)
        fields = {}
        for name in (*_OBJECTS, "annotation_index"):
            values = sample.get(name)
            fields[name] = entries_of_list(values, count) if name in _TEXTS else _listed(values, count)
            self._check_count(position, count, name, fields[name])
        has_area = "area" in sample or not self._note
        for at, (box, label) in enumerate(zip(boxes, labels.tolist(), strict=True)):
            keypoints = fields["keypoints"][at]
            yield {
                "id": fields["annotation_id"][at],
                "category_id": self._categories.ids[label],
                "segmentation": fields["segmentation"][at],
                "area": _area(fields["area"][at], box) if has_area else None,
                "bbox": box,
                "iscrowd": fields["iscrowd"][at] or 0,
                "keypoints": keypoints,
                "num_keypoints": None if keypoints is None else sum(point > 0 for point in keypoints[_VISIBLE]),
                "attributes": fields["attributes"][at],
                "as_written": fields["as_written"][at],
                "index": fields["annotation_index"][at],
            }

    def _check_count(self, position: int, count: int, name: str | None, values: Sequence[Any]) -> None:
        self._rows.check_count(int(self._chosen[position]), count, name, values)

    def write(self, path: Path) -> None:
        """Write the file."""
        lists = {"images": self._images, "annotations": self._annotations}
        with path.open("wb") as stream:
            stream.write(b"{")
            for number, (name, value) in enumerate(self._note.get("header", _HEADER).items()):
                stream.write(b", " if number else b"")
                if name in lists:
                    stream.write(json.dumps(name).encode() + b": [")
                    lists[name].write(stream)
                    stream.write(b"]")
                else:
                    found = self._categories.entries if name == "categories" else value
                    stream.write(entry_text({name: found})[1:-1].encode())
            stream.write(b"}")


def _largest(rows: ExportedRows, name: str) -> int:
    """Return the largest number of a tensor in all samples of the dataset; 0 if there is none."""
    spec = rows.spec(name)
    if spec is None or not rows.is_field(name) or spec.htype not in {"generic", "json"}:
        return 0
    values = rows.table.column(name).values
    if spec.htype == "generic":
        return int(values.max(initial=0))
    known = (json.loads(text) for text in values if text)  # ids of which some are text
    return max((one for one in known if type(one) is int), default=0)


def _listed(values: Any, count: int) -> Sequence[Any]:
    """Return the entries of a tensor for each object as Python values; None if it has none."""
    if values is None:
        return [None] * count
    listed: list[Any] = values.tolist() if isinstance(values, np.ndarray) else values
    return listed


def _area(area: float | None, box: Sequence[float]) -> float | None:
    """Return the area of an object: that of its box if no other is known."""
    if area is None:
        return box[2] * box[3]
    area = float(area)  # JSON has whole numbers too
    if not math.isfinite(area):  # NaN: the source states none
        return None
    return int(area) if area.is_integer() and abs(area) < 2**53 else area
