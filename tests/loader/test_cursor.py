"""What is armed for an epoch stays with it, whatever is asked of the loader meanwhile."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from penstock.errors import LoaderError
from penstock.loader import Loader
from penstock.table import ArrayTable

COUNT = 60


def table_of(count=COUNT):
    """A text beside the labels, so that batches are read by threads and not gathered."""
    texts = [f"row {row}" for row in range(count)]
    return ArrayTable({"labels": np.arange(count) % 2, "text": texts}, class_names={"labels": ["a", "b"]})


def weighted(weights):
    return Loader(table_of()).sample_by(weights).batch(5).numpy()


def test_an_iterator_of_before_new_weights_counts_under_its_own():
    """Ten draws by equal weights expect five of each class, five draws of odd rows expect five of one class."""
    loader = weighted(np.ones(COUNT))
    before = iter(loader)
    next(before)
    loader.with_weights(np.where(np.arange(COUNT) % 2, 1.0, 0.0))
    after = iter(loader)
    assert set(next(after)["labels"].ravel().tolist()) == {1}
    next(before)
    audit = loader.audit()
    assert (audit.num_draws, audit.expected.tolist()) == (15, [5, 10])


def test_an_iterator_of_before_moves_the_loader_no_more():
    loader = Loader(table_of()).batch(5).numpy()
    before = iter(loader)
    next(before)
    after = iter(loader)
    next(after)
    next(before)
    assert loader.state_dict()["epoch"] == 1
    assert loader.state_dict()["consumed"] == 5


def test_steps_of_a_chain_leave_the_loader_they_are_taken_on():
    base = Loader(table_of())
    first, second = base.batch(5), base.batch(7)
    assert (first.batch_size, second.batch_size, base.batch_size) == (5, 7, 1)
    with pytest.raises(LoaderError, match="already been called"):
        first.batch(7)


class OwnLoader(Loader):
    """A user's own."""


def test_a_step_keeps_the_class():
    assert type(OwnLoader(table_of()).batch(5).numpy()) is OwnLoader


def test_a_step_keeps_the_init_function_of_workers():
    loader = Loader(table_of())
    loader.worker_init_fn = print
    assert loader.batch(5).numpy().worker_init_fn is print


@pytest.mark.parametrize(
    "again", [copy.copy, lambda loader: pickle.loads(pickle.dumps(loader))], ids=["copy", "pickle"]
)
def test_a_copy_begins_at_the_first_epoch_with_the_weights_of_now(again):
    loader = weighted(np.ones(COUNT))
    loader.with_weights(np.where(np.arange(COUNT) % 2, 1.0, 0.0))
    next(iter(loader))
    other = again(loader)
    assert other.state_dict()["consumed"] == 0
    assert set(next(iter(other))["labels"].ravel().tolist()) == {1}
