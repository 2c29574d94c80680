"""The dataset every call is tried on: all that can be lost is there once."""

from __future__ import annotations

import numpy as np
from PIL import Image

import penstock

CLASSES = ["cat", "kitten", "dog", "bus", "car"]


def image(number):
    return np.full((4, 3, 3), number, np.uint8)


def rows(start, count):
    """Return samples told apart by their age."""
    numbers = range(start, start + count)
    return {
        "images": [image(number) for number in numbers],
        "labels": [[CLASSES[number % 5], CLASSES[(number * 3 + 1) % 5]][: 1 + number % 2] for number in numbers],
        "boxes": [[[number, 1, 2, 3]] * (1 + number % 2) for number in numbers],
        "note": [f"note {number}" for number in numbers],
        "age": list(numbers),
    }


def make(path):
    """Make a dataset with three commits, a tag, branches, views; nothing is uncommitted on ``main``."""
    ds = penstock.empty(path)
    with ds:
        ds.create_tensor("images", htype="image", sample_compression="png")
        ds.create_tensor("labels", htype="class_label", class_names=CLASSES)
        ds.create_tensor("boxes", htype="bbox")
        ds.create_tensor("note", htype="text")
        ds.create_tensor("age")
    ds.extend(rows(0, 10))
    ds.commit("first")
    ds.tag("v1")
    ds.age[2] = 102
    ds.pop(9)
    ds.extend(rows(20, 3))
    ds.commit("second")
    ds.query("select * where age < 6").save_view("small ones", id="kept")
    ds.query("select * where age > 3").save_view("copied", id="copied")
    ds.load_view("copied", optimize=True)
    _side(ds)
    _clash(ds)
    ds.checkout("main")
    _main(ds)
    ds.checkout("ahead", create=True)
    ds.age[1] = 301
    ds.note[2] = "ahead"
    ds.extend(rows(40, 1))
    ds.commit("ahead of main")
    ds.checkout("main")
    return ds


def _side(ds):
    """Edits of every kind that agree with those of ``main``, and a draft."""
    ds.checkout("side", create=True)
    ds.labels.add_class("truck")
    ds.labels.rename_class("bus", "coach")
    ds.labels.merge_classes(["kitten"], "cat")
    ds.age[0] = 200
    ds.note[0] = "side"
    ds.labels[1] = ["truck"]
    ds.boxes[3] = [[9, 9, 9, 9]]
    ds.images[3] = image(203)
    ds.pop(5)
    ds.extend(rows(30, 2))
    ds.commit("on the side")
    ds.age[4] = 204
    ds.note[4] = "a draft on the side"


def _clash(ds):
    """Edits that ``main`` contradicts."""
    ds.checkout("main")
    ds.checkout("clash", create=True)
    ds.age[6] = 406
    ds.labels[7] = ["dog"]
    ds.pop(8)
    ds.extend(rows(50, 1))
    ds.commit("to be in the way")


def _main(ds):
    ds.age[6] = 106
    ds.labels[7] = ["car", "dog"]
    ds.note[8] = "edited on main"
    ds.boxes[0] = [[5, 5, 5, 5], [6, 6, 6, 6]]
    ds.images[1] = image(101)
    ds.labels.rename_class("car", "auto")
    ds.pop(4)
    ds.extend({**rows(60, 2), "labels": [["kitten"], ["van"]]})
    ds.commit("third")


def make_with_draft(path):
    """Make the same, then leave edits of four tensors, new rows, a row less and a new class uncommitted."""
    ds = make(path)
    ds.age[0] = 500
    ds.age[3] = 503
    ds.labels[1] = ["dog", "kitten"]
    ds.note[2] = "a draft"
    ds.images[2] = image(250)
    ds.boxes[3] = [[1, 2, 3, 4], [5, 6, 7, 8]]
    ds.extend({**rows(70, 2), "labels": [["kitten"], ["dog", "tram"]]})
    ds.pop(7)
    ds.flush()
    return ds


def make_source(folder):
    """Make a folder with images of two classes."""
    for number, name in enumerate(["cat", "dog", "cat"]):
        home = folder / name
        home.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image(number * 20)).save(home / f"{number}.png")


TEMPLATES = {"clean": make, "draft": make_with_draft}
