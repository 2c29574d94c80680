"""Samplers for torch: layout over ranks, resume from every position, other world sizes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from penstock.errors import LoaderStateError, SamplingError
from penstock.sampling import (
    SamplingSchedule,
    SchedulePlan,
    SequentialStream,
    ShuffledStream,
    TorchBatchSampler,
    TorchSampler,
)

MODES = ["iid", "deck", "once"]
WORLDS = [1, 2, 3, 4, 8]


def flat(batches):
    return [row for batch in batches for row in batch]


def global_batches(plan, batch_size, world_size, *, state=None, drop_last=False, epochs=1, take=None):
    """Batches of all ranks, step by step, and the state of rank 0 after the last."""
    ranks = [
        TorchBatchSampler(plan, batch_size, drop_last, rank=rank, world_size=world_size) for rank in range(world_size)
    ]
    for rank in ranks:
        if state is not None:
            rank.load_state_dict(json.loads(json.dumps(state)))
    told = []
    for _ in range(epochs):
        for step in zip(*ranks, strict=True):
            told.append([row for batch in step for row in batch])
            if take is not None and len(told) == take:
                return told, ranks[0].state_dict()
    return told, ranks[0].state_dict()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("world_size", WORLDS)
def test_global_batches_depend_on_the_product_alone(article, mode, world_size):
    plan = article(mode=mode, size=100)
    alone, _ = global_batches(plan, 24, 1, drop_last=True, epochs=2)
    shared, _ = global_batches(plan, 24 // world_size, world_size, drop_last=True, epochs=2)
    assert shared == alone
    assert len(alone) == 8


@pytest.mark.filterwarnings("ignore:the state was taken at the end")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("drop_last", [True, False])
@pytest.mark.parametrize("world_size", WORLDS)
def test_resume_from_every_step_of_two_epochs_is_exact(article, mode, drop_last, world_size):
    plan = article(mode=mode, size=61).stream()
    options = {"drop_last": drop_last, "epochs": 3}
    whole, _ = global_batches(plan, 4, world_size, **options)
    steps = len(whole) // 3
    for taken in range(1, 2 * steps + 1):
        _, state = global_batches(plan, 4, world_size, take=taken, **options)
        rest, _ = global_batches(plan, 4, world_size, state=state, **options)
        assert rest[: 3 * steps - taken] == whole[taken:]


@pytest.mark.filterwarnings("ignore:the state was taken at the end")
@pytest.mark.parametrize("mode", ["iid", "deck"])
@pytest.mark.parametrize("first", WORLDS)
@pytest.mark.parametrize("second", WORLDS)
def test_another_world_size_goes_on_in_the_same_stream(article, mode, first, second):
    plan = article(mode=mode, size=61).stream()
    stream = plan.slice(0, 1000).tolist()
    for taken in (1, 3, 7):
        before, state = global_batches(plan, 3, first, drop_last=True, take=taken, epochs=9)
        after, _ = global_batches(plan, 3, second, drop_last=True, state=state, epochs=3)
        rows = flat(before + after)
        assert rows == stream[: len(rows)]


def test_another_world_size_finishes_an_epoch_without_replacement(article):
    plan = article(mode="once", size=60)
    before, state = global_batches(plan, 5, 2, take=3)
    after, _ = global_batches(plan, 5, 3, state=state)
    assert flat(before + after) == plan.stream().epoch(0).tolist()


@pytest.fixture
def four_ranks():
    return [list(TorchSampler(ShuffledStream(103, seed=1), rank=rank, world_size=4)) for rank in range(4)]


def test_ranks_are_equally_long(four_ranks):
    assert {len(rows) for rows in four_ranks} == {26}


def test_ranks_cover_all_rows(four_ranks):
    assert set().union(*four_ranks) == set(range(103))


def test_a_sampler_and_a_batch_sampler_agree(article):
    for world_size in WORLDS:
        for rank in range(world_size):
            layout = {"rank": rank, "world_size": world_size, "drop_last": True}
            batches = TorchBatchSampler(article(), 7, **layout)
            assert list(TorchSampler(article(), batch_size=7, **layout)) == flat(batches)


def test_every_iteration_is_the_next_epoch(article):
    plan = article()
    sampler = TorchSampler(plan)
    sampler.set_epoch(5)
    assert list(sampler) == plan.stream().epoch(5).tolist()
    assert list(sampler) == plan.stream().epoch(6).tolist()


def test_an_abandoned_iteration_counts_as_an_epoch(article):
    plan = article()
    sampler = TorchSampler(plan)
    next(iter(sampler))
    assert list(sampler) == plan.stream().epoch(1).tolist()


def test_set_epoch_does_not_undo_a_restored_position(article):
    sampler = TorchSampler(article())
    rows = iter(sampler)
    seen = [next(rows) for _ in range(10)]
    other = TorchSampler(article())
    other.load_state_dict(sampler.state_dict())
    other.set_epoch(0)
    assert seen + list(other) == article().stream().epoch(0).tolist()
    other.set_epoch(1)
    assert list(other) == article().stream().epoch(1).tolist()


@pytest.mark.filterwarnings("ignore:the state was taken at the end")
@pytest.mark.parametrize("mode", MODES)
def test_single_draws_resume_at_every_position(article, mode):
    plan = article(mode=mode, size=23).stream()
    sampler = TorchSampler(plan)
    whole = [row for _ in range(2) for row in sampler]
    sampler, told = TorchSampler(plan), 0
    for _ in range(2):
        for _row in sampler:
            told += 1
            other = TorchSampler(plan)
            other.load_state_dict(sampler.state_dict())
            rest = list(other) + list(other)
            assert rest[: 46 - told] == whole[told:]


def test_delivered_counts_leave_out_what_was_fetched_ahead(article):
    sampler = TorchBatchSampler(article(), 8)
    ahead = iter(sampler)
    batches = [next(ahead) for _ in range(6)]
    other = TorchBatchSampler(article(), 8)
    other.load_state_dict(sampler.state_dict(num_delivered=2))
    assert next(iter(other)) == batches[2]


def test_a_short_last_batch_of_one_process():
    sampler = TorchBatchSampler(SequentialStream(10), 4)
    assert [len(batch) for batch in sampler] == [4, 4, 2]
    assert len(sampler) == 3
    assert [len(batch) for batch in TorchBatchSampler(SequentialStream(10), 4, drop_last=True)] == [4, 4]


@pytest.mark.parametrize("bad", [{"batch_size": 0}, {"rank": 2, "world_size": 2}])
def test_a_layout_that_is_none_is_named(bad):
    with pytest.raises(SamplingError, match=r"batch_size|rank 2"):
        len(TorchBatchSampler(SequentialStream(4), **{"batch_size": 2, **bad}))


def test_a_state_of_another_seed_is_refused(article):
    state = TorchSampler(article(seed=1)).state_dict()
    with pytest.raises(LoaderStateError, match="another stream"):
        TorchSampler(article(seed=2)).load_state_dict(state)


@pytest.mark.torch
def test_a_torch_dataloader_takes_both(article):
    torch = pytest.importorskip("torch")
    rows = torch.arange(175)
    plan = article()
    loader = torch.utils.data.DataLoader(rows, batch_size=16, sampler=TorchSampler(plan))
    batched = torch.utils.data.DataLoader(rows, batch_sampler=TorchBatchSampler(plan, 16))
    for epoch in range(2):
        drawn = plan.stream().epoch(epoch).tolist()
        assert torch.cat(list(loader)).tolist() == drawn
        assert torch.cat(list(batched)).tolist() == drawn
    assert len(batched) == 11


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("mode", MODES)
def test_accelerate_shares_the_batches_out_once(article, mode):
    """Its shards of the whole sequence are what our ranks take by themselves."""
    shard = pytest.importorskip("accelerate.data_loader").BatchSamplerShard
    plan = article(mode=mode)
    for rank in range(2):
        theirs = list(shard(TorchBatchSampler(plan, 8, drop_last=True), num_processes=2, process_index=rank))
        ours = list(TorchBatchSampler(plan, 8, drop_last=True, rank=rank, world_size=2))
        assert theirs[: len(ours)] == ours


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")
def test_a_prepared_loader_gives_each_rank_its_batches_once(article):
    prepare = pytest.importorskip("accelerate.data_loader").prepare_data_loader
    torch = pytest.importorskip("torch")
    plan, rows = article(), torch.arange(175)
    for rank in range(2):
        loader = torch.utils.data.DataLoader(rows, batch_sampler=TorchBatchSampler(plan, 8, drop_last=True))
        theirs = [batch.tolist() for batch in prepare(loader, num_processes=2, process_index=rank)]
        ours = list(TorchBatchSampler(plan, 8, drop_last=True, rank=rank, world_size=2))
        assert theirs[: len(ours)] == ours


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("num_workers", [0, 1])
@pytest.mark.parametrize("taken", [3, 13, 25])
def test_a_stateful_dataloader_resumes_in_any_epoch(article, num_workers, taken):
    stateful = pytest.importorskip("torchdata.stateful_dataloader").StatefulDataLoader
    torch = pytest.importorskip("torch")
    rows, stream = torch.arange(175), article().stream()

    def loader():
        return stateful(rows, batch_sampler=TorchBatchSampler(stream, 16), num_workers=num_workers)

    def batches(source):
        while True:
            yield from source

    whole = [batch.tolist() for _, batch in zip(range(33), batches(loader()), strict=False)]
    first = loader()
    reader = batches(first)
    for _ in range(taken):
        next(reader)
    state = first.state_dict()
    second = loader()
    second.load_state_dict(state)
    assert [batch.tolist() for _, batch in zip(range(33 - taken), batches(second), strict=False)] == whole[taken:]


def test_a_million_rows_need_no_list_of_objects(article):
    sampler = TorchSampler(article(size=1_000_000))
    rows = np.fromiter(sampler, np.int64, 1_000_000)
    assert np.array_equal(rows, article(size=1_000_000).stream().epoch(0))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "make",
    [lambda plan: TorchBatchSampler(plan, 8), lambda plan: TorchSampler(plan, batch_size=8)],
    ids=["batches", "rows"],
)
def test_set_epoch_begins_where_the_epoch_begins_when_batches_do_not_fill_it(article, mode, make):
    sampler = make(article(mode=mode))
    sampler.set_epoch(2)
    assert [row for item in sampler for row in np.atleast_1d(item)] == article(mode=mode).stream().epoch(2).tolist()
    assert sampler.state_dict()["start"] == 350


@pytest.mark.parametrize(
    ("options", "start"), [({"world_size": 2}, 352), ({"drop_last": True}, 336)], ids=["padded", "dropped"]
)
def test_set_epoch_counts_what_is_delivered(article, options, start):
    sampler = TorchBatchSampler(article(), 8, **options)
    sampler.set_epoch(2)
    assert sampler.state_dict()["start"] == start
    assert sampler.num_draws == start // 2


def test_one_process_is_the_whole_world(article):
    assert list(TorchSampler(article(), distributed=True)) == article().stream().epoch(0).tolist()


def test_a_launcher_without_a_process_group_is_refused(article, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(SamplingError, match="WORLD_SIZE is 2"):
        len(TorchSampler(article(), distributed=True))


def test_a_restored_place_that_set_epoch_gives_up_is_warned_of(article):
    sampler = TorchBatchSampler(article(), 8)
    rows = iter(sampler)
    next(rows)
    other = TorchBatchSampler(article(), 8)
    other.load_state_dict(sampler.state_dict())
    with pytest.warns(UserWarning, match="8 draws into epoch 0"):
        other.set_epoch(3)


@pytest.mark.torch
def test_draws_that_a_dataloader_drops_are_warned_of(article):
    torch = pytest.importorskip("torch")
    loader = torch.utils.data.DataLoader(
        torch.arange(175), 8, sampler=TorchSampler(article(mode="deck")), drop_last=True
    )
    with pytest.warns(UserWarning, match="drops 7 of 175 draws"):
        assert len(list(loader)) == 21


class Injected:
    """A sampler as Lightning makes it for a rank."""

    rank, num_replicas = 1, 2


def test_lightning_makes_a_batch_sampler_again_with_its_rank_and_place(article):
    first = TorchBatchSampler(article(), 8)
    first.set_epoch(1)
    arguments = {**getattr(first, "__pl_saved_kwargs"), "sampler": Injected()}
    again = TorchBatchSampler(*getattr(first, "__pl_saved_args"), **arguments)
    assert list(again)[:5] == [article().stream().slice(175 + 8 + 16 * n, 175 + 16 + 16 * n).tolist() for n in range(5)]


def test_a_sampler_of_lightning_is_no_source_of_draws():
    with pytest.raises(SamplingError, match="use_distributed_sampler=False"):
        TorchBatchSampler(Injected(), 8)


def samplers(plan, **options):
    return {"rows": TorchSampler(plan, batch_size=8, **options), "batches": TorchBatchSampler(plan, 8, **options)}


def scheduled(plan):
    return SchedulePlan(schedule=SamplingSchedule(plan.spec), plans=(plan,))


@pytest.mark.parametrize("kind", ["rows", "batches"])
@pytest.mark.parametrize("source", [lambda plan: plan, scheduled], ids=["plan", "schedule"])
def test_an_epoch_that_a_trainer_leaves_early_is_warned_of_once(article, kind, source):
    sampler = samplers(source(article(mode="deck")))[kind]
    for epoch in range(3):
        if epoch == 1:
            with pytest.warns(UserWarning, match="epoch 0 was left with 151 of its 175 draws not read.* size=24"):
                sampler.set_epoch(epoch)
        else:
            sampler.set_epoch(epoch)
        reader = iter(sampler)
        for _ in range(3 if kind == "batches" else 24):
            next(reader)


@pytest.mark.parametrize("kind", ["rows", "batches"])
def test_epochs_that_are_read_to_the_end_are_not_warned_of(article, kind):
    sampler = samplers(article(mode="deck"))[kind]
    for epoch in range(3):
        sampler.set_epoch(epoch)
        for _ in zip(range(len(sampler)), sampler, strict=False):  # stops at the last one, as trainers do
            pass


def test_a_restored_beginning_that_set_epoch_gives_up_is_warned_of(article):
    sampler, other = TorchBatchSampler(article(), 8), TorchBatchSampler(article(), 8)
    sampler.set_epoch(2)
    other.load_state_dict(sampler.state_dict())
    with pytest.warns(UserWarning, match="0 draws into epoch 2"):
        other.set_epoch(0)


def test_a_state_of_the_end_of_an_epoch_says_that_it_gives_nothing_more(article):
    sampler, other = TorchBatchSampler(article(), 8), TorchBatchSampler(article(), 8)
    list(sampler)
    other.load_state_dict(sampler.state_dict())
    with pytest.warns(UserWarning, match=r"end of epoch 0.*set_epoch\(1\) begins it at once"):
        assert list(other) == []
    assert list(other) == list(sampler)


@pytest.mark.torch
def test_a_sampler_takes_the_batch_size_of_its_dataloader(article):
    torch = pytest.importorskip("torch")
    stream = article(mode="deck").stream()
    for rank in range(2):
        sampler = TorchSampler(article(mode="deck"), rank=rank, world_size=2)
        batches = [batch.tolist() for batch in torch.utils.data.DataLoader(torch.arange(175), 8, sampler=sampler)]
        firsts = range(8 * rank, 176, 16)
        assert batches == [stream.slice(first, first + 8).tolist() for first in firsts]


@pytest.mark.torch
def test_a_sampler_of_another_batch_size_than_its_dataloader_is_warned_of(article):
    torch = pytest.importorskip("torch")
    sampler = TorchSampler(article(), batch_size=8, rank=0, world_size=2)
    with pytest.warns(UserWarning, match="TorchSampler has batch_size=8 and its DataLoader batch_size=12"):
        list(torch.utils.data.DataLoader(torch.arange(175), 12, sampler=sampler))


@pytest.mark.parametrize("mode", ["iid", "deck", "once"])
@pytest.mark.parametrize("make", [TorchSampler, lambda plan: TorchBatchSampler(plan, 5)], ids=["draws", "batches"])
def test_a_state_taken_before_the_first_draw_of_an_epoch_resumes_that_epoch(article, mode, make):
    plan = article(mode=mode, size=12)
    sampler = make(plan)
    list(sampler)
    sampler.set_epoch(1)
    state = sampler.state_dict(0)
    second = list(sampler)
    other = make(plan)
    other.load_state_dict(state)
    assert state["epoch"] == 1
    assert list(other) == second


@pytest.mark.parametrize("world_size", [1, 2, 3])
@pytest.mark.parametrize("drop_last", [True, False])
def test_positions_of_batches_are_those_of_the_stream(article, world_size, drop_last):
    plan = article(mode="deck", size=61)
    stream = plan.stream()
    for rank in range(world_size):
        sampler = TorchBatchSampler(plan, 4, drop_last, rank=rank, world_size=world_size)
        for epoch in range(2):
            start = epoch * sampler.num_draws
            for step, rows in enumerate(sampler):
                first = start + (step * world_size + rank) * 4
                assert sampler.positions(rows).tolist() == list(range(first, first + len(rows)))
                assert stream.slice(first, first + len(rows)).tolist() == rows


def test_positions_of_batches_that_a_dataloader_cuts_and_of_batches_asked_for_late():
    sampler = TorchSampler(SequentialStream(40_000))
    rows = list(sampler)
    for first in range(0, 40_000, 24):  # across the runs that the sampler draws at once
        assert sampler.positions(rows[first : first + 24]).tolist() == rows[first : first + 24]
    assert sampler.positions([7, 8]).tolist() == [7, 8]
    assert list(sampler)[:2] == [0, 1]
    assert sampler.positions([9, 10]).tolist() == [40_009, 40_010]  # the first that was not asked for yet
    assert sampler.positions([]).tolist() == []
    for unknown in ([3, 5], [40_000], [[1, 2]], ["a"]):
        with pytest.raises(SamplingError, match="no batch that this sampler gave"):
            sampler.positions(unknown)


def test_a_recreated_sampler_shares_what_it_gave(article):
    mine = TorchBatchSampler(article(mode="iid", size=24), 4)
    batches = list(TorchBatchSampler(mine, 4))  # as Lightning makes it again
    assert [mine.positions(rows)[0] for rows in batches] == list(range(0, 24, 4))
