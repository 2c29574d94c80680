"""Plans of schedules, from datasets and views."""

from __future__ import annotations

import numpy as np
import pytest

import penstock
from penstock.errors import PenstockError
from penstock.sampling import SamplingSchedule, SamplingSpec, SchedulePlan, deferred, inverse_frequency, weights_sha256


@pytest.fixture
def ds(tmp_path):
    made = penstock.empty(tmp_path / "ds")
    made.create_tensor("labels", htype="class_label", class_names=["cat", "dog"])
    with made:
        made.extend({"labels": [0] * 30 + [1] * 10})
    made.commit("all")
    return made


def test_a_dataset_and_its_views_plan_a_schedule(ds):
    schedule = deferred(inverse_frequency(ds), 2, size=40)
    plan = ds.plan(schedule)
    assert isinstance(plan, SchedulePlan)
    assert [plan.histogram(epoch=epoch).expected.tolist() for epoch in (1, 2)] == [[30, 10], [20, 20]]
    assert ds[10:].plan(schedule).histogram().raw.tolist() == [20, 10]
    assert ds.plan(schedule, seed=5, mode="deck").spec == schedule.spec.with_options(seed=5, mode="deck")


def test_a_dataset_plans_arrays_that_a_schedule_names(ds):
    array = np.arange(40.0)
    sha256 = weights_sha256(array)
    schedule = SamplingSchedule(inverse_frequency(ds)).appended(40, SamplingSpec(), sha256)
    assert 0 not in ds.plan(schedule, arrays={sha256: array}).stream().slice(40, 400)
    for arrays in (None, {}, {sha256: array[:5]}, {sha256: array + 1}):
        with pytest.raises(PenstockError):
            ds.plan(schedule, arrays=arrays)
