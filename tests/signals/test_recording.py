"""What is kept of recorded numbers, against a plain loop over the records."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from penstock.errors import SignalError
from penstock.signals import Recorder, Runs, RunState, RunWriter, stored_run
from penstock.signals._aligned import places_of
from penstock.storage import Location


def reference(records: Sequence[tuple[int, int, float]]) -> dict[int, tuple[float, float, int, int]]:
    """Return last, mean, count and position of each row, by hand."""
    kept: dict[int, tuple[float, float, int, int]] = {}
    for row, position, given_value in sorted(records, key=lambda one: one[1]):
        value = float(np.float32(given_value))
        _, mean, count, _ = kept.get(row, (math.nan, math.nan, 0, 0))
        count += 1
        if math.isfinite(value):
            mean = float(np.float32(mean + (value - mean) * max(1 / count, 0.1))) if math.isfinite(mean) else value
        kept[row] = (value, mean, count, position)
    return kept


def state_of(recorder: Recorder, num_rows: int) -> RunState:
    state = RunState(np.arange(num_rows))
    state.fold(recorder.collect(), {})
    return state


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.floats(width=32, allow_nan=True)), min_size=1, max_size=80),
    st.integers(1, 9),
)
def test_last_mean_count_and_position_are_those_of_a_loop(records: list[tuple[int, float]], batch: int) -> None:
    recorder = Recorder(7)
    for begin in range(0, len(records), batch):
        rows, values = zip(*records[begin : begin + batch], strict=True)
        recorder.record(np.array(rows), None, {"loss": np.array(values)})
    state = state_of(recorder, 7).signals["loss"]
    expected = reference([(row, position, value) for position, (row, value) in enumerate(records)])
    for row in range(7):
        last, mean, count, position = expected.get(row, (math.nan, math.nan, 0, 0))
        np.testing.assert_equal(float(state.last[row]), last)
        np.testing.assert_equal(float(state.mean[row]), mean)
        assert (int(state.count[row]), int(state.position[row])) == (count, position)


def test_a_row_and_signal_take_16_bytes() -> None:
    recorder = Recorder(1000)
    recorder.record(np.arange(1000), None, {"loss": np.ones(1000)})
    state = state_of(recorder, 1000).signals["loss"]
    assert state.last.nbytes + state.mean.nbytes + state.seen.nbytes == 16 * 1000


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (np.array([True, False]), [1.0, 0.0]),
        (np.array([2**24 + 1, -(2**24) - 3]), [2.0**24, -(2.0**24) - 4]),  # the nearest float32
        (np.array([2**64 - 1, 0], np.uint64), [2.0**64, 0.0]),
        (np.array([1e300, -1e300]), [math.inf, -math.inf]),
        (np.array([[0.5], [1.5]], np.float16), [0.5, 1.5]),
        ([1, 2.5], [1.0, 2.5]),
    ],
)
def test_what_is_kept_of_other_types(value: Any, kept: list[float]) -> None:
    recorder = Recorder(2)
    recorder.record([0, 1], None, {"loss": value})
    assert state_of(recorder, 2).signals["loss"].last.tolist() == kept


@pytest.mark.parametrize(
    ("rows", "positions", "values", "message"),
    [
        ([0, 1], None, {"loss": np.ones(3)}, "one number for each of the 2 samples"),
        ([0, 1], None, {"loss": np.array(0.5)}, "reduction='none'"),
        ([0, 1], None, {"loss": np.ones((2, 10))}, "reduce it"),
        ([0, 2], None, {"loss": np.ones(2)}, "row 2 does not exist"),
        ([-1, 0], None, {"loss": np.ones(2)}, "row -1 does not exist"),
        ([0.0, 1.0], None, {"loss": np.ones(2)}, "Expected rows"),
        ([[0, 1]], None, {"loss": np.ones(2)}, "Expected rows"),
        ([0, 1], [0], {"loss": np.ones(2)}, "positions"),
        ([0, 1], [0, 2**40], {"loss": np.ones(2)}, "position"),
        ([0, 1], None, {"loss": np.array(["a", "b"])}, "dtype"),
        ([0, 1], None, {"loss": np.array([1j, 2])}, "dtype"),
        ([0, 1], None, {"loss": [None, 1]}, "dtype"),
        ([0, 1], None, {"loss": [[1], [1, 2]]}, "array of numbers"),
        ([0, 1], None, {"../x": np.ones(2)}, "not a valid signal name"),
        ([0, 1], None, {"uid": np.ones(2)}, "not a valid signal name"),
        ([0, 1], None, {"a\x00b": np.ones(2)}, "not a valid signal name"),
    ],
)
def test_what_is_refused_records_nothing(rows: Any, positions: Any, values: dict[str, Any], message: str) -> None:
    recorder = Recorder(2)
    with pytest.raises(SignalError, match=message):
        recorder.record(rows, positions, {"fine": np.ones(2), **values})
    assert recorder.collect() == []


def test_values_are_copied_when_they_are_recorded() -> None:
    recorder, loss = Recorder(2), np.ones(2)
    recorder.record([0, 1], None, {"loss": loss})
    loss[:] = 7
    assert state_of(recorder, 2).signals["loss"].last.tolist() == [1.0, 1.0]


def test_tensors_that_need_gradients_and_brain_floats() -> None:
    torch = pytest.importorskip("torch")
    recorder = Recorder(2)
    loss = torch.ones(2, requires_grad=True) * 3
    recorder.record(torch.tensor([0, 1]), None, {"loss": loss, "half": torch.ones(2, dtype=torch.bfloat16)})
    state = state_of(recorder, 2)
    assert state.signals["loss"].last.tolist() == [3.0, 3.0]
    assert state.signals["half"].last.tolist() == [1.0, 1.0]


class FarTensor:
    """A tensor on a device that must not be waited for before `may_wait`."""

    def __init__(self, values: Any, waits: list[str]) -> None:
        self._values, self.waits = np.asarray(values), waits
        self.device = type("device", (), {"type": "far"})()
        self.shape, self.ndim, self.dtype = self._values.shape, self._values.ndim, "far.float32"

    def detach(self) -> FarTensor:
        return self

    def reshape(self, _size: int) -> FarTensor:
        return FarTensor(self._values.reshape(-1), self.waits)

    def float(self) -> FarTensor:
        return FarTensor(self._values.astype(np.float32), self.waits)

    def to(self, where: str, *, non_blocking: bool = False) -> np.ndarray[Any, Any]:
        assert where == "cpu"
        if not non_blocking:
            self.waits.append("to")
        return self._values

    def __array__(self, *_: Any, **__: Any) -> np.ndarray[Any, Any]:
        raise TypeError("a tensor on a device cannot be read as an array")


def test_no_device_is_waited_for_before_the_epoch_ends() -> None:
    waits: list[str] = []
    recorder = Recorder(4)
    for step in range(3):
        recorder.record(np.array([step, 3]), None, {"loss": FarTensor([float(step), 9.0], waits)})
    recorder.record(FarTensor([0, 1], waits), None, {"loss": FarTensor([7, 8], waits)})
    assert waits == []
    assert state_of(recorder, 4).signals["loss"].last.tolist() == [7.0, 8.0, 2.0, 9.0]
    assert waits


def test_a_row_from_a_device_that_does_not_exist_is_left_out_and_reported() -> None:
    recorder = Recorder(2)
    recorder.record(FarTensor([0, 5], []), None, {"loss": FarTensor([1.0, 2.0], [])})
    recorder.record(np.array([1]), None, {"loss": np.array([4.0])})
    with pytest.raises(SignalError, match="row 5 does not exist"):
        recorder.collect()
    assert state_of(recorder, 2).signals["loss"].count.tolist() == [0, 1]


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_samples_are_found_whatever_was_deleted_appended_or_moved(data: st.DataObject) -> None:
    known = data.draw(st.lists(st.integers(0, 40), unique=True, max_size=25))
    kept = [uid for uid in known if data.draw(st.integers(0, 4))]
    more = data.draw(st.lists(st.integers(0, 60), max_size=6))
    uids = data.draw(st.sampled_from([kept, kept + more, kept[::-1] + more, more + kept]))
    expected = [known.index(uid) if uid in known else -1 for uid in uids]
    assert places_of(np.array(uids, np.int64), np.array(known, np.int64)).tolist() == expected


# ---- on the disk ---------------------------------------------------------------------------------


@settings(deadline=None, max_examples=15)
@given(hnp.arrays(np.float32, 12), st.permutations(range(12)))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, values: Any, order: list[int]) -> None:
    location = Location(tmp_path_factory.mktemp("set"))
    uids = np.arange(100, 120)
    run = Runs(location).start("a", lambda: uids, {"label": "v"})
    run.record(np.array(order), None, {"loss": values})
    run.write()
    found = stored_run(Runs(location)["a"]).state().at(uids).signals["loss"]
    expected = np.full(20, np.nan, np.float32)
    expected[order] = values
    np.testing.assert_array_equal(found.last.view(np.int32)[:12], expected.view(np.int32)[:12])
    assert found.count.tolist() == [1] * 12 + [0] * 8


@pytest.mark.parametrize("world", [2, 3])
def test_the_ranks_of_a_run_join_to_the_bits_of_one(tmp_path: Path, world: int) -> None:
    rng = np.random.default_rng(3)
    uids = rng.permutation(1000)[:50]
    one = Runs(Location(tmp_path / "one")).start("a", lambda: uids, {})
    several = [
        Runs(Location(tmp_path / "several")).start("a", lambda: uids, {}, rank=rank, world=world)
        for rank in range(world)
    ]
    for epoch in range(3):
        rows, values = rng.integers(0, 50, 120), rng.standard_normal(120)
        positions = np.arange(120) + 120 * epoch
        for begin in range(0, 120, 8):
            some = slice(begin, begin + 8)
            extra = {"hit": values[some] > 0} if begin % 3 else {}
            one.record(rows[some], positions[some], {"loss": values[some], **extra})
            rank = (begin // 8) % world
            several[rank].record(rows[some], positions[some], {"loss": values[some], **extra})
        one.write()
        for rank in reversed(range(world)) if epoch < 2 else range(world):  # the last folds late, or not at all
            several[rank].write()
    for run in (one, *several):
        run.close()
    expected, found = (stored_run(Runs(Location(tmp_path / name))["a"]).state().at(uids) for name in ("one", "several"))
    assert expected.signals.keys() == found.signals.keys() == {"loss", "hit"}
    for name, state in expected.signals.items():
        assert state.last.tobytes() == found.signals[name].last.tobytes()
        assert state.mean.tobytes() == found.signals[name].mean.tobytes()
        assert state.seen.tobytes() == found.signals[name].seen.tobytes()


def test_a_run_of_three_ranks_that_is_resumed_with_two_equals_one_of_one(tmp_path: Path) -> None:
    """The third rank dies in the second epoch, which two ranks do again from its beginning."""
    rng = np.random.default_rng(5)
    rows, values = rng.integers(0, 20, (3, 60)), rng.standard_normal((3, 60))

    def start(folder: str, rank: int, world: int, *, resumed: bool = False) -> RunWriter:
        return Runs(Location(tmp_path / folder)).start(
            "a", lambda: np.arange(20), {}, rank=rank, world=world, resumed=resumed
        )

    def record(run: RunWriter, epoch: int, rank: int, world: int) -> None:
        some = np.flatnonzero(np.arange(60) // 5 % world == rank)
        run.record(rows[epoch, some], some + 60 * epoch, {"loss": values[epoch, some]})
        run.write(epoch)

    one = start("one", 0, 1)
    for epoch in range(3):
        record(one, epoch, 0, 1)
    three = [start("several", rank, 3) for rank in range(3)]
    for rank in (2, 1, 0):
        record(three[rank], 0, rank, 3)
    for rank in (1, 0):
        record(three[rank], 1, rank, 3)
    two = [start("several", rank, 2, resumed=True) for rank in range(2)]
    for epoch in (1, 2):
        for rank in (1, 0):
            record(two[rank], epoch, rank, 2)
    for run in (one, *two):
        run.close()
    expected, found = (
        stored_run(Runs(Location(tmp_path / name))["a"]).state().at(np.arange(20)).signals["loss"]
        for name in ("one", "several")
    )
    assert expected.last.tobytes() == found.last.tobytes()
    assert expected.mean.tobytes() == found.mean.tobytes()
    assert expected.seen.tobytes() == found.seen.tobytes()
    assert list((tmp_path / "several" / "runs" / "a" / "parts").iterdir()) == []
