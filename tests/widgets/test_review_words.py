"""How a sample differs from the committed one, in words."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.dataset.shown._words import Annotations, value_words, words_of_difference

NAMES = ["Circle", "Ring", "Cross", "Star"]
CIRCLE, RING, CROSS, STAR = range(4)


def sample(*objects):
    return Annotations(
        labels=[label for label, *_ in objects],
        boxes=np.array([box for _, *box in objects], float).reshape(-1, 4),
    )


def told(before, after, *, paired=True):
    return [f"{one['sign']} {one['text']}".strip() for one in words_of_difference(before, after, NAMES, paired=paired)]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ([], [], []),
        ([(RING, 5, 5, 9, 9)], [(RING, 5, 5, 9, 9)], []),
        ([(RING, 5, 5, 9, 9)], [(CROSS, 5, 5, 9, 9)], ["- Ring", "+ Cross"]),
        ([(RING, 5, 5, 9, 9)], [(CROSS, 1, 5, 9, 9)], ["- Ring", "+ Cross", "box 1 moved 4 px left"]),
        ([(RING, 5, 5, 9, 9)], [(RING, 8, 3, 9, 9)], ["box 1 moved 3 px right, 2 px up"]),
        ([(RING, 5, 5, 9, 9)], [(RING, 5.2, 5, 9, 9)], ["box 1 moved by less than 1 px"]),
        ([(RING, 5, 5, 9, 9)], [(RING, 5, 5, 9, 12)], ["box 1 resized 9 × 9 → 9 × 12"]),
        ([(RING, 5, 5, 9, 9)], [(RING, 5, 5, 9.2, 9)], ["box 1 resized by less than 1 px"]),
        (
            [(RING, 5, 5, 9, 9)],
            [(RING, 5, 5, 9, 9), (STAR, 40, 40, 56, 56)],
            ["+ Star, box 56 × 56", "= 1 → 2 boxes"],
        ),
        ([(RING, 5, 5, 9, 9), (CIRCLE, 40, 40, 9, 9)], [(CIRCLE, 40, 40, 9, 9)], ["- Ring", "= 2 → 1 box"]),
        ([(RING, 5, 5, 9, 9)], [], ["- Ring", "= 1 → 0 boxes"]),
        ([(RING, 5, 5, 9, 9), (STAR, 40, 40, 9, 9)], [(STAR, 40, 40, 9, 9), (RING, 5, 5, 9, 9)], []),
        (
            [(RING, 5, 5, 9, 9), (RING, 40, 40, 9, 9)],
            [(CROSS, 5, 5, 9, 9), (CROSS, 40, 40, 9, 9)],
            ["- Ring ×2", "+ Cross ×2"],
        ),
        ([(RING, 0, 0, 9, 9)], [(RING, 90, 90, 9, 9)], ["- Ring", "+ Ring, box 9 × 9"]),
        ([(9, 0, 0, 9, 9)], [(RING, 0, 0, 9, 9)], ["- 9", "+ Ring"]),
        ([(RING, 0, 0, 0, 0)], [(RING, 3, 0, 0, 0)], ["- Ring", "+ Ring, box 0 × 0"]),
    ],
    ids=[
        *("nothing", "the same", "relabeled", "relabeled and moved", "moved", "moved a little", "resized"),
        *("resized a little", "drawn", "removed", "the last removed", "another order", "two relabeled"),
        *("far away", "a class without a name", "empty boxes"),
    ],
)
def test_objects_with_boxes_differ_in_words(before, after, words):
    assert told(sample(*before), sample(*after)) == words


def labels(*known):
    return Annotations(labels=list(known), boxes=np.empty((0, 4)))


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (labels(RING), labels(CROSS), ["- Ring", "+ Cross"]),
        (labels(RING, STAR), labels(STAR, RING), []),
        (labels(), labels(RING, RING), ["+ Ring ×2"]),
        (labels(RING), labels(), ["- Ring"]),
    ],
    ids=["another", "another order", "added", "removed"],
)
def test_labels_alone_differ_in_words(before, after, words):
    assert told(before, after, paired=False) == words


def test_boxes_that_belong_to_no_label_are_told_apart_from_labels():
    before = Annotations(labels=[RING], boxes=np.array([[0, 0, 9, 9], [40, 0, 9, 9]], float))
    after = Annotations(labels=[STAR], boxes=np.array([[0, 2, 9, 9], [40, 0, 9, 9]], float))
    assert told(before, after, paired=False) == ["- Ring", "+ Star", "box 1 moved 2 px down"]


@pytest.mark.parametrize(
    ("htype", "before", "after", "words"),
    [
        ("generic", np.array(3), np.array(3), []),
        ("generic", np.array(3), np.array(4), ["age 3 → 4"]),
        ("generic", np.array([0.5]), np.array([0.25]), ["age 0.5 → 0.25"]),
        ("generic", None, np.array(4), ["age empty → 4"]),
        ("generic", np.zeros(3), np.ones(3), ["age changed"]),
        ("generic", np.array(np.nan), np.array(np.nan), []),
        ("text", "left", "right", ["age left → right"]),
        ("text", "left", "x" * 80, ["age changed"]),
        ("json", {"a": 1}, {"a": 2}, ["age changed"]),
    ],
    ids=["same", "number", "real", "first", "array", "nan", "text", "long text", "json"],
)
def test_another_value_differs_in_words(htype, before, after, words):
    assert [one["text"] for one in value_words("age", htype, before, after)] == words
