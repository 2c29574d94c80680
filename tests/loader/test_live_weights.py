"""Weights that are given in the middle of an epoch: what is claimed follows the old, the rest the new, to the draw."""

from __future__ import annotations

import itertools
import json
import threading

import numpy as np
import pytest

from penstock.errors import LoaderError, LoaderStateError, PenstockError, SamplingError
from penstock.loader import Loader
from penstock.sampling import Clause, SamplingSchedule, SamplingSpec, ScheduleEntry, Strata
from penstock.table import ArrayTable

N, BATCH = 300, 8
CLAUSES = ("labels == 'rare'", "labels == 'odd'", "True")
FIXED, TEXT = ["labels", "x"], ["labels", "x", "text"]
"""Tensors that are gathered from arrays, and some that reader threads read."""


@pytest.fixture(scope="module")
def table():
    labels = np.where(np.arange(N) % 10 == 0, 2, np.arange(N) % 2)
    columns = {"labels": labels, "x": np.arange(N) / 2, "text": [f"row {row}" for row in range(N)]}
    return ArrayTable(columns, class_names={"labels": ["even", "odd", "rare"]})


def spec(rare, odd=1.0, true=1.0, **options):
    clauses = tuple(Clause(text, weight) for text, weight in zip(CLAUSES, (rare, odd, true), strict=True))
    return SamplingSpec(clauses=clauses, **{"seed": 4, "combine": "sum", **options})


def doubled(sample):
    return {**sample, "x": sample["x"] * 2}


PATHS = {
    "gathered": lambda chain: chain.numpy(tensors=FIXED),
    "threads": lambda chain: chain.numpy(tensors=TEXT, num_threads=2),
    "no threads": lambda chain: chain.numpy(tensors=TEXT, num_threads=0),
    "workers": lambda chain: chain.transform(doubled).numpy(tensors=TEXT, num_workers=2),
}


def loader_of(table, path="gathered", *, mode="iid", first=None, size=None, **batch):
    chain = Loader(table, seed=4).sample_by(spec(3.0, mode=mode, size=size) if first is None else first)
    return PATHS[path](chain.batch(BATCH, **batch))


def rows_of(batches):
    return [batch["index"].tolist() for batch in batches]


def flat(batches):
    return [row for batch in batches for row in batch]


def plans(table, specs):
    loader = Loader(table, seed=4)
    return [loader.sample_by(each)._pool.plan for each in specs]


def drawn_by_hand(table, entries, stop):
    """What the streams of the entries draw: independent draws at their own positions, a deck from its entry on."""
    drawn = []
    for (start, each), end in zip(entries, [*(start for start, _ in entries[1:]), stop], strict=True):
        if each.mode == "deck":
            own = ScheduleEntry(start, each).drawn
            drawn += plans(table, [own])[0].stream().slice(0, end - start).tolist()
        else:
            drawn += plans(table, [each])[0].stream().slice(start, end).tolist()
    return drawn


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("mode", ["iid", "deck"])
def test_what_is_claimed_follows_the_old_weights_and_the_rest_the_new(table, path, mode):
    with loader_of(table, path, mode=mode) as loader:
        given, specs = [], [spec(3.0, mode=mode)]
        iterator = iter(loader)
        for rare in (50.0, 0.5, 9.0):
            given += rows_of(itertools.islice(iterator, 3))
            specs.append(spec(rare, mode=mode))
            loader.with_weights(specs[-1], when="next_batch")
            assert loader.schedule.starts[-1] >= BATCH * len(given)
        given += rows_of(iterator)
        given += rows_of(loader)
        schedule = loader.schedule
        assert schedule.starts == tuple(sorted(set(schedule.starts)))
        assert all(start % BATCH == 0 or start == N for start in schedule.starts)
        entries = [(entry.start, entry.spec) for entry in schedule.entries]
        assert [each for _, each in entries][-1] == specs[-1]
        assert [row for batch in given for row in batch] == drawn_by_hand(table, entries, 2 * N)


def test_the_position_is_the_first_that_is_not_claimed(table):
    """Without threads nothing is read ahead; gathered batches are claimed 32 or more at a time."""
    loader = loader_of(table, "no threads")
    iterator = iter(loader)
    list(itertools.islice(iterator, 3))
    loader.with_weights(spec(50.0), when="next_batch")
    assert loader.schedule.starts == (0, 24)
    list(itertools.islice(iterator, 1))
    loader.with_weights(spec(9.0), when="next_batch")
    loader.with_weights(spec(8.0), when="next_batch")
    assert [(entry.start, entry.spec.weights[0]) for entry in loader.schedule.entries] == [(0, 3), (24, 50), (32, 8)]


