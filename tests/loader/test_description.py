"""What a loader says it will draw."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.loader import Loader
from penstock.table import ArrayTable


def table(labels=(0, 0, 0, 1), names=("dog", "cat")):
    return ArrayTable({"x": np.arange(float(len(labels))), "label": list(labels)}, class_names={"label": list(names)})


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda loader: loader, "Loader(each of 4 samples once an epoch, in order, seed=0, one sample at a time)"),
        (
            lambda loader: loader.shuffle().batch(3, drop_last=True).numpy(),
            "Loader(each of 4 samples once an epoch, shuffled, seed=0, 1 batch of 3 for numpy)",
        ),
        (
            # cat: 3 of a weight of 6, so half of 4 draws
            lambda loader: loader.sample_by("max_weight(label == 'cat': 3, True: 1)", seed=5).batch(3),
            (
                "Loader(4 draws an epoch from 4 samples, mode='iid', seed=5, 2 batches of 3; "
                "expected counts: cat 1 → 2, dog 3 → 2)"
            ),
        ),
        (
            lambda loader: loader.sample_by("max_weight(True: 0)").batch(2),
            "Loader(4 draws an epoch from 4 samples, mode='iid', seed=0, 2 batches of 2)",
        ),
    ],
    ids=["plain", "shuffled", "weighted", "nothing to draw"],
)
def test_a_loader_says_what_it_will_draw(make, said):
    assert repr(make(Loader(table()))) == said


def test_new_weights_are_said():
    loader = Loader(table()).sample_by("max_weight(label == 'cat': 3, True: 1)").batch(2).numpy()
    next(iter(loader))
    loader.with_weights("max_weight(label == 'cat': 9, True: 1)")
    assert "dog 3 → 1, cat 1 → 3" in repr(loader)  # 9 of 12, times 4


def test_a_notebook_shows_a_table_of_counts_with_names_as_text():
    loader = Loader(table(names=("dog", "<b>cat</b>"))).sample_by("max_weight(label == 1: 3, True: 1)").batch(2)
    shown = loader._repr_html_()
    assert "&lt;b&gt;cat&lt;/b&gt;" in shown
    assert "<b>cat" not in shown
    assert "<td>2.0</td>" in shown


def test_a_long_list_of_classes_is_cut():
    many = table(labels=range(30), names=[f"class {i}" for i in range(30)])
    loader = Loader(many).sample_by("max_weight(label == 3: 9, True: 1)").batch(2)
    assert "class 3 1 → " in repr(loader)
    assert "27 more classes" in repr(loader)
    assert "10 more classes" in loader._repr_html_()
