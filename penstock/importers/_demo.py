"""The demo: imbalanced shapes with boxes, planned from a seed, drawn on the spot."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penstock.dataset import Dataset, load
from penstock.errors import ImporterError
from penstock.importers._scenes import SHAPES, SIDE, Shape, draw_scene
from penstock.importers.building._build import Column, build, load_or_make
from penstock.importers.building._report import IssueLog

__all__ = ["DemoImage", "Scene", "demo", "plan_demo", "prepare_demo"]

_PER_600 = {"Circle": 412, "Square": 208, "Triangle": 131, "Star": 54, "Ring": 31, "Cross": 12}
_EMPTY_PER_600 = 12
_WRONG_PER_600 = 3
_FIRST_WRONG_ROW = 8
_MOST_IN_AN_IMAGE = 4
_NUM_TRIES = 60
_JPEG = {"sample_compression": "jpeg"}
_NUM_KEPT = 1024  # drawn samples in memory: more than are written at a time
_EDITION = 2  # of what is made: a cached demo of another edition is not taken


def demo(
    dest: str | os.PathLike[str] | None = None, *, num_samples: int = 600, seed: int = 0, fresh: bool = False
) -> Dataset:
    """Create a dataset of imbalanced shapes with boxes, or open the existing one with its edits.

    Tensors: ``images`` (192 × 192 pixels), ``boxes`` (left, top, width, height,
    pixels) and ``labels``. Six hundred samples have 412 circles, 208 squares,
    131 triangles, 54 stars, 31 rings and 12 crosses, several in an image; 12
    samples are empty. Three rings are labeled Circle, one of them in sample 8.

    Parameters
    ----------
    dest : str or path, optional
        Where to create it; by default in the user's cache folder, where it is opened
        again next time, with its edits.
    num_samples : int
        Number of samples; the classes keep their shares.
    seed : int
        Seed of contents and positions.
    fresh : bool
        Whether to create a new copy without edits, in a temporary folder unless `dest`
        is given.

    Returns
    -------
    Dataset
        The dataset, committed.

    Raises
    ------
    ImporterError
        If `num_samples` is not an integer of at least 1.
    DatasetExistsError
        If `dest` already exists.

    Examples
    --------
    >>> import tempfile
    >>> ds = demo(tempfile.mkdtemp() + "/shapes", num_samples=10)
    >>> len(ds), ds.labels.info.class_names
    (10, ['Circle', 'Square', 'Triangle', 'Star', 'Ring', 'Cross'])
    """
    for name, value, least in (("num_samples", num_samples, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise ImporterError(f"{name}={value!r} is not valid. Expected {least} or more")
    if dest is not None:
        return _make(dest, num_samples, seed)
    if not fresh:
        return _cached("demo", num_samples, seed)
    untouched = Path(_cached("untouched", num_samples, seed).path)
    copy = Path(tempfile.mkdtemp(prefix="penstock-")) / "demo"
    shutil.copytree(untouched, copy, ignore=shutil.ignore_patterns("*.lock"))
    return load(copy)


def prepare_demo() -> None:
    """Draw what a fresh demo is a copy of, unless it is there."""
    _cached("untouched", 600, 0)


def _cached(name: str, num_samples: int, seed: int) -> Dataset:
    from platformdirs import user_cache_path

    cached = user_cache_path("penstock") / f"shapes-{_EDITION}-{num_samples}-{seed}" / name
    return load_or_make(cached, lambda: _make(cached, num_samples, seed))


def _make(dest: str | os.PathLike[str], num_samples: int, seed: int) -> Dataset:
    scenes = plan_demo(num_samples, seed)
    drawn = lru_cache(_NUM_KEPT)(lambda row: scenes[row].draw())
    names = {"class_names": SHAPES, "aligned_with": "boxes"}
    columns = [
        Column(name="images", htype="image", sample=lambda row: drawn(row).pixels, options=_JPEG),
        Column(name="boxes", htype="bbox", sample=lambda row: drawn(row).boxes_xywh),
        Column(name="labels", htype="class_label", sample=lambda row: drawn(row).labels, options=names),
    ]
    log, num_workers = IssueLog("raise"), os.cpu_count() or 1
    return build(dest, columns, num_samples, source="demo shapes", log=log, num_workers=num_workers, progress=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoImage:
    """One drawn sample.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (192, 192, 3)
    boxes_xywh : ndarray of float32, shape (num_shapes, 4)
        Pixels.
    labels : ndarray of int64, shape (num_shapes,)
        Index into `SHAPES`.
    """

    pixels: NDArray[np.uint8]
    boxes_xywh: NDArray[np.float32]
    labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What one sample shows, and how it is labeled.

    Parameters
    ----------
    shapes : tuple of Shape
        In drawing order.
    labels : tuple of str
        One per shape; a few samples say Circle although a Ring is drawn.
    hues, lightness : tuple of float
        Of the background's two ends.
    """

    shapes: tuple[Shape, ...]
    labels: tuple[str, ...]
    hues: tuple[float, float]
    lightness: tuple[float, float]

    def draw(self) -> DemoImage:
        """Draw the scene."""
        pixels, boxes_xywh = draw_scene(list(self.shapes), self.hues, self.lightness)
        labels = np.array([SHAPES.index(label) for label in self.labels], np.int64)
        return DemoImage(pixels=pixels, boxes_xywh=boxes_xywh, labels=labels)