def test_weights_given_before_the_first_batch_hold_from_the_start(table):
    loader = loader_of(table).with_weights(spec(50.0), when="next_batch")
    assert loader.schedule == SamplingSchedule([(0, spec(50.0))])
    assert loader.weights == spec(50.0)


def test_weights_given_between_epochs_hold_from_the_next(table):
    loader = loader_of(table, "threads")
    list(loader)
    loader.with_weights(spec(50.0), when="next_batch")
    assert loader.schedule.starts == (0, N)


def test_weights_given_when_all_is_claimed_hold_from_the_next_epoch(table):
    loader = loader_of(table, "no threads")
    iterator = iter(loader)
    first = rows_of(itertools.islice(iterator, len(loader)))
    loader.with_weights(spec(50.0), when="next_batch")
    assert (rows_of(iterator), loader.schedule.starts) == ([], (0, N))
    second = rows_of(loader)
    assert [row for batch in first + second for row in batch] == drawn_by_hand(
        table, [(0, spec(3.0)), (N, spec(50.0))], 2 * N
    )


def test_an_abandoned_epoch_keeps_its_positions(table):
    loader = loader_of(table, "no threads")
    list(itertools.islice(loader, 3))
    loader.with_weights(spec(50.0), when="next_batch")
    assert loader.schedule.starts == (0, 24)
    assert flat(rows_of(loader)) == drawn_by_hand(table, [(0, spec(50.0))], 2 * N)[N:]


@pytest.mark.parametrize("mode", ["iid", "deck"])
@pytest.mark.parametrize("path", ["gathered", "threads"])
def test_a_live_run_is_replayed_by_its_schedule(table, path, mode):
    loader, given = loader_of(table, path, mode=mode), []
    for epoch in range(3):
        for number, batch in enumerate(loader):
            given.append(batch["index"].tolist())
            if number % 11 == 5:
                loader.with_weights(spec(1.0 + number + 40 * epoch, mode=mode), when="next_batch")
        loader.with_weights(spec(100.0 + epoch, mode=mode))
    schedule = SamplingSchedule.from_json(loader.schedule.to_json())
    assert len(schedule.entries) > (
        2 if path == "gathered" else 6
    )  # as many as there are trays, which are claimed whole
    for other in PATHS:
        with loader_of(table, other, first=schedule) as again:
            assert rows_of(itertools.chain(again, again, again)) == given
            assert again.schedule == schedule
            assert again.audit().passed


@pytest.mark.parametrize("mode", ["iid", "deck"])
@pytest.mark.parametrize("path", ["gathered", "no threads"])
def test_a_state_goes_on_in_every_entry(table, path, mode):
    loader, given, states = loader_of(table, path, mode=mode), [], []
    for epoch in range(2):
        for number, batch in enumerate(loader):
            given.append(batch["index"].tolist())
            if number % 9 == 4:
                loader.with_weights(spec(1.0 + number + 40 * epoch, mode=mode), when="next_batch")
            states.append(json.dumps(loader.state_dict()))
    schedule = loader.schedule
    for place in range(0, len(states), 5):
        state = json.loads(states[place])
        again = loader_of(table, "no threads", mode=mode)
        again.load_state_dict(state)
        assert again.state_dict() == state
        known = SamplingSchedule.from_json(state["schedule"])
        border = next((entry.start for entry in schedule.entries if entry not in known.entries), 2 * N)
        expected = [row for batch in given[place + 1 :] for row in batch]
        got = [row for batch in itertools.chain(again, again) for row in batch["index"].tolist()]
        same = border - (state["start"] + state["consumed"])
        assert got[:same] == expected[:same]


def test_a_state_of_an_array_goes_on_where_the_array_is_given(table):
    weights = np.linspace(0, 1, N)
    loader = loader_of(table, "no threads")
    iterator = iter(loader)
    list(itertools.islice(iterator, 3))
    loader.with_weights(weights, when="next_batch")
    list(itertools.islice(iterator, 2))
    state = json.loads(json.dumps(loader.state_dict()))
    with pytest.raises(LoaderStateError, match="call with_weights before load_state_dict"):
        loader_of(table, "no threads").load_state_dict(state)
    again = loader_of(table, "no threads").with_weights(weights)
    again.load_state_dict(state)
    assert rows_of(again) == rows_of(iterator)
    assert again.state_dict() == loader.state_dict()


