"""The package against tests/golden/sampling.json, which TypeScript is held against too."""

from __future__ import annotations

import importlib.util
import json
import math
from pathlib import Path

import numpy as np
import pytest

from penstock.sampling import ClassCounts, Clause, SamplingSpec, Strata

FOLDER = Path(__file__).resolve().parents[1] / "golden"
TOLD = json.loads((FOLDER / "sampling.json").read_text(encoding="utf-8"))
NAMES = [case["name"] for case in TOLD["cases"]]
MODES = ["iid", "deck", "once"]
close = {"rel": 1e-9, "abs": 1e-9}


@pytest.fixture(scope="module")
def writer():
    found = importlib.util.spec_from_file_location("write_sampling", FOLDER / "write_sampling.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture
def plan(writer, request):
    name, mode = request.param
    case = next(case for case in writer.cases() if case["name"] == name)
    lists = [[label for label, count in row.items() for _ in range(count)] for row in case["rows"]]
    labels = ClassCounts.from_lists(lists, class_names=[str(label) for label in range(case["classes"])])
    masks = {
        str(number): np.array([bool(condition(row)) for row in case["rows"]])
        for number, (condition, _) in enumerate(case["clauses"])
    }
    clauses = tuple(Clause(str(number), weight) for number, (_, weight) in enumerate(case["clauses"]))
    spec = SamplingSpec(clauses=clauses, combine=case["combine"], cap=case.get("cap"), size=case["draws"], mode=mode)
    told = next(case for case in TOLD["cases"] if case["name"] == name)
    return Strata.from_masks(masks, labels=labels).with_spec(spec), told


every_case = pytest.mark.parametrize("plan", [(name, "iid") for name in NAMES], ids=NAMES, indirect=True)
every_mode = pytest.mark.parametrize(
    "plan",
    [(name, mode) for name in NAMES for mode in MODES],
    ids=[f"{name}-{mode}" for name in NAMES for mode in MODES],
    indirect=True,
)


def same_bars(bars, told):
    for name, values in (("mean", bars.expected), ("low", bars.low), ("high", bars.high)):
        assert values.tolist() == pytest.approx(told[name], **close), name


def test_the_file_is_what_the_script_writes(writer):
    again = json.loads(json.dumps([writer.answered(case) for case in writer.cases()[:2]]))
    assert again == TOLD["cases"][:2]


@every_case
def test_statistics_are_the_sums_counted_by_hand(plan):
    plan, told = plan
    arrays = plan.statistics()
    bare = np.diff(plan.strata.labels.offsets) == 0 if plan.strata.labels else np.zeros(0, bool)
    assert arrays.pop("unlabeled", np.zeros(1)).sum() == bare.sum()
    assert {name: array.tolist() for name, array in arrays.items()} == told["arrays"]
    few = {name for name in arrays if name.endswith(("_offsets", "_ids")) or name == "value_counts"}
    assert {name for name, array in arrays.items() if array.dtype == np.int32} == few
    assert {array.dtype.name for name, array in arrays.items() if name not in few} == {"float64"}


@every_case
def test_weights_and_probabilities(plan):
    plan, told = plan
    expect = told["expect"]
    assert plan.weights.tolist() == expect["stratum_weights"]
    assert plan.probabilities.tolist() == pytest.approx(expect["probabilities"], **close)
    assert plan.effective_sample_size == pytest.approx(expect["effective_sample_size"], **close)
    assert list(plan.ineffective_clauses) == expect["no_effect"]


@every_mode
def test_histogram_and_band(plan):
    plan, told = plan
    expect = told["expect"][plan.spec.mode]
    assert plan.num_draws == expect["draws"]
    for unit in ("instances", "samples"):
        same_bars(plan.histogram(unit=unit), expect["histogram"][unit])
        if plan.spec.mode == "deck":
            same_bars(plan.histogram(unit=unit, epoch=1), expect["histogram_epoch_1"][unit])


@every_mode
def test_coverage_and_band(plan):
    plan, told = plan
    curve = plan.coverage(TOLD["num_epochs"])
    expect = told["expect"][plan.spec.mode]["coverage"]
    for name, values in (("unique", curve.unique), ("low", curve.low), ("high", curve.high)):
        assert values.tolist() == pytest.approx(expect[name], **close), name


@every_mode
def test_epochs_to_cover(plan):
    plan, told = plan
    coverage = plan.coverage(1)
    for share, row in zip(TOLD["shares"], told["expect"][plan.spec.mode]["epochs_to_cover"], strict=True):
        want = [math.inf if epoch is None else epoch for epoch in row]
        assert coverage.epochs_to_cover(share, TOLD["quantiles"]).tolist() == want


@every_mode
def test_times_seen(plan):
    plan, told = plan
    coverage = plan.coverage(1)
    for epochs, rows in told["expect"][plan.spec.mode]["times_seen"].items():
        seen = coverage.times_seen(int(epochs), max_times=TOLD["max_times"])
        for label, row in enumerate(rows):
            if row is None:
                assert np.isnan(seen.cdf[label]).all()
            else:
                assert seen.cdf[label].tolist() == pytest.approx(row, **close)


@pytest.mark.parametrize("plan", [(name, "deck") for name in NAMES], ids=NAMES, indirect=True)
def test_deck_quotas_are_equal_to_the_last_draw(plan):
    plan, told = plan
    expect = told["expect"]["deck"]
    assert plan._weighing.masses.tolist() == expect["masses"]
    assert plan.quotas(TOLD["num_epochs"]).tolist() == expect["quotas"]
    assert plan.coverage(1).certificate == expect["certificate"]
