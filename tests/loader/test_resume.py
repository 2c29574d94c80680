"""Going on where a run stopped, over random loaders and samplers: the same draws, whatever may differ."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

from penstock.loader import Loader
from penstock.loader.place._state import Place, place_of, state_of
from penstock.sampling import (
    ClassCounts,
    SamplingSpec,
    SequentialStream,
    ShuffledStream,
    Strata,
    TorchBatchSampler,
    TorchSampler,
)
from penstock.table import ArrayTable, Selection

MORE_CASES = range(40, 190)
WEIGHTS = "max_weight(contains(labels, 'a'): 9, contains(labels, 'b'): 3, True: 1)"


class Case:
    """One random loader, and two ways to run it."""

    def __init__(self, seed: int) -> None:
        self.rng = rng = np.random.default_rng(seed)
        count = int(rng.integers(5, 160))
        self.table = ArrayTable({"labels": rng.integers(0, 4, count)}, class_names={"labels": list("abcd")})
        self.mode = rng.choice(["plain", "shuffle", "iid", "deck", "once"])
        self.rows = None
        if rng.random() < 0.4:
            self.rows = np.sort(rng.choice(count, int(rng.integers(3, count + 1)), replace=False))
        self.size = int(rng.integers(1, 2 * count)) if self.mode in {"iid", "deck"} and rng.random() < 0.7 else None
        self.offset = int(rng.integers(0, 40)) if rng.random() < 0.5 else None
        self.drop_last = bool(rng.random() < 0.5)
        self.batches = [int(rng.integers(1, 24)) for _ in range(2)]

    def loader(self, which: int, **options):
        selection = None if self.rows is None else Selection(rows=self.rows, version=self.table.version)
        loader = Loader(self.table, selection, seed=3)
        if self.mode in {"iid", "deck", "once"}:
            loader = loader.sample_by(WEIGHTS, mode=self.mode, size=self.size, replace=self.mode != "once")
        if self.mode == "shuffle":
            loader = loader.shuffle()
        if self.offset is not None:
            loader = loader.offset(self.offset)
        return loader.batch(self.batches[which], drop_last=self.drop_last).numpy(**options)


def rows_of(batches):
    return [row for batch in batches for row in batch["index"].tolist()]


def check_loader(seed, *, workers=False):
    case = Case(seed)
    first, same, other = case.loader(0), case.loader(0), case.loader(1, num_threads=int(case.rng.integers(0, 3)))
    for _ in range(int(case.rng.integers(0, 3))):
        list(first)
    iterator = iter(first)
    list(itertools.islice(iterator, int(case.rng.integers(0, len(first) + 1))))
    state = json.loads(json.dumps(first.state_dict()))
    rest, following = rows_of(iterator), rows_of(first)
    same.load_state_dict(state)
    assert (rows_of(same), rows_of(same)) == (rest, following), f"case {seed}: the same loader"
    other.load_state_dict(state)
    got = rows_of(other)
    both = min(len(rest), len(got))
    assert got[:both] == rest[:both], f"case {seed}: another batch size"
    left = first._parts.cursor.planned.stream.size - state["consumed"]
    assert len(got) == (left // case.batches[1] * case.batches[1] if case.drop_last else left), f"case {seed}: length"
    if workers:
        with case.loader(1, num_workers=1, collate_fn=collated) as spread:
            spread.load_state_dict(state)
            assert [row for batch in spread for row in batch] == got, f"case {seed}: with a worker"
    check_world_sizes(case, seed)


def collated(samples):
    return [sample["index"] for sample in samples]


def ranks_from(cursor, place, world_size, steps=None):
    """Return the draws of all ranks in the order of the global stream, and the epoch of the first rank."""
    epochs = [cursor.epoch_at(place, rank=rank, world_size=world_size) for rank in range(world_size)]
    assert len({epoch.num_batches for epoch in epochs}) == 1
    count = epochs[0].num_batches if steps is None else min(steps, epochs[0].num_batches)
    armed = [cursor.armed(epoch) for epoch in epochs]
    draws = [rank.draws() for rank in armed]
    drawn = [
        rank.draw(own, step).rows.tolist() for step in range(count) for rank, own in zip(armed, draws, strict=True)
    ]
    return [row for rows in drawn for row in rows], epochs[0], count


def check_world_sizes(case, seed):
    """Stop under one number of processes, go on under another."""
    before, after = case.rng.choice([1, 2, 3, 4], 2).tolist()
    cursor, other = case.loader(0)._parts.cursor, case.loader(1)._parts.cursor
    place = Place()
    for _ in range(int(case.rng.integers(0, 3))):
        place = cursor.following(cursor.epoch_at(place, world_size=before))
    whole, epoch, _ = ranks_from(cursor, place, before)
    given, _, steps = ranks_from(cursor, place, before, int(case.rng.integers(0, epoch.num_batches + 1)))
    turned = epoch.turned_within if cursor.planned.continuing and case.offset else None
    place = replace(place, consumed=epoch.consumed_after(steps), turned=turned)
    place = place_of(json.loads(json.dumps(state_of(place, cursor.identity()))), other.identity())
    rest, _, _ = ranks_from(other, place, after)
    both = min(len(whole) - len(given), len(rest))
    if not cursor.planned.continuing:  # beyond the epoch each repeats what fills its own last step
        both = min(both, max(epoch.size - len(given), 0))
    assert rest[:both] == whole[len(given) : len(given) + both], f"case {seed}: {before} to {after} processes"


def sampler_stream(rng):
    count = int(rng.integers(2, 80))
    kind = rng.choice(["plain", "shuffle", "iid", "deck", "once"])
    if kind == "plain":
        return SequentialStream(count)
    if kind == "shuffle":
        return ShuffledStream(count, seed=5)
    labels = ClassCounts(
        values=rng.integers(0, 3, count), offsets=np.arange(count + 1, dtype=np.int64), class_names=("a", "b", "c")
    )
    spec = SamplingSpec(
        mode=kind, replace=kind != "once", seed=7, size=None if kind == "once" else int(rng.integers(1, 90))
    )
    return Strata.from_weights(rng.integers(1, 9, count).astype(float), labels=labels).with_spec(spec).stream()


def stepped(samplers, batch_size, steps=None):
    """Return the rows of all ranks in the order of the stream, for some steps of one iteration."""
    iterators = [iter(sampler) for sampler in samplers]
    rows = []
    for step in itertools.count():
        if step == steps:
            break
        parts = []
        for sampler, iterator in zip(samplers, iterators, strict=True):
            if isinstance(sampler, TorchBatchSampler):
                parts.append(next(iterator, []))
            else:
                parts.append(list(itertools.islice(iterator, batch_size)))
        if not any(parts):
            break
        rows += [row for part in parts for row in part]
    return rows, iterators


def check_sampler(seed):
    rng = np.random.default_rng(seed)
    stream = sampler_stream(rng)
    kind = rng.choice([TorchSampler, TorchBatchSampler])
    drop_last = bool(rng.random() < 0.5)

    def made(batch_size, world_size):
        return [
            kind(stream, batch_size=batch_size, drop_last=drop_last, rank=rank, world_size=world_size)
            for rank in range(world_size)
        ]

    layout, other = [(int(rng.integers(1, 9)), int(rng.integers(1, 5))) for _ in range(2)]
    first = made(*layout)
    for _ in range(int(rng.integers(0, 3))):
        stepped(first, layout[0])
    given, iterators = stepped(first, layout[0], int(rng.integers(1, 12)))
    state = json.loads(json.dumps(first[0].state_dict()))
    del iterators
    assert state["position"] == state["start"] + len(given), f"case {seed}: position"
    for batch_size, world_size in (layout, other):
        again = made(batch_size, world_size)
        for sampler in again:
            sampler.load_state_dict(state)
        rest, _ = stepped(again, batch_size)
        begin, end = state["position"], state["position"] + len(rest)
        if stream.continuing:
            expected = stream.slice(begin, end).tolist()
        else:
            epoch = stream.slice(state["start"], state["start"] + stream.size)
            expected = epoch[np.arange(begin, end) % stream.size - state["start"] % stream.size].tolist()
        assert rest == expected, f"case {seed}: {layout} to {(batch_size, world_size)}"
        left, step = stream.size - len(given), batch_size * world_size
        whole = left // step * step if drop_last else (left if world_size == 1 else -(-left // step) * step)
        assert len(rest) == max(whole, 0), f"case {seed}: length"


@pytest.mark.parametrize("block", range(4))
def test_any_loader_goes_on_with_the_draws_it_would_have_had(block):
    for seed in range(10 * block, 10 * block + 10):
        check_loader(seed)


@pytest.mark.filterwarnings("ignore:the state was taken at the end")
def test_any_sampler_goes_on_with_the_draws_it_would_have_had():
    for seed in range(60):
        check_sampler(seed)


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.exhaustive
def test_many_loaders_go_on_with_the_draws_they_would_have_had():
    for seed in MORE_CASES:
        check_loader(seed, workers=seed % 25 == 0)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:the state was taken at the end")
def test_many_samplers_go_on_with_the_draws_they_would_have_had():
    for seed in MORE_CASES:
        check_sampler(seed)


@pytest.mark.parametrize("mode", ["iid", "deck"])
@pytest.mark.parametrize("batches", [(16, 32), (32, 16), (16, 7)], ids=str)
def test_offset_and_drop_last_go_on_exactly_with_another_batch_size(mode, batches):
    table = ArrayTable({"labels": np.arange(400) % 4}, class_names={"labels": list("abcd")})

    def build(batch):
        chain = Loader(table, seed=1).sample_by(WEIGHTS, mode=mode, size=150)
        return chain.batch(batch, drop_last=True).offset(5).numpy()

    one, two = (build(batch) for batch in batches)
    iterator = iter(one)
    list(itertools.islice(iterator, 2))
    two.load_state_dict(one.state_dict())
    rest, other = rows_of(iterator), rows_of(two)
    both = min(len(rest), len(other))
    assert both > 60
    assert other[:both] == rest[:both]


def test_state_without_the_rotation_is_still_read():
    table = ArrayTable({"labels": np.arange(40) % 4}, class_names={"labels": list("abcd")})

    def build():
        return Loader(table).sample_by(WEIGHTS, size=30).batch(7, drop_last=True).offset(5).numpy()

    one, two = build(), build()
    iterator = iter(one)
    next(iterator)
    state = one.state_dict()
    assert state.pop("turned") == 28
    two.load_state_dict(state)
    assert rows_of(two) == rows_of(iterator)