def test_the_first_version_of_a_state_is_still_read(table):
    loader = loader_of(table, "no threads")
    iterator = iter(loader)
    list(itertools.islice(iterator, 5))
    state = loader.state_dict()
    first = {name: state[name] for name in ("epoch", "start", "consumed", "fingerprint")} | {"format": 1}
    again = loader_of(table, "no threads")
    again.load_state_dict(first)
    assert rows_of(again) == rows_of(iterator)


@pytest.mark.parametrize(
    "spoiled",
    [{"schedule": "{}"}, {"schedule": 3}, {"streams": None}, {"streams": []}, {"streams": [1]}, {"streams": ["a"]}],
    ids=str,
)
def test_a_spoiled_schedule_is_refused_and_nothing_changes(table, spoiled):
    loader = loader_of(table, "no threads")
    list(itertools.islice(loader, 2))
    loader.with_weights(spec(9.0), when="next_batch")
    state = loader.state_dict()
    again = loader_of(table, "no threads")
    before = again.state_dict()
    if spoiled == {"streams": ["a"]}:
        spoiled = {"streams": ["a", "b"]}
    with pytest.raises(LoaderStateError):
        again.load_state_dict({**state, **spoiled})
    assert again.state_dict() == before


REFUSED = {
    "another size": ({}, lambda: spec(9.0, size=40), SamplingError, "size is 40"),
    "another mode": ({}, lambda: spec(9.0, mode="deck"), SamplingError, "mode is 'deck'"),
    "another combination": ({}, lambda: spec(9.0, combine="max"), SamplingError, "combine is 'max'"),
    "without replacement": ({"mode": "once"}, lambda: spec(9.0, mode="once"), LoaderError, "drawn as a whole"),
    "a clause of no tensor": ({}, lambda: SamplingSpec(clauses=(Clause("y > 3", 1.0),)), PenstockError, "y"),
}


