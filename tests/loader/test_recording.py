"""`loader.record`: numbers at the positions they were drawn at, written whatever ends the loop; and what follows them."""

from __future__ import annotations

import gc
import itertools
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

import penstock
from penstock.errors import DatasetError, LoaderError, SamplingError, SignalError
from penstock.loader import Loader
from penstock.sampling import hard_mining
from penstock.storage import RunFolder
from penstock.table import ArrayTable

N, BATCH = 90, 7


@pytest.fixture
def ds(tmp_path):
    ds = penstock.empty(str(tmp_path / "ds"))
    ds.create_tensor("x")
    ds.create_tensor("caption", htype="text")
    ds.create_tensor("labels", htype="class_label", class_names=["even", "odd"])
    rows = range(N)
    ds.extend(
        {"x": [[row / 4] for row in rows], "caption": [f"row {row}" for row in rows], "labels": [[r % 2] for r in rows]}
    )
    ds.commit("made")
    return ds


def loader_of(ds, *, tensors=("x",), run="a", mode="iid", **options):
    chain = ds.dataloader().sample_by("max_weight(labels == 'odd': 3, True: 1)", mode=mode)
    return chain.batch(BATCH).numpy(tensors=list(tensors), run=run, **options)


def train_rows(loader):
    return [row for batch in loader for row in batch["index"].tolist()]


def train(loader, stop=None):
    """Report x times 8 and how many batches there were before; return the rows in the order of the draws."""
    rows = []
    for batch in itertools.islice(loader, stop):
        loader.record(batch, loss=batch["x"].ravel() * 8, step=np.full(len(batch["index"]), len(rows)))
        rows += batch["index"].tolist()
    return rows


@pytest.mark.parametrize("tensors", [("x",), ("x", "caption")], ids=["gathered", "read"])
def test_a_number_is_kept_with_the_position_it_was_drawn_at(ds, tensors):
    with loader_of(ds, tensors=tensors) as loader:
        rows = train(loader) + train(loader)
    last = {row: position for position, row in enumerate(rows)}
    signals = ds.signals("a")
    seen = np.isin(np.arange(N), rows)
    assert signals.names == ["loss", "step"]
    assert np.array_equal(signals.values("loss"), np.where(seen, np.arange(N) * 2.0, np.nan), equal_nan=True)
    position = signals.values("loss", "position")
    assert {row: int(position[row]) for row in last} == last
    assert signals.values("loss", "count")[seen].tolist() == [rows.count(row) for row in np.flatnonzero(seen)]


def test_rows_in_place_of_a_batch_and_batches_behind(ds):
    loader = loader_of(ds)
    batches = list(itertools.islice(loader, 3))
    for batch in (batches[2], batches[0]):
        loader.record(batch["index"], loss=np.zeros(BATCH))
    loader.record([5, 6], other=[1, 2])
    loader.close()
    expected = batches[0]["index"].tolist() + batches[2]["index"].tolist()
    position = ds.signals("a").values("loss", "position")
    for row in set(expected):
        assert position[row] in [at if at < BATCH else at + BATCH for at, other in enumerate(expected) if other == row]
    assert ds.signals("a").values("other")[[5, 6]].tolist() == [1, 2]


def test_a_run_keeps_its_schedule_and_arrays(ds):
    loader = loader_of(ds)
    weights = np.arange(1.0, N + 1)
    drawn = [train(loader)]
    loader.with_weights(weights)
    drawn.append(train(loader))
    loader.close()
    run = ds.runs["a"]
    assert run.schedule == loader.schedule.to_json()
    assert run.weights(loader.schedule.entries[1].weights_sha256).tolist() == weights.tolist()
    again = ds.dataloader().sample_by(loader.schedule).batch(BATCH).numpy(tensors=["x"])
    assert [train_rows(again) for _ in range(2)] == drawn


