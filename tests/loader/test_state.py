"""state_dict and load_state_dict: exact wherever a run stops."""

from __future__ import annotations

import json

import numpy as np
import pytest

from penstock.errors import LoaderStateError
from penstock.loader import Loader
from penstock.table import ArrayTable, Selection


def make(table, batch=7, **options):
    return Loader(table, seed=3).shuffle().batch(batch).numpy(tensors=["labels"], **options)


def epochs(loader, count):
    return [[batch["index"].tolist() for batch in loader] for _ in range(count)]


@pytest.mark.parametrize("stop", range(17), ids=str)
def test_resume_equals_the_uninterrupted_run_at_every_batch_of_two_epochs(table, stop):
    whole = [batch for epoch in epochs(make(table), 3) for batch in epoch]
    loader, given = make(table), []
    while len(given) < stop:
        for batch in loader:
            given.append(batch["index"].tolist())
            if len(given) == stop:
                break
    state = json.loads(json.dumps(loader.state_dict()))
    resumed = make(table)
    resumed.load_state_dict(state)
    while len(given) < len(whole):
        given += [batch["index"].tolist() for batch in resumed]
    assert given == whole


def test_state_at_the_last_batch_finishes_the_epoch_with_nothing(table):
    loader = make(table)
    iterator = iter(loader)
    for _ in range(len(loader)):
        next(iterator)
    resumed = make(table)
    resumed.load_state_dict(loader.state_dict())
    assert list(resumed) == []
    assert resumed.epoch == 1
    assert epochs(resumed, 1) == [epochs(make(table), 2)[1]]


def test_state_after_the_end_is_the_start_of_the_next_epoch(table):
    loader = make(table)
    epochs(loader, 1)
    resumed = make(table)
    resumed.load_state_dict(loader.state_dict())
    assert epochs(resumed, 1) == epochs(make(table), 2)[1:]


def test_state_counts_what_was_handed_over_not_what_was_read_ahead(table):
    loader = make(table, batch=5, prefetch_factor=4)
    iterator = iter(loader)
    next(iterator)
    assert loader.state_dict()["consumed"] == 5


def test_resume_twice_in_one_epoch(table):
    whole = epochs(make(table), 1)[0]
    first = make(table)
    iterator = iter(first)
    given = [next(iterator)["index"].tolist() for _ in range(2)]
    second = make(table)
    second.load_state_dict(first.state_dict())
    iterator = iter(second)
    given += [next(iterator)["index"].tolist() for _ in range(3)]
    third = make(table)
    third.load_state_dict(second.state_dict())
    given += [batch["index"].tolist() for batch in third]
    assert given == whole


def test_another_batch_size_and_thread_count_go_on_at_the_same_sample(table):
    whole = [row for batch in epochs(make(table), 1)[0] for row in batch]
    first = make(table, batch=7, num_threads=1)
    iterator = iter(first)
    next(iterator)
    second = make(table, batch=4, num_threads=4)
    second.load_state_dict(first.state_dict())
    assert [row for batch in epochs(second, 1)[0] for row in batch] == whole[7:]


def test_abandoned_epoch_counts(table):
    loader = make(table)
    next(iter(loader))
    assert epochs(loader, 1) == epochs(make(table), 2)[1:]


def test_integers_of_a_state_give_the_place(table):
    state = make(table).state_dict()
    assert {name for name, value in state.items() if isinstance(value, int)} == {"format", "epoch", "start", "consumed"}


def other_version(table):
    return ArrayTable({"labels": np.arange(50) % 5}, class_names={"labels": list("abcde")}, version="after an edit")


@pytest.mark.parametrize(
    ("told", "change"),
    [
        ("the dataset's version", lambda table: make(other_version(table))),
        ("the seed", lambda table: Loader(table, seed=4).shuffle().batch(7).numpy()),
        ("the sampling", lambda table: Loader(table, seed=3).batch(7).numpy()),
        ("the offset", lambda table: Loader(table, seed=3).shuffle().offset(2).batch(7).numpy()),
        (
            "the query",
            lambda table: Loader(
                table, Selection(rows=np.arange(50), version="memory", query_string="select * limit 50"), seed=3
            ).shuffle().batch(7).numpy(),
        ),
        (
            "the rows",
            lambda table: Loader(table, Selection(rows=np.arange(50)[::-1], version="memory"), seed=3)
            .shuffle().batch(7).numpy(),
        ),
    ],
    ids=["version", "seed", "shuffle", "offset", "query", "rows"],
)  # fmt: skip
def test_what_has_changed_is_refused_by_name(table, told, change):
    state = make(table).state_dict()
    with pytest.raises(LoaderStateError, match=told):
        change(table).load_state_dict(state)


@pytest.mark.parametrize(
    "state",
    [None, {}, {"format": 9}, {"format": 1, "epoch": -1, "start": 0, "consumed": 0, "fingerprint": {}}, {"format": 1, "epoch": 0, "start": 0, "consumed": True, "fingerprint": {}}, {"format": 1, "epoch": 0, "start": 0, "consumed": 0}],
    ids=["none", "empty", "format", "negative", "bool", "no-fingerprint"],
)  # fmt: skip
def test_what_is_no_state_is_refused(table, state):
    with pytest.raises(LoaderStateError):
        make(table).load_state_dict(state)
