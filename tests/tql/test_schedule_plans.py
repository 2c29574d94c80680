"""Schedules over a table: the text of each entry, and its plan."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import PenstockError, SamplingError
from penstock.sampling import Clause, SamplingSchedule, SamplingSpec, TorchSampler, weights_sha256
from penstock.table import ArrayTable
from penstock.tql import make_plan, parse_sampling, schedule_plan

LABELS = np.arange(40) % 4
TABLE = ArrayTable(
    {"label": LABELS.tolist(), "score": np.linspace(0, 1, 40).tolist()},
    class_names={"label": ["car", "dog", "é'x", "d"]},
)
ROWS = np.arange(40)
CONDITIONS = ("label = 'dog'", "label = 'é''x'", "score > 0.5", "True")


def parsed(text, spec):
    found = parse_sampling(text, seed=spec.seed, mode=spec.mode, size=spec.size)
    return found.with_options(interleave=spec.interleave)


@given(
    weights=st.lists(st.lists(st.floats(0.001, 1e6), min_size=4, max_size=4), min_size=1, max_size=4),
    combine=st.sampled_from(["max", "sum", "product"]),
    mode=st.sampled_from(["iid", "deck", "once"]),
    size=st.none() | st.integers(1, 40),
)
def test_the_text_of_each_entry_reads_as_the_entry(weights, combine, mode, size):
    specs = [
        SamplingSpec(clauses=tuple(map(Clause, CONDITIONS, own)), combine=combine, mode=mode, size=size, seed=3)
        for own in weights
    ]
    schedule = SamplingSchedule(tuple((40 * number, spec) for number, spec in enumerate(specs)))
    again = tuple((entry.start, parsed(entry.spec.to_tql(), entry.spec)) for entry in schedule.entries)
    assert SamplingSchedule(again) == schedule


@pytest.mark.parametrize("mode", ["iid", "deck", "once"])
def test_each_entry_is_planned_as_its_text_alone_is(mode):
    texts = ["max_weight(label = 'dog': 5, True: 1)", "max_weight(score > 0.5: 3, True: 1)"]
    specs = [parse_sampling(text, seed=1, mode=mode) for text in texts]
    schedule = SamplingSchedule([(0, specs[0]), (80, specs[1])])
    plan = schedule_plan(TABLE, ROWS, schedule, labels=None)
    for entry, own in zip(schedule.entries, plan.plans, strict=True):
        alone = make_plan(TABLE, ROWS, entry.drawn, entry.drawn, labels=None)
        begin = entry.start if mode != "deck" else 0
        expected = alone.stream().slice(begin, begin + 40)
        assert plan.stream().slice(entry.start, entry.start + 40).tolist() == expected.tolist()
        assert own.strata.fingerprint == alone.strata.fingerprint
    assert plan.histogram(epoch=3).class_names == ("car", "dog", "é'x", "d")


def test_weights_that_differ_from_row_to_row_and_arrays_are_entries_too():
    array = np.linspace(1, 2, 40)
    sha256 = weights_sha256(array)
    scored = parse_sampling("max_weight(True: score)", seed=0)
    schedule = SamplingSchedule(scored).appended(40, SamplingSpec(), sha256)
    plan = schedule_plan(TABLE, ROWS, schedule, labels=None, arrays={sha256: array})
    assert 0 not in plan.stream().epoch(0)
    second = make_plan(TABLE, ROWS, array, SamplingSpec(), labels=None).stream()
    assert plan.stream().epoch(1).tolist() == second.epoch(1).tolist()
    with pytest.raises(SamplingError, match="not passed"):
        schedule_plan(TABLE, ROWS, schedule, labels=None)


def test_an_entry_about_what_is_not_there_is_refused():
    unknown = SamplingSpec(clauses=(Clause("nothing > 5", 1),))
    with pytest.raises(PenstockError, match="nothing"):
        schedule_plan(TABLE, ROWS, SamplingSchedule(unknown), labels=None)


@pytest.mark.parametrize("mode", ["iid", "deck"])
def test_ranks_of_a_torch_sampler_share_a_schedule_out(mode):
    specs = [parse_sampling(f"max_weight(label = 'dog': {weight}, True: 1)", seed=1, mode=mode) for weight in (1, 9)]
    plan = schedule_plan(TABLE, ROWS, SamplingSchedule([(0, specs[0]), (25, specs[1])]), labels=None)
    samplers = [TorchSampler(plan, batch_size=4, rank=rank, world_size=2, drop_last=True) for rank in (0, 1)]
    for epoch in range(3):
        first, second = (np.array(list(sampler)).reshape(-1, 4) for sampler in samplers)
        joined = np.concatenate([first, second], axis=1).ravel()
        assert joined.tolist() == plan.stream().slice(40 * epoch, 40 * epoch + 40).tolist()
