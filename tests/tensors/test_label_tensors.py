"""Which label tensor is counted, and kinds in words."""

from __future__ import annotations

import pytest

from penstock.errors import DatasetError, TensorNotFoundError
from penstock.tensors import TensorSpec, kind_in_words, label_tensor, label_tensors, labels_in_words


def specs(**kinds):
    return {name: TensorSpec(name=name, htype=kind, dtype="int64") for name, kind in kinds.items()}


BOTH = specs(age="generic", first="class_label", second="class_label")


def test_the_first_label_tensor_is_counted_by_default():
    assert label_tensors(BOTH) == ["first", "second"]
    assert label_tensor(BOTH) == "first"
    assert label_tensor(BOTH, "second") == "second"
    assert label_tensor(specs(age="generic")) is None


def test_a_tensor_without_labels_is_refused():
    with pytest.raises(DatasetError, match=r"labels='age'. Expected a class_label tensor: first, second"):
        label_tensor(BOTH, "age")
    with pytest.raises(DatasetError, match=r"labels='age'. Expected a class_label tensor: this dataset has none"):
        label_tensor(specs(age="generic"), "age")


def test_a_tensor_that_does_not_exist_is_refused_with_the_nearest():
    with pytest.raises(TensorNotFoundError, match=r"'secnd' is not a tensor.*did you mean 'second'"):
        label_tensor(BOTH, "secnd")


@pytest.mark.parametrize(
    ("lengths", "words"),
    [((1, 1), "one per sample"), ((3, 3), "3 per sample"), ((0, 5), "0–5 per sample"), ((None, None), "")],
)
def test_labels_a_sample_are_described_in_words(lengths, words):
    spec = TensorSpec(name="x", htype="class_label", dtype="int64", length_min=lengths[0], length_max=lengths[1])
    assert labels_in_words(spec) == words
    assert labels_in_words(TensorSpec(name="x", dtype="int64", length_min=1, length_max=1)) == ""


def test_a_kind_is_described_in_words():
    assert kind_in_words(BOTH["first"]) == "class label"
    assert kind_in_words(TensorSpec(name="x", htype="image", dtype="uint8", link=True)) == "image, linked"
