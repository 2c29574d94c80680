"""Labels in every form a user has them in give the same counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import penstock
from penstock.errors import SamplingError
from penstock.sampling import (
    ClassCounts,
    SequentialStream,
    Strata,
    batch_composition,
    class_counts,
    effective_number,
    imbalanced_subset,
    inverse_frequency,
    repeat_factor,
    square_root,
    target_proportions,
    times_seen_table,
)
from penstock.sampling.pool._labels import _RESERVED
from penstock.tql.syntax._lexer import KEYWORDS, SOFT

ROWS = [0, 0, 0, 1]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    ds = penstock.empty(tmp_path_factory.mktemp("given") / "ds")
    ds.create_tensor("note", htype="text")
    ds.create_tensor("labels", htype="class_label", class_names=["0", "1"])
    ds.create_tensor("number", dtype="int64")
    ds.extend({"note": ["a"] * 4, "labels": ROWS, "number": ROWS})
    ds.commit("labels")
    return ds


def torch_tensor(_):
    torch = pytest.importorskip("torch")
    return torch.tensor(ROWS)


FORMS = {
    "list": lambda _: ROWS,
    "tuple": lambda _: tuple(ROWS),
    "array": lambda _: np.array(ROWS),
    "small integers": lambda _: np.array(ROWS, np.uint8),
    "column": lambda _: np.array(ROWS)[:, None],
    "whole floats": lambda _: np.array(ROWS, np.float32),
    "booleans": lambda _: np.array(ROWS, bool),
    "texts": lambda _: ["0", "0", "0", "1"],
    "objects": lambda _: np.array(ROWS, object),
    "lists": lambda _: [[0], [0], [0], [1]],
    "bool matrix": lambda _: np.array([[1, 0], [1, 0], [1, 0], [0, 1]], bool),
    "series": lambda _: pd.Series(ROWS),
    "series of texts": lambda _: pd.Series(["0", "0", "0", "1"]),
    "categories": lambda _: pd.Series(["0", "0", "0", "1"], dtype="category"),
    "nullable": lambda _: pd.array(ROWS, dtype="Int64"),
    "torch": torch_tensor,
    "counts": lambda _: ClassCounts.from_labels(ROWS),
    "tensor": lambda ds: ds.labels,
    "tensor of numbers": lambda ds: ds.number,
    "tensor of a view": lambda ds: ds[[0, 1, 2, 3]].labels,
    "dataset": lambda ds: ds,
    "view": lambda ds: ds.query("select *"),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_labels_of_every_form_count_the_same(dataset, form):
    found = class_counts(form(dataset))
    assert found.instances.tolist() == [3, 1]
    assert found.class_names == ("0", "1")
    assert found.num_rows == 4


HELPERS = {
    "inverse_frequency": inverse_frequency,
    "square_root": square_root,
    "effective_number": effective_number,
    "repeat_factor": repeat_factor,
    "target_proportions": lambda labels: target_proportions(labels, {"1": 0.5}),
    "imbalanced_subset": lambda labels: imbalanced_subset(labels, {"0": 2, "1": 1}).rows.tolist(),
    "batch_composition": lambda labels: batch_composition(SequentialStream(4), labels, 2).counts.tolist(),
    "times_seen_table": lambda labels: times_seen_table(SequentialStream(4), labels).times_seen.tolist(),
    "from_labels": lambda labels: Strata.from_labels(labels).sizes.tolist(),
    "from_weights": lambda labels: Strata.from_weights([1, 1, 1, 2], labels=labels).sizes.tolist(),
    "from_masks": lambda labels: Strata.from_masks([[True, False, True, False]], labels=labels).sizes.tolist(),
}


@pytest.mark.parametrize("helper", HELPERS.values(), ids=HELPERS)
def test_helpers_take_labels_of_every_form(dataset, helper):
    wanted = helper(ClassCounts.from_labels(ROWS))
    assert helper(ROWS) == wanted
    assert helper(dataset.labels) == wanted
    assert helper(dataset) == wanted


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ("cat", "are a str"),
        ({"a": 1}, "are a dict"),
        (3, "are a int"),
        (None, "are a NoneType"),
        ([0.5, 1.0], "label 0.5 of sample 0"),
        ([0.0, float("nan")], "label nan of sample 1"),
        (["cat", None], "label None of sample 1"),
        ([0, -1], "class index -1"),
        ([[0], 1], "labels of sample 1 are 1"),
        (np.zeros((2, 3), int), "astype(bool)"),
        (np.zeros((2, 3, 4)), "shape (2, 3, 4)"),
        ([[0], ["cat"]], "label 'cat' of sample 1"),
    ],
    ids=str,
)
def test_what_is_no_label_is_refused_with_its_place(labels, words):
    with pytest.raises(SamplingError) as caught:
        inverse_frequency(labels)
    assert words in str(caught.value)


def test_a_tensor_of_text_is_refused_with_the_labels_there_are(dataset):
    with pytest.raises(SamplingError, match=r"'note' \(text\).*ds\['labels'\]"):
        inverse_frequency(dataset.note)


def test_conditions_quote_tensors_named_like_words_of_the_language():
    assert ClassCounts.from_labels([0], tensor="order").condition(0) == "contains(\"order\", '0')"
    assert ClassCounts.from_labels([0], tensor="a/b").condition(0) == "contains(\"a/b\", '0')"
    assert ClassCounts.from_labels([0], tensor="date").condition(0) == "contains(date, '0')"
    assert _RESERVED == KEYWORDS - SOFT
