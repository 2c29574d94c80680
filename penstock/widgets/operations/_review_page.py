"""Samples that are not committed as the review shows them: before, after, and the difference in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.samples import content_of
from penstock.dataset.shown._words import Annotations, Difference, value_words, words_of_difference
from penstock.table import Draft, OverlayTable
from penstock.tensors import first_tensor
from penstock.widgets.editing._objects import ObjectGroup, object_group
from penstock.widgets.editing._sample import sample_labels, stored_alone, values_at
from penstock.widgets.operations.images._thumbnails import THUMBNAILS, Thumbnail
from penstock.widgets.review._uncommitted import Uncommitted, class_index, labels_now
from penstock.widgets.session._session import Session
from penstock.widgets.shapes._packed import SHAPES

__all__ = ["ReviewPage"]

_MOST_WORDS = 12
_Side = dict[str, Any]


class ReviewPage:
    """Makes the entries of one page, and the thumbnails they show.

    Parameters
    ----------
    session : Session
        Whose dataset it is.
    found : Uncommitted
        What is not committed.
    labels : str, optional
        The class label tensor on show.
    size : int
        Longest side of a thumbnail, pixels.
    check_cancelled : callable
        Raises when nobody wants the page any more.
    """

    def __init__(
        self,
        session: Session,
        found: Uncommitted,
        labels: str | None,
        size: int,
        check_cancelled: Callable[[], None],
    ) -> None:
        self._session, self._found, self._labels, self._size = session, found, labels, size
        self._check_cancelled = check_cancelled
        self.buffers: list[bytes] = []

    def entries(self, start: int, stop: int) -> list[dict[str, Any]]:
        """Return the `ReviewEntry`s at some places: samples edited, added, deleted, in this order."""
        found = self._found
        made: list[dict[str, Any]] = []
        for kind, rows in (("edited", found.edited), ("added", found.added), ("deleted", found.deleted)):
            part = rows[max(0, start) : max(0, stop)]
            if len(part):
                made += getattr(self, f"_{kind}")(part)
            start, stop = start - len(rows), stop - len(rows)
        return made

    # ---- the three kinds -----------------------------------------------------------------

    def _edited(self, rows: NDArray[np.int64]) -> list[dict[str, Any]]:
        table = self._found.table
        uids = table.uids(rows)
        then, there = stored_alone(table), table.stored.positions(uids)
        images = self._images(table, rows)
        earlier = self._earlier_images(uids, there, images)
        after = self._sides(table, rows, images)
        before = self._sides(then, there, earlier)
        for one, other, image, old in zip(before, after, images, earlier, strict=True):
            other["image"] = self._place(image.jpeg)
            one["image"] = other["image"] if old is image else self._place(old.jpeg)
        new = self._new_uids(rows)
        return [
            self._entry(
                "added" if uid in new else "edited",
                int(row),
                uid,
                image,
                one,
                other,
                words=self._words(uid, int(row), int(old), one, other),
                edited=True,
            )
            for row, uid, old, image, one, other in zip(
                rows, uids.tolist(), there.tolist(), images, before, after, strict=True
            )
        ]

    def _earlier_images(
        self, uids: NDArray[np.int64], there: NDArray[np.int64], images: Sequence[Thumbnail]
    ) -> list[Thumbnail]:
        """Return the committed images of samples whose image is edited; for the others the ones of now."""
        table = self._found.table
        tensor = first_tensor(table.tensors, "image")
        edited = table.draft.edits.get(tensor, {}) if tensor is not None else {}
        found = list(images)
        places = [i for i, uid in enumerate(uids.tolist()) if uid in edited]
        if places:
            credentials = content_of(self._session.dataset).opened.working.credentials
            then = OverlayTable(table.stored, Draft(), credentials)
            for i, made in zip(places, self._images(then, there[places]), strict=True):
                found[i] = made
        return found

    def _added(self, rows: NDArray[np.int64]) -> list[dict[str, Any]]:
        table = self._found.table
        images = self._images(table, rows)
        sides = self._with_images(self._sides(table, rows, images), images)
        return [
            self._entry("added", int(row), uid, image, None, side, words=[], edited=False)
            for row, uid, image, side in zip(rows, table.uids(rows).tolist(), images, sides, strict=True)
        ]

    def _deleted(self, rows: NDArray[np.int64]) -> list[dict[str, Any]]:
        table = self._found.committed
        if table is None:
            return []
        images = self._images(table, rows)
        sides = self._with_images(self._sides(table, rows, images), images)
        if self._labels is not None and self._labels in table.tensors:
            index = class_index(table, self._found.table, self._labels)
            for side in sides:
                kept = labels_now(side["labels"], index)
                if len(kept) != len(side["labels"]):
                    side["boxes"] = []
                side["labels"] = kept
        return [
            self._entry("deleted", int(row), uid, image, side, None, words=[], edited=False)
            for row, uid, image, side in zip(rows, table.uids(rows).tolist(), images, sides, strict=True)
        ]

    def _new_uids(self, rows: NDArray[np.int64]) -> set[int]:
        committed, uids = self._found.committed, self._found.table.uids(rows)
        return set(uids.tolist()) if committed is None else set(uids[committed.positions(uids) < 0].tolist())

    # ---- what they are made of -------------------------------------------------------------

    def _entry(
        self,
        kind: str,
        row: int,
        uid: int,
        image: Thumbnail,
        before: _Side | None,
        after: _Side | None,
        *,
        words: list[Difference],
        edited: bool,
    ) -> dict[str, Any]:
        edits = [word for word in words if word["sign"] != "="]
        return {
            "kind": kind,
            "edited": edited,
            "row": row,
            "uid": str(uid),
            "width": image.width,
            "height": image.height,
            "before": before,
            "after": after,
            "words": words if len(words) <= _MOST_WORDS else edits[:_MOST_WORDS],
            "more": max(0, len(edits) - _MOST_WORDS),
            "error": image.error,
        }

    def _images(self, table: OverlayTable, rows: NDArray[np.int64]) -> list[Thumbnail]:
        tensor = first_tensor(table.tensors, "image")
        if tensor is None:
            return [Thumbnail(error="the dataset has no images")] * len(rows)
        path = self._session.dataset.path
        return THUMBNAILS.page(table, rows, tensor, self._size, self._check_cancelled, dataset=path)

    def _sides(self, table: OverlayTable, rows: NDArray[np.int64], images: Sequence[Thumbnail]) -> list[_Side]:
        labels = self._labels if self._labels in table.tensors else None
        sides = [(one.width, one.height) for one in images]
        shapes = SHAPES.page(table, rows, labels, sides, self._size, self._session.dataset)
        found = []
        for row, drawn in zip(rows.tolist(), shapes, strict=True):
            known, boxes = sample_labels(table.column, table.tensors, row, labels)
            found.append({"image": -1, "shapes": self._place(drawn.data), "labels": known, "boxes": boxes})
        return found

    def _with_images(self, sides: list[_Side], images: Sequence[Thumbnail]) -> list[_Side]:
        return [{**side, "image": self._place(image.jpeg)} for side, image in zip(sides, images, strict=True)]

    def _place(self, part: bytes) -> int:
        """Add bytes to the buffers; return where they are, -1 where there are none."""
        if not part:
            return -1
        self.buffers.append(part)
        return len(self.buffers) - 1

    @cached_property
    def _group(self) -> ObjectGroup | None:
        return object_group(self._found.table, self._labels)

    # ---- words ------------------------------------------------------------------------------

    def _words(self, uid: int, row: int, there: int, before: _Side, after: _Side) -> list[Difference]:
        table = self._found.table
        names = table.tensors[self._labels].class_names if self._labels is not None else ()
        group = self._group
        words = words_of_difference(
            _annotations(before), _annotations(after), names, paired=group is not None and group.paired
        )
        known = {self._labels, first_tensor(table.tensors, "bbox")}
        together = set(group.names) if group is not None else set()
        same_count = len(before["labels"]) == len(after["labels"])
        for tensor, edits in table.draft.edits.items():
            follows = tensor in together and bool(words) and (not same_count or tensor.endswith("area"))
            if uid in edits and tensor not in known and not follows:
                words += self._value_words(tensor, row, there)
        return words

    def _value_words(self, tensor: str, row: int, there: int) -> list[Difference]:
        table = self._found.table
        spec = table.tensors[tensor]
        if spec.is_encoded:
            what = "image replaced" if spec.htype == "image" else f"{tensor} changed"
            return [{"sign": "", "text": what}]
        now = values_at(table, tensor, np.array([row], np.int64))[0]
        then = values_at(stored_alone(table), tensor, np.array([there], np.int64))[0]
        return value_words(tensor, spec.htype, then, now)


def _annotations(side: _Side) -> Annotations:
    return Annotations(labels=side["labels"], boxes=np.array(side["boxes"], np.float64).reshape(-1, 4))
