"""Class labels without class names go by their numbers, wherever they are counted."""

from __future__ import annotations

import pytest

import penstock
from penstock.sampling import inverse_frequency


@pytest.fixture
def ds(tmp_path):
    dataset = penstock.empty(tmp_path / "ds")
    dataset.create_tensor("labels", htype="class_label")
    dataset.extend({"labels": [[0], [3], [1, 3], []]})
    dataset.commit("all")
    return dataset


@pytest.mark.parametrize("condition", ["contains(labels, 3)", "contains(labels, '3')", "any(labels == '3')"])
def test_a_query_finds_a_nameless_class_by_its_number(ds, condition):
    assert ds.query(f"select * where {condition}").indices.tolist() == [1, 2]


def test_a_query_samples_nameless_classes(ds):
    view = ds.query("select * sample by max_weight(contains(labels, '3'): 1) limit 50")
    assert set(view.indices.tolist()) == {1, 2}


@pytest.mark.parametrize(
    "weights",
    [
        "max_weight(contains(labels, '3'): 3, True: 1)",
        "max_weight(contains(labels, 3): 3, True: 1)",
        [1.0, 3.0, 3.0, 1.0],
    ],
    ids=["text", "number", "weights"],
)
def test_a_plan_counts_nameless_classes(ds, weights):
    plan = ds.plan(weights)
    assert plan.strata.labels.class_names == ("0", "1", "2", "3")
    assert plan.strata.labels.instances.tolist() == [1, 1, 0, 2]
    assert plan.probabilities[plan.strata.ids].tolist() == [0.125, 0.375, 0.375, 0.125]


def test_a_balanced_plan_of_nameless_classes_is_made(ds):
    plan = ds.plan(inverse_frequency(ds, background=0))
    assert plan.probabilities[plan.strata.ids].tolist() == pytest.approx([0.4, 0.2, 0.4, 0])  # 1 : 1/2 : 1 : 0


def test_the_explorer_opens_on_nameless_classes(ds):
    explorer = penstock.explore(ds)
    assert explorer.session.class_names == ("0", "1", "2", "3")
