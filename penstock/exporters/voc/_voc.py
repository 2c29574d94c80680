"""Datasets and views to Pascal VOC folders."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from penstock.dataset import Dataset, View
from penstock.errors import ExportError
from penstock.exporters._edited_note import explains_edited_notes
from penstock.exporters._images import Images, check_images, safe_name, write_images
from penstock.exporters._masks import MaskWriter, mask_tensors
from penstock.exporters._place import checked_place, written_beside
from penstock.exporters._report import ExportReport
from penstock.exporters._rows import ExportedRows
from penstock.exporters.voc._annotation import AnnotationWriter
from penstock.exporters.voc._lists import Listed, list_files
from penstock.formats._voc import VocObject
from penstock.tensors import boxes_xywh, decimals

__all__ = ["to_voc"]

_IMAGES = ("file", "source_id", "image_attributes", "image_sets", "mask_forms")
_OBJECTS = ("attributes", "as_written")
_LOST = {  # of objects, that VOC has no place for
    "iscrowd": "1 crowd was written as an object|{:,} crowds were written as objects",
    "segmentation": "the outline of 1 object was left out|the outlines of {:,} objects were left out",
    "keypoints": "the keypoints of 1 object were left out|the keypoints of {:,} objects were left out",
}
_MASKS = ("SegmentationClass", "SegmentationObject")


@explains_edited_notes
def to_voc(
    source: Dataset | View,
    path: str | os.PathLike[str],
    *,
    images: Images = None,
    overwrite: bool = False,
    progress: bool = True,
) -> ExportReport:
    """Write annotations as a Pascal VOC folder.

    The folder has an XML file for each image in ``Annotations``, lists of images in ``ImageSets``, masks in
    ``SegmentationClass`` and ``SegmentationObject`` if the dataset has such, and the images in ``JPEGImages``.
    A dataset that was imported from VOC gives the same files again; only what was edited differs.

    Parameters
    ----------
    source : Dataset or View
        What is exported, with edits that are not committed yet.
    path : str or path
        The folder.
    images : {"copy", "link"}, optional
        Write the images too, as they are stored, or as links to the files that they are linked to. By
        default annotations alone are written.
    overwrite : bool
        Whether what is at `path` may be replaced, if the export writes every file that is in it.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    ExportReport
        What was written; its issues count the boxes that were rounded to whole pixels, and name what VOC
        cannot represent, such as outlines and keypoints.

    Raises
    ------
    ExportError
        If there is something at `path`, it cannot be written there, samples come more than once, objects
        have a box and no class, or there are no boxes with classes.

    Examples
    --------
    >>> import penstock
    >>> ds = penstock.demo()
    >>> print(penstock.to_voc(ds[:20], "shapes-voc"))  # doctest: +SKIP
    20 images, 27 objects in shapes-voc
    """
    place = checked_place(path, overwrite=overwrite)
    rows = ExportedRows(source, progress=progress)
    rows.check_boxes()
    chosen_images = check_images(rows, images)
    with written_beside(place, rows, overwrite=overwrite) as part:
        writer = _FolderWriter(rows, part)
        writer.write()
        if chosen_images is not None:
            chosen, names = writer.images()
            write_images(rows, chosen, names, part, chosen_images)
    return ExportReport(
        path=Path(path), num_samples=len(rows), num_objects=writer.annotations.num_objects, issues=writer.issues()
    )


class _FolderWriter:
    """Writes the files of a VOC folder."""

    def __init__(self, rows: ExportedRows, folder: Path) -> None:
        self._rows = rows
        self._folder = folder
        self._note: Mapping[str, Any] = rows.source if rows.source.get("format") == "voc" else {}
        self._names = rows.class_names
        self.annotations = AnnotationWriter(rows)
        self._masks = self._mask_writers()
        self._homes: Sequence[str] = self._note.get("homes", ())
        self._image_names: list[str] = []
        self._listed: list[Listed] = []
        self._left_out: Counter[str] = Counter()

    def _mask_writers(self) -> dict[str, MaskWriter]:
        """Return what writes each tensor of masks, by the folder it is written to."""
        notes = self._note.get("masks", {})
        found = {str(note["folder"]): MaskWriter(name, note) for name, note in notes.items() if self._rows.spec(name)}
        others = [name for name in mask_tensors(self._rows) if name not in notes]
        ranked = sorted(others, key=lambda name: "instance" in name or "object" in name)
        for name in ranked:
            is_instance = "instance" in name or "object" in name
            folder = next((one for one in _MASKS[int(is_instance) :] if one not in found), None)
            if folder is not None:
                found[folder] = MaskWriter(name, {})
        return found

    def write(self) -> None:
        """Write annotations, masks and lists."""
        rows = self._rows
        (self._folder / "Annotations").mkdir(parents=True)
        ids = self._ids()
        masks = [writer.name for writer in self._masks.values()]
        names = [*(name for name in (rows.boxes, rows.labels) if name is not None), *_IMAGES, *_OBJECTS, *_LOST, *masks]
        subsets = rows.subsets()
        for start, samples in rows.chunks(rows.fields(names), np.arange(len(rows))):
            for at in range(len(next(iter(samples.values())))):
                sample = {name: values[at] for name, values in samples.items()}
                self._write_sample(start + at, ids[start + at], subsets[start + at], sample)
        now = {then: name for then, name in zip(rows.class_origins(), self._names, strict=True) if then is not None}
        spec = rows.spec("subset")
        splits = [name for name in (spec.class_names if spec is not None else ()) if name in set(subsets)]
        for path, text in list_files(self._listed, self._note.get("lists", ()), now, splits=splits).items():
            self._put(path, text.encode())

    def _ids(self) -> list[str]:
        """Return the name of each sample's annotation: as imported, or that of its image's file."""
        rows = self._rows
        files = rows.texts("file")
        known = rows.texts("source_id") if self._note else [""] * len(rows)
        stems = [_stem(file) if file else f"{at:06d}" for at, file in enumerate(files)]
        lasts = [stem.rsplit("/", 1)[-1] for stem in stems]
        usual = lasts if len(set(lasts)) == len(lasts) else stems
        ids = [safe_name(own or name) for own, name in zip(known, usual, strict=True)]
        twice = next((name for name, count in Counter(ids).items() if count > 1), None)
        if twice is not None:
            raise ExportError(f"several images have the name {twice!r}. Expected a different name for each")
        return ids

    def _write_sample(self, position: int, name: str, subset: str, sample: Mapping[str, Any]) -> None:
        home = next((one for one in self._homes if one and name.startswith(f"{one}/")), "")
        own = name.removeprefix(f"{home}/") if home else name
        before = f"{home}/" if home else ""
        objects, notes = self._objects(position, sample)
        for one in filter(self._is_of_objects, _LOST):
            self._left_out[one] += sum(map(_says_something, _listed(sample.get(one))))
        image = self._image(position, own, sample)
        self._image_names.append(f"{before}JPEGImages/{image['filename']}")
        values = sample.get("image_attributes") if self._note else None
        values = values if isinstance(values, Mapping) else None
        content = self.annotations.write(values, objects, notes, _new_image(image))
        self._put(f"{before}Annotations/{own}.xml", content)
        for folder, writer in self._masks.items():
            png = writer.png(sample.get(writer.name), sample.get("mask_forms"))
            if png is not None:
                self._put(f"{before}{folder}/{own}.png", png)
        sets = self._rows.spec("image_sets") if self._rows.is_field("image_sets") else None
        in_sets = [] if sets is None or sample.get("image_sets") is None else sample["image_sets"].tolist()
        self._listed.append(
            Listed(
                name=own,
                home=home,
                subset=subset,
                sets=frozenset(sets.class_names[label] for label in in_sets) if sets is not None else frozenset(),
                names=tuple(one.name for one in objects),
                difficult=tuple(one.attributes.get("difficult") for one in objects),
            )
        )

    def _image(self, position: int, own: str, sample: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a new annotation says of its image."""
        file = safe_name(sample.get("file") or "")
        is_known = bool(sample.get("file"))
        last = file.rsplit("/", 1)[-1]
        folder = own.rpartition("/")[0]
        filename = last if is_known else f"{own}{self._rows.suffix(position)}"
        width, height = self._rows.size(position)
        return {
            "filename": f"{folder}/{filename}" if folder and is_known else filename,
            "width": width,
            "height": height,
            "depth": self._rows.depth(position),
            "segmented": int(any(sample.get(writer.name) is not None for writer in self._masks.values())),
        }

    def _objects(self, position: int, sample: Mapping[str, Any]) -> tuple[list[VocObject], list[Any]]:
        rows = self._rows
        boxes, labels = sample[str(rows.boxes)], sample[str(rows.labels)]
        if boxes is None or labels is None:
            return [], []
        sample = {name: value for name, value in sample.items() if name not in _OBJECTS or self._is_of_objects(name)}
        for name in (rows.labels, *_OBJECTS):
            rows.check_count(position, len(boxes), name, sample.get(str(name)))
        corners = decimals(boxes_xywh(boxes, rows.table.tensors[str(rows.boxes)].coords)).tolist()
        attributes = sample.get("attributes") or [None] * len(boxes)
        notes = sample.get("as_written") or [None] * len(boxes)
        notes = notes if self._note else [None] * len(boxes)
        found = [
            self.annotations.object_of(self._names[label], box, one, note)
            for label, box, one, note in zip(labels.tolist(), corners, attributes, notes, strict=True)
        ]
        return found, list(notes)

    def _put(self, name: str, content: bytes) -> None:
        place = self._folder / safe_name(name)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)

    def images(self) -> tuple[Any, list[str]]:
        """Return the samples whose images are written, and where; an image of several annotations once."""
        first = {name: at for at, name in reversed(list(enumerate(self._image_names)))}
        chosen = sorted(first.values())
        return np.array(chosen, np.int64), [self._image_names[at] for at in chosen]

    def _is_of_objects(self, name: str) -> bool:
        spec = self._rows.spec(name)
        return spec is not None and spec.aligned_with == self._rows.boxes and self._rows.is_field(name)

    def issues(self) -> tuple[str, ...]:
        """Return what VOC cannot represent."""
        rows, written = self._rows, self.annotations
        found = []
        if written.num_rounded:
            what = "1 box was" if written.num_rounded == 1 else f"{written.num_rounded:,} boxes were"
            found.append(f"{what} rounded to whole pixels")
        for name, count in self._left_out.items():
            one, several = _LOST[name].split("|")
            found += [] if not count else [one if count == 1 else several.format(count)]
        for name, count in written.left_out.items():
            found.append(f"the attribute {name!r} of {count:,} images or objects cannot be written as XML")
        for writer in self._masks.values():
            found += writer.issues()
        used = {rows.images, rows.boxes, rows.labels, "subset", "file", "image_sets", "mask_forms"}
        used |= {*filter(self._is_of_objects, _OBJECTS)}
        used |= {*filter(self._is_of_objects, _LOST)}
        used |= {*(writer.name for writer in self._masks.values()), *(_IMAGES if self._note else ())}
        for name in rows.table.tensors:
            if name not in used or not rows.is_field(name):
                found.append(f"the tensor {name!r} is not part of a VOC folder")
        return tuple(found)


def _listed(values: Any) -> list[Any]:
    """Return the entries of a tensor for each object as Python values."""
    return [] if values is None else values.tolist() if isinstance(values, np.ndarray) else list(values)


def _says_something(value: Any) -> bool:
    """Return whether there is an outline, keypoints or the mark of a crowd."""
    return bool(value) and value == value  # noqa: PLR0124  NaN says nothing


def _stem(file: str) -> str:
    return str(PurePosixPath(safe_name(file)).with_suffix(""))


def _new_image(image: Mapping[str, Any]) -> dict[str, Any]:
    size = {side: image[side] for side in ("width", "height", "depth") if image[side] > 0}
    return {
        "folder": "JPEGImages",
        "filename": image["filename"].rsplit("/", 1)[-1],
        "source": {"database": "Unknown"},
        **({"size": size} if size else {}),
        "segmented": image["segmented"],
    }
