"""Sums of classes per stratum as tables, each beside the array it was made of."""

from __future__ import annotations

import gc

import numpy as np

from penstock.sampling import ClassCounts, Strata


def strata():
    labels = ClassCounts.from_lists([[0, 0], [1], [0, 1]], class_names=("cat", "dog"))
    return Strata.from_weights([1, 1, 2], labels=labels)


def test_a_table_holds_the_sums_of_each_stratum_and_class():
    sums = strata().class_sums
    assert sums.table(sums.instances).tolist() == [[2, 1], [1, 1]]
    assert sums.table(sums.rows_with_class).tolist() == [[1, 1], [1, 1]]
    assert sums.table(sums.instances_squared).tolist() == [[4, 1], [1, 1]]


def test_a_table_is_made_once():
    sums = strata().class_sums
    assert sums.table(sums.instances) is sums.table(sums.instances)


def test_a_table_is_never_that_of_an_array_that_is_gone():
    """An address is used again once an array is freed: sums kept by address would come back for other arrays."""
    sums = strata().class_sums
    for value in range(50):
        assert (sums.table(np.full(4, float(value))) == value).all()
        gc.collect(0)


def test_there_is_no_table_where_it_would_be_large():
    labels = ClassCounts.from_labels(np.arange(600), class_names=tuple(map(str, range(600))))
    sums = Strata.from_weights(np.arange(600) + 1.0, labels=labels).class_sums
    assert sums.table(sums.instances) is None