@pytest.mark.parametrize(("options", "weights", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_begin_within_an_epoch_is_refused_before_anything_changes(table, options, weights, error, message):
    loader, other = loader_of(table, "no threads", **options), loader_of(table, "no threads", **options)
    iterator, same = iter(loader), iter(other)
    next(iterator), next(same)
    with pytest.raises(error, match=message):
        loader.with_weights(weights(), when="next_batch")
    assert loader.schedule == other.schedule
    assert rows_of(iterator) == rows_of(same)


def test_an_offset_has_no_next_batch_in_an_epoch(table):
    chain = Loader(table, seed=4).sample_by(spec(3.0)).batch(BATCH).offset(5).numpy(tensors=FIXED)
    next(iter(chain))
    with pytest.raises(LoaderError, match="offset=5"):
        chain.with_weights(spec(9.0), when="next_batch")


def test_processes_that_share_an_epoch_agree_between_epochs_only(table):
    loader = Loader(table, seed=4).sample_by(spec(3.0)).batch(BATCH).numpy(distributed=True)
    with pytest.raises(LoaderError, match="distributed=True"):
        loader.with_weights(spec(9.0), when="next_batch")


def test_another_time_than_next_is_refused(table):
    with pytest.raises(LoaderError, match="did you mean 'next_batch'"):
        loader_of(table).with_weights(spec(9.0), when="next batch")


def test_weights_of_another_mode_are_no_schedule(table):
    loader = loader_of(table, "no threads")
    list(loader)
    loader.with_weights(plans(table, [spec(9.0, mode="deck")])[0])
    with pytest.raises(LoaderError, match="another mode"):
        loader.schedule  # noqa: B018  a property that raises
    state = json.loads(json.dumps(loader.state_dict()))
    drawn = rows_of(loader)
    again = loader_of(table, "no threads").with_weights(plans(table, [spec(9.0, mode="deck")])[0])
    again.load_state_dict(state)
    assert rows_of(again) == drawn


def test_a_loader_without_weights_has_no_schedule(table):
    assert Loader(table).batch(4).numpy().schedule is None


def test_batches_that_a_trainer_names_follow_the_weights_of_when_they_are_read(table):
    loader = loader_of(table, "no threads")
    dataset, given = loader.dataset, []
    for number, rows in enumerate(loader.batch_sampler):
        if number == 3:  # named already, not read
            loader.with_weights(spec(50.0), when="next_batch")
        given += dataset.__getitems__(rows)["index"].tolist()
    assert loader.schedule.starts == (0, 24)
    assert given == drawn_by_hand(table, [(0, spec(3.0)), (24, spec(50.0))], N)


@pytest.mark.parametrize("path", ["gathered", "threads"])
def test_weights_from_another_thread_never_split_a_batch(table, path):
    """A slider that moves all the time, while the loop reads: the schedule says what was read, whatever the timing."""
    loader, given, over = loader_of(table, path), [], threading.Event()

    def slide():
        for rare in itertools.cycle([1.0, 5.0, 25.0]):
            if over.is_set():
                return
            loader.with_weights(spec(rare), when="next_batch")

    slider = threading.Thread(target=slide)
    slider.start()
    try:
        for _ in range(4):
            given += rows_of(loader)
    finally:
        over.set()
        slider.join()
    schedule = loader.schedule
    assert len(schedule.entries) > 1
    again = loader_of(table, "no threads", first=schedule)
    assert rows_of(itertools.chain(*[again] * 4)) == given


def test_an_audit_adds_up_the_weights_that_were(table):
    """Of N rows 30 are rare: with weights 3 + 1 against 1 and 2 they are expected as often as this says."""
    loader = loader_of(table, "no threads")
    iterator = iter(loader)
    list(itertools.islice(iterator, 10))
    loader.with_weights(spec(50.0), when="next_batch")
    list(iterator)
    shares = []
    for rare in (3.0, 50.0):
        masses = np.array([150 * 1.0, 120 * 2.0, 30 * (rare + 1)])
        masses[0] = sum(1 for row in range(N) if row % 10 and row % 2 == 0)
        masses[1] = 2.0 * sum(1 for row in range(N) if row % 10 and row % 2)
        shares.append(masses / masses.sum())
    audit = loader.audit()
    assert audit.num_draws == N
    assert audit.expected == pytest.approx(80 * shares[0] + (N - 80) * shares[1])
    assert audit.passed


def test_weights_keep_an_epoch_as_long_as_it_is(table):
    loader = loader_of(table, "no threads", size=100, drop_last=True)
    iterator = iter(loader)
    list(itertools.islice(iterator, 5))
    loader.with_weights(np.arange(N, dtype=float), when="next_batch")
    assert len(rows_of(iterator)) == 7
    assert loader.schedule.starts == (0, 40)


def test_a_plan_of_strata_by_hand_is_what_is_drawn(table):
    weights = np.arange(1.0, N + 1)
    loader = loader_of(table, "no threads", first=np.ones(N))
    iterator = iter(loader)
    list(itertools.islice(iterator, 2))
    loader.with_weights(weights, when="next_batch")
    rest = flat(rows_of(iterator))
    assert rest == Strata.from_weights(weights).with_spec(SamplingSpec(seed=4)).stream().slice(16, N).tolist()


def test_weights_that_wait_for_the_next_epoch_are_in_a_state(table):
    loader = loader_of(table, "no threads")
    iterator = iter(loader)
    list(itertools.islice(iterator, 5))
    loader.with_weights(spec(50.0))
    state = json.loads(json.dumps(loader.state_dict()))
    again = loader_of(table, "no threads")
    again.load_state_dict(state)
    assert again.state_dict() == state
    assert (rows_of(again), rows_of(again)) == (rows_of(iterator), rows_of(loader))


def test_an_array_that_waits_and_cannot_be_had_is_warned_of(table):
    loader = loader_of(table, "no threads")
    iterator = iter(loader)
    list(itertools.islice(iterator, 5))
    loader.with_weights(np.arange(N, dtype=float))
    again = loader_of(table, "no threads")
    with pytest.warns(UserWarning, match="give them again"):
        again.load_state_dict(loader.state_dict())
    assert rows_of(again) == rows_of(iterator)


@pytest.mark.parametrize("name", ["epoch", "start", "consumed"])
def test_a_state_beyond_all_positions_is_refused(table, name):
    with loader_of(table) as loader, pytest.raises(LoaderStateError, match="Expected whole numbers"):
        loader.load_state_dict({**loader.state_dict(), name: 2**70})


@pytest.mark.parametrize("mode", ["iid", "deck", "once"])
def test_an_epoch_beyond_all_positions_is_refused(table, mode):
    with loader_of(table, mode=mode) as loader, pytest.raises(LoaderError, match=r"below 2\*\*32"):
        loader.set_epoch(2**70)


def test_a_spec_may_ask_for_other_clauses_than_the_one_before(table):
    loader = loader_of(table)
    loader.with_weights(SamplingSpec(clauses=(Clause("x > 100", 1.0),), combine="sum"), when="next_epoch")
    rows = [row for batch in rows_of(loader) for row in batch]
    assert min(rows) > 200  # x is half the row's number
    assert loader.schedule.entries[-1].spec.seed == 4
    assert flat(rows_of(Loader(table, seed=4).sample_by(loader.schedule).batch(BATCH).numpy(tensors=FIXED))) == rows