ENDS = {
    "a loop that is left": "break",
    "an error": "raise ValueError('the model diverged')",
    "the end of the process": "sys.exit(3)",
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_whatever_ends_the_loop_what_was_reported_is_written(ds, end):
    code = f"""
    import sys, penstock
    ds = penstock.load({str(ds.path)!r})
    loader = ds.dataloader().batch({BATCH}).numpy(tensors=["x"], run="ended")
    for number, batch in enumerate(loader):
        loader.record(batch, loss=batch["x"].ravel())
        if number == 2:
            {end}
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False)
    assert "Exception ignored" not in done.stderr, done.stderr
    assert np.flatnonzero(~np.isnan(ds.signals("ended").values("loss"))).tolist() == list(range(3 * BATCH))


def test_a_loader_that_is_collected_writes_what_is_left(ds):
    loader = loader_of(ds, run="collected")
    train(loader, stop=2)
    del loader
    gc.collect()
    assert (~np.isnan(ds.signals("collected").values("loss"))).sum() > 0


def test_an_abandoned_epoch_is_written_when_the_next_begins(ds):
    loader = loader_of(ds)
    train(loader, stop=2)
    assert "a" not in ds.runs
    next(iter(loader))
    assert ds.runs["a"].num_epochs == 0


def test_a_state_goes_on_with_its_run(ds):
    loader = loader_of(ds, run=None)
    first = train(loader)
    state = loader.state_dict()
    loader.close()
    again = loader_of(ds, run=None)
    again.load_state_dict(state)
    second = train(again)
    again.close()
    assert list(ds.runs) == [state["run"]]
    assert ds.signals().values("loss", "count").tolist() == [(first + second).count(row) for row in range(N)]


def test_a_loader_without_a_run_leaves_nothing(ds):
    list(loader_of(ds, run=None))
    assert list(ds.runs) == []


REFUSED = {
    "no index": (lambda loader, batch: loader.record({"x": batch["x"]}, loss=[1]), LoaderError, "return_index=True"),
    "a mean": (lambda loader, batch: loader.record(batch, loss=np.float32(1)), SignalError, "reduction='none'"),
    "too few": (lambda loader, batch: loader.record(batch, loss=[1, 2]), SignalError, "one number for each"),
    "a row that is none": (lambda loader, batch: loader.record([N], loss=[1]), SignalError, f"row {N}"),
}


@pytest.mark.parametrize(("report", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_kept_is_refused(ds, report, error, message):
    loader = loader_of(ds)
    batch = next(iter(loader))
    with pytest.raises(error, match=message):
        report(loader, batch)


def test_samples_of_no_dataset_have_no_run():
    loader = Loader(ArrayTable({"x": np.arange(4.0)})).batch(2).numpy()
    with pytest.raises(LoaderError, match="stored in none"):
        loader.record(next(iter(loader)), loss=[1, 2])


@pytest.mark.parametrize("name", ["a/b", "..", "", 3], ids=repr)
def test_a_name_that_no_run_can_have_is_refused_where_it_is_given(ds, name):
    with pytest.raises((DatasetError, LoaderError)):
        loader_of(ds, run=name)


# ---- weights that follow ------------------------------------------------------------------------


def test_a_weight_of_a_signal_is_what_it_was_when_it_was_armed(ds):
    with loader_of(ds, run="first") as loader:
        train(loader)
    loss = ds.signals("first").values("loss")
    text = "max_weight(signal('loss', run => 'first') > 90: 5, True: 1)"
    loader = ds.dataloader().sample_by(text).batch(BATCH).numpy(tensors=["x"], run="second")
    rows = train(loader)
    [entry] = loader.schedule.entries
    expected = np.where(np.nan_to_num(loss) > 90, 5.0, 1.0)
    assert ds.runs["second"].weights(entry.weights_sha256).tolist() == expected.tolist()
    ds.signals("first").delete()
    again = ds.dataloader().sample_by(loader.schedule).batch(BATCH).numpy(tensors=["x"])
    assert [row for batch in again for row in batch["index"].tolist()] == rows


def test_hard_mining_draws_what_was_hard_and_replays_without_the_signal(ds):
    chain = ds.dataloader().sample_by(hard_mining("loss", quantile=0.8, weight=6)).batch(BATCH)
    loader = chain.numpy(tensors=["x"], run="mined")
    rows, seen = [train(loader)], []
    for _ in range(2):
        seen.append(ds.signals("mined").values("loss"))
        rows.append(train(loader))
    loader.close()
    schedule = loader.schedule
    assert schedule.starts == (0, N, 2 * N, 3 * N)
    for entry, loss in zip(schedule.entries[1:], seen, strict=False):
        known = np.sort(loss[~np.isnan(loss)])
        limit = known[int(np.ceil(0.8 * (len(known) - 1)))]
        expected = np.where(np.nan_to_num(loss, nan=-1) >= limit, 6.0, 1.0)
        assert ds.runs["mined"].weights(entry.weights_sha256).tolist() == expected.tolist()
    again = ds.dataloader().sample_by(schedule).batch(BATCH).numpy(tensors=["x"])
    assert [[row for batch in again for row in batch["index"].tolist()] for _ in range(3)] == rows


def test_hard_mining_goes_on_from_a_state_in_the_middle_of_an_epoch(ds):
    def made():
        chain = ds.dataloader().sample_by(hard_mining("loss", quantile=0.8, weight=6)).batch(BATCH)
        return chain.numpy(tensors=["x"], run="mined")

    loader = made()
    train(loader)
    iterator = iter(loader)
    list(itertools.islice(iterator, 4))
    state = loader.state_dict()
    rest = [batch["index"].tolist() for batch in iterator]
    loader.close()
    again = made()
    again.load_state_dict(state)
    assert [batch["index"].tolist() for batch in again] == rest


def test_a_state_goes_on_with_an_array_that_its_run_keeps_whenever_it_was_killed(ds):
    loader = loader_of(ds, run="killed")
    iterator = iter(loader)
    next(iterator)
    loader.with_weights(np.arange(N, dtype=float), when="next_batch")
    state = loader.state_dict()
    rest = [batch["index"].tolist() for batch in iterator]
    loader._parts.recording._open.finalizer.detach()  # a killed process writes nothing more
    again = loader_of(ds, run="killed")
    again.load_state_dict(state)
    assert [batch["index"].tolist() for batch in again] == rest


def test_hard_mining_of_what_nobody_reports_is_warned_of(ds):
    chain = ds.dataloader().sample_by(hard_mining("los")).batch(BATCH)
    loader = chain.numpy(tensors=["x"], run="mined")
    with pytest.warns(UserWarning, match="no 'los' was recorded"):
        train(loader)


@pytest.mark.parametrize(
    "options",
    [
        {"signal": ""},
        {"signal": 3},
        {"quantile": 1},
        {"quantile": -0.1},
        {"weight": 0},
        {"weight": np.inf},
        {"every": 3},
    ],
    ids=str,
)
def test_hard_mining_out_of_range_is_refused(options):
    with pytest.raises(SamplingError):
        hard_mining(**{"signal": "loss", **options})


@pytest.mark.parametrize(
    "batch",
    [None, "rows", 3, np.int64(3), np.array(3), [[1], [1, 2]]],
    ids=["None", "text", "int", "numpy", "0d", "ragged"],
)
def test_what_is_no_batch_is_refused(ds, batch):
    with pytest.raises(LoaderError, match="the batch"):
        loader_of(ds).record(batch, loss=[1.0])


def test_weights_from_another_thread_never_write_while_an_epoch_is_written(ds, monkeypatch):
    loader = loader_of(ds)
    train(loader)
    lock, write, free = loader._parts.recording._lock, RunFolder.write_bytes, []

    def look():
        free.append(lock.acquire(blocking=False))
        if free[-1]:
            lock.release()

    def watched(*arguments):
        other = threading.Thread(target=look)
        other.start()
        other.join()
        return write(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(RunFolder, "write_bytes", watched)
        loader.with_weights(np.arange(1.0, N + 1), when="next_batch")
    loader.close()
    assert free == [False]


def test_an_epoch_counts_as_finished_for_a_trainer_that_asks_for_no_batch_after_the_last(ds):
    loader = loader_of(ds)
    for _ in range(2):
        train(loader, stop=len(loader))
    assert ds.runs["a"].num_epochs == 1
    loader.close()
    assert ds.runs["a"].num_epochs == 2


def test_a_loop_that_begins_in_the_middle_goes_on_with_the_run_of_its_name(ds):
    with loader_of(ds) as loader:
        train(loader)
    with loader_of(ds) as again:
        again.set_epoch(1)
        train(again)
    with loader_of(ds, run="whole") as whole:
        train(whole)
        train(whole)
    for kind in ("last", "count", "position"):
        found, expected = (ds.signals(name).values("loss", kind) for name in ("a", "whole"))
        assert np.array_equal(found, expected, equal_nan=True)