def plan_demo(num_samples: int, seed: int) -> list[Scene]:
    """Plan the demo's samples.

    Six hundred samples have 412 circles, 208 squares, 131 triangles, 54 stars,
    31 rings and 12 crosses, and 12 samples are empty; other sizes keep the
    shares. Stars come with squares more often than chance has it. Three rings
    in 600 are labeled Circle, the first of them in row 8: a label to fix.

    Parameters
    ----------
    num_samples : int
        Number of samples.
    seed : int
        Seed of contents and positions.
    """
    rng = np.random.default_rng(seed)
    labels_of = _deal(rng, num_samples)
    wrong = _wrong_rows(rng, labels_of)
    return [_scene(rng, labels, ring_as_circle=row in wrong) for row, labels in enumerate(labels_of)]


def _deal(rng: np.random.Generator, num_samples: int) -> list[list[str]]:
    """Deal the classes' quotas out to the rows."""
    quotas = {name: max(1, round(count * num_samples / 600)) for name, count in _PER_600.items()}
    pool = [name for name, quota in quotas.items() for _ in range(quota)]
    rng.shuffle(pool)
    num_filled = max(1, num_samples - round(_EMPTY_PER_600 * num_samples / 600))
    rows: list[list[str]] = [[name] for name in pool[:num_filled]]
    stars = [row for row in rows if row == ["Star"]]
    for name in pool[num_filled : num_filled * _MOST_IN_AN_IMAGE // 2]:
        companion = name == "Square" and stars and rng.random() < 0.6
        row = stars.pop() if companion else _roomy(rng, rows)
        row.append(name)
    rows += [[] for _ in range(num_samples - num_filled)]
    rng.shuffle(rows)
    return _with_circle_at(rows, _FIRST_WRONG_ROW)


def _roomy(rng: np.random.Generator, rows: list[list[str]]) -> list[str]:
    for _ in range(_NUM_TRIES):
        row = rows[int(rng.integers(len(rows)))]
        if len(row) < _MOST_IN_AN_IMAGE:
            break
    return row


def _with_circle_at(rows: list[list[str]], wanted: int) -> list[list[str]]:
    """Swap a row that contains only a circle to the row of the first wrong label."""
    lone = next((row for row, labels in enumerate(rows) if labels == ["Circle"]), None)
    if lone is not None and wanted < len(rows):
        rows[lone], rows[wanted] = rows[wanted], rows[lone]
    return rows


def _wrong_rows(rng: np.random.Generator, labels_of: list[list[str]]) -> set[int]:
    num_wrong = round(_WRONG_PER_600 * len(labels_of) / 600)
    lone = [row for row, labels in enumerate(labels_of) if labels == ["Circle"] and row > _FIRST_WRONG_ROW]
    rest = rng.permutation(lone)[: max(0, num_wrong - 1)]
    first = {_FIRST_WRONG_ROW} if num_wrong and labels_of[_FIRST_WRONG_ROW] == ["Circle"] else set()
    return first | {int(row) for row in rest}


def _scene(rng: np.random.Generator, labels: list[str], *, ring_as_circle: bool) -> Scene:
    shapes: list[Shape] = []
    largest = 44 - 5 * len(labels)
    for label in labels:
        shapes.append(_placed(rng, "Ring" if ring_as_circle else label, largest, shapes))
    hue = float(rng.random())
    return Scene(
        shapes=tuple(shapes),
        labels=tuple(labels),
        hues=(hue, float(hue + rng.uniform(-0.25, 0.25)) % 1),
        lightness=(float(rng.uniform(0.8, 0.88)), float(rng.uniform(0.64, 0.75))),
    )


def _placed(rng: np.random.Generator, name: str, largest: float, others: list[Shape]) -> Shape:
    """Place a shape away from the others if there is room."""
    radius = float(rng.uniform(16, largest))
    margin = 1.1 * radius + 8  # room for a turned corner and the box around it
    for _ in range(_NUM_TRIES):
        x, y = (float(value) for value in rng.uniform(margin, SIDE - margin, 2))
        if all(np.hypot(x - o.x, y - o.y) > 1.05 * (radius + o.radius) for o in others):
            break
    turn, tint = float(rng.uniform(-0.3, 0.3)), float(rng.uniform(0.92, 1.1))
    return Shape(name=name, x=x, y=y, radius=radius, turn=turn, tint=tint)
