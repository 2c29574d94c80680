"""Samplers that are given other weights while they are in use."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.errors import LoaderStateError, SamplingError
from penstock.sampling import Clause, SamplingSpec, Strata, TorchBatchSampler, TorchSampler

N = 50
HARD = np.where(np.arange(N) < 3, 1.0, 0.0)


def plan(weights, **options):
    return Strata.from_weights(weights).with_spec(SamplingSpec(**{"seed": 4, **options}))


EVEN = plan(np.ones(N))
SAMPLERS = {
    "samples": lambda source=EVEN, **layout: TorchSampler(source, batch_size=8, **layout),
    "batches": lambda source=EVEN, **layout: TorchBatchSampler(source, 8, **layout),
}


@pytest.fixture(params=SAMPLERS.values(), ids=SAMPLERS)
def make(request):
    return request.param


def rows(sampler):
    return [row for given in sampler for row in (given if isinstance(given, list) else [given])]


@pytest.mark.parametrize(
    "weights", [HARD, HARD.tolist(), plan(HARD), plan(HARD, seed=8)], ids=["array", "list", "plan", "other seed"]
)
def test_new_weights_go_on_in_the_stream(make, weights):
    sampler = make()
    assert rows(sampler) == EVEN.stream().slice(0, 50).tolist()
    assert sampler.with_weights(weights) is sampler
    hard = plan(HARD).stream()
    assert rows(sampler) == hard.slice(50, 100).tolist()
    assert rows(sampler) == hard.slice(100, 150).tolist()


def test_a_spec_of_the_same_clauses_is_taken_up(make):
    strata = Strata.from_masks({"first": np.arange(N) < 3, "True": np.ones(N, bool)})
    sampler = make(strata.with_spec(SamplingSpec(clauses=(Clause("first", 1), Clause("True", 1)))))
    rows(sampler)
    sampler.with_weights(SamplingSpec(clauses=(Clause("first", 1), Clause("True", 0)), size=9))
    drawn = rows(sampler)
    assert len(drawn) == 9
    assert max(drawn) < 3


def test_the_epoch_under_way_is_not_touched(make):
    sampler = make()
    iterator = iter(sampler)
    next(iterator)
    sampler.with_weights(HARD)
    rows(iterator)
    assert sampler.state_dict()["position"] == 50
    assert max(rows(sampler)) < 3


def test_two_ranks_stay_in_step(make):
    ranks = [make(rank=rank, world_size=2) for rank in (0, 1)]
    for sampler in ranks:
        rows(sampler)
        sampler.with_weights(HARD)
    stream = plan(HARD).stream()
    whole = [stream.slice(64 + step * 16, 64 + (step + 1) * 16).tolist() for step in range(4)]
    assert rows(ranks[0]) == [row for step in whole for row in step[:8]]
    assert rows(ranks[1]) == [row for step in whole for row in step[8:]]


def test_a_state_resumes_under_the_same_weights(make):
    sampler = make()
    rows(sampler)
    iterator = iter(sampler.with_weights(HARD))
    next(iterator)
    resumed = make().with_weights(HARD)
    resumed.load_state_dict(sampler.state_dict())
    assert rows(resumed) == rows(iterator)


def test_a_state_is_refused_under_other_weights(make):
    sampler = make()
    rows(sampler)
    next(iter(sampler.with_weights(HARD)))
    with pytest.raises(LoaderStateError, match="another stream"):
        make().load_state_dict(sampler.state_dict())


def test_epochs_without_replacement_between_bring_no_words_back(make):
    sampler = make()
    rows(sampler)
    sampler.with_weights(plan(np.ones(N), mode="once", size=7))
    assert len(set(rows(sampler))) == 7
    sampler.with_weights(EVEN)
    assert rows(sampler) == EVEN.stream().slice(50, 100).tolist()


def test_a_trainer_that_names_the_epochs_gets_the_same(make):
    sampler, named = make(), make()
    plans = [None, plan(np.ones(N), mode="once", size=7), None, EVEN, HARD]
    for epoch, weights in enumerate(plans):
        for one in (sampler, named):
            if weights is not None:
                one.with_weights(weights)
        named.set_epoch(epoch)
        assert rows(named) == rows(sampler), epoch


REFUSED = {
    "a spec without clauses": (EVEN.spec, "says nothing about weights"),
    "other clauses": (SamplingSpec(clauses=(Clause("x", 1),)), "has the clauses 'x'"),
    "an expression": (SamplingSpec(expression="score"), "weighs by 'score'"),
    "a text": ("max_weight(True: 1)", r"ds\.plan\(text\)"),
    "too few": (HARD[:4], "weights of 4 samples; 50"),
    "all zero": (np.zeros(N), "nothing can be drawn"),
}


@pytest.mark.parametrize(("weights", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_weights_is_refused_before_anything_changes(make, weights, message):
    sampler = make()
    rows(sampler)
    with pytest.raises(SamplingError, match=message):
        sampler.with_weights(weights)
    assert rows(sampler) == EVEN.stream().slice(50, 100).tolist()


def test_a_sampler_of_a_stream_has_no_weights(make):
    with pytest.raises(SamplingError, match="made of a stream"):
        make(EVEN.stream()).with_weights(HARD)
