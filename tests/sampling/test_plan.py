"""Plans: weights, probabilities, histograms, streams of independent draws."""

from __future__ import annotations

import math

import numpy as np
import pytest

from penstock.errors import LoaderStateError, SamplingError
from penstock.sampling import ClassCounts, Clause, SamplingSpec, Strata
from tests.sampling.conftest import plan_of, spec_of

SHOWN = ("Hernia", "Pneumonia", "Edema", "Infiltration", "No Finding")
BOTH = {"Hernia": 20, "Pneumonia": 5, "True": 1}
FACTS = {
    "uniform": ({"True": 1}, "max", 112120, (0.002025, 0.012763, 0.020540, 0.177435, 0.538361), 112120),
    "one": ({"Hernia": 20, "True": 1}, "max", 116433, (0.038992, 0.012780, 0.020269, 0.176247, 0.518418), 66882.6),
    "two": (BOTH, "max", 122145, (0.037169, 0.058946, 0.030456, 0.187752, 0.494175), 62960.4),
    "sum": (BOTH, "sum", 123815, (0.038622, 0.069830, 0.032815, 0.190437, 0.487510), 58359.5),
    "no fallback": ({"Hernia": 20, "Pneumonia": 5}, "max", 11680, (0.388699, 0.616438, 0.150685, 0.314640, 0), 1078.4),
}


@pytest.mark.real_data
@pytest.mark.parametrize("case", FACTS)
def test_nih_shares_equal_the_counts_made_by_hand(nih, case):
    weights, how, total, shares, effective = FACTS[case]
    plan = plan_of(nih, weights, combine=how)
    share = plan.histogram(unit="samples").share
    assert plan.total_weight == total
    assert [share[nih.class_names.index(name)] for name in SHOWN] == pytest.approx(shares, abs=1e-6)
    assert plan.effective_sample_size == pytest.approx(effective, abs=0.05)


@pytest.mark.real_data
def test_a_weight_below_the_fallback_is_reported_as_ineffective(nih):
    plan = plan_of(nih, {**BOTH, "No Finding": 0.2})
    assert [plan.spec.clauses[number].expression for number in plan.ineffective_clauses] == ["No Finding"]
    assert plan_of(nih, BOTH).ineffective_clauses == ()


def test_combine_follows_the_clauses_that_match():
    masks = {"a": [1, 1, 0, 0], "b": [1, 0, 1, 0]}
    strata = Strata.from_masks({name: np.array(values, bool) for name, values in masks.items()})
    assert strata.matches.T.tolist() == [[False, False], [False, True], [True, False], [True, True]]
    weights = {
        how: strata.with_spec(spec_of({"a": 3, "b": 5}, combine=how)).weights.tolist()
        for how in ("max", "sum", "product")
    }
    assert weights == {"max": [0, 5, 3, 5], "sum": [0, 5, 3, 8], "product": [1, 5, 3, 15]}
    assert strata.with_spec(spec_of({"a": 3, "b": 5}, combine="product", cap=4)).weights.tolist() == [1, 4, 3, 4]


@pytest.fixture
def plan_of_boxes():
    labels = ClassCounts.from_lists([[0, 0, 0], [0, 1], [1], []], class_names=("car", "bus"))
    return Strata.from_masks({"True": np.ones(4, bool)}, labels=labels).with_spec(spec_of({"True": 1}, size=1000))


def test_instances_count_every_box(plan_of_boxes):
    boxes, rows = plan_of_boxes.histogram(), plan_of_boxes.histogram(unit="samples")
    assert boxes.raw.tolist() == [4, 2]
    assert rows.raw.tolist() == [2, 2]
    assert boxes.expected.tolist() == [1000, 500]


def test_the_spread_of_instances_is_that_of_boxes_a_sample(plan_of_boxes):
    boxes, rows = plan_of_boxes.histogram(), plan_of_boxes.histogram(unit="samples")
    assert boxes.variance.tolist() == pytest.approx([1000 * (10 / 4 - 1), 1000 * (0.5 - 0.25)])
    assert rows.variance.tolist() == pytest.approx([250, 250])
    assert boxes.high[0] == pytest.approx(1000 + 1.959963984540054 * math.sqrt(1500))


def test_small_counts_get_the_exact_binomial_band():
    stats = pytest.importorskip("scipy.stats")
    labels = ClassCounts.from_labels([0] * 990 + [1] * 10)
    plan = Strata.from_masks({"True": np.ones(1000, bool)}, labels=labels).with_spec(spec_of({"True": 1}))
    bars = plan.histogram()
    assert (bars.low[1], bars.high[1]) == (stats.binom.ppf(0.025, 1000, 0.01), stats.binom.ppf(0.975, 1000, 0.01))


def test_stream_slices_agree_with_epochs_at_every_cut():
    strata = Strata.from_masks({"a": np.arange(1000) % 7 == 0, "True": np.ones(1000, bool)})
    stream = strata.with_spec(spec_of({"a": 20, "True": 1}, size=5000, seed=3)).stream()
    whole = stream.slice(0, 15_000)
    assert np.array_equal(stream.epoch(1), whole[5000:10_000])
    for start, stop in [(0, 1), (1, 2), (4095, 4097), (4999, 5001), (123, 9877), (8191, 8193)]:
        assert np.array_equal(stream.slice(start, stop), whole[start:stop])


def stream_of_seed(seed):
    return Strata.from_masks({"True": np.ones(1000, bool)}).with_spec(spec_of({"True": 1}, seed=seed)).stream()


def test_streams_of_one_spec_are_equal():
    assert np.array_equal(stream_of_seed(0).epoch(0), stream_of_seed(0).epoch(0))


def test_streams_of_two_seeds_differ():
    assert not np.array_equal(stream_of_seed(0).epoch(0), stream_of_seed(1).epoch(0))


def test_a_state_is_read_by_an_equal_stream():
    assert stream_of_seed(0).position(stream_of_seed(0).state(77)) == 77


def test_a_state_is_refused_by_the_stream_of_another_seed():
    with pytest.raises(LoaderStateError, match="another stream"):
        stream_of_seed(1).position(stream_of_seed(0).state(77))


@pytest.mark.parametrize(
    ("masks", "complaint"),
    [({"a": [1, 0]}, "int64"), ({"a": [True], "b": [True, False]}, r"'b' is bool of shape \(2,\)"), ([], "num_rows")],
    ids=["dtype", "length", "nothing"],
)
def test_masks_that_do_not_fit_are_named(masks, complaint):
    with pytest.raises(SamplingError, match=complaint):
        Strata.from_masks(masks)


@pytest.mark.parametrize("weight", [-1, math.nan, math.inf, "x", None])
def test_a_weight_that_is_no_weight_is_named(weight):
    with pytest.raises(SamplingError, match="weight of 'a' is"):
        Clause("a", weight)


def test_all_zero_weights_cannot_be_drawn():
    plan = Strata.from_masks({"a": np.zeros(5, bool)}).with_spec(spec_of({"a": 2}))
    with pytest.raises(SamplingError, match="all 5 samples have weight 0"):
        plan.stream()


def test_strata_refuse_other_clauses():
    strata = Strata.from_masks({"a": np.ones(5, bool)})
    with pytest.raises(SamplingError, match="grouped by 'a'"):
        strata.with_spec(spec_of({"b": 2}))


def test_once_is_replace_false():
    assert SamplingSpec(replace=False).mode == "once"
    assert SamplingSpec(mode="once").replace is False
    assert SamplingSpec(mode="once").with_options(mode="iid").replace is True


def test_deck_refuses_replace_false():
    with pytest.raises(SamplingError, match="'deck'"):
        SamplingSpec(mode="deck", replace=False)


def test_covariance_is_that_of_one_draw_times_the_draws():
    lists = [[0, 0, 1], [1, 2], [2], [], [0, 2]]
    labels = ClassCounts.from_lists(lists, class_names=("a", "b", "c"))
    weights = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    plan = Strata.from_weights(weights, labels=labels).with_spec(SamplingSpec(size=7))
    for unit in ("instances", "samples"):
        counts = np.array([[row.count(label) for label in range(3)] for row in lists], float)
        counts = counts if unit == "instances" else np.minimum(counts, 1)
        chances = weights / weights.sum()
        mean = chances @ counts
        exact = 7 * ((counts * chances[:, None]).T @ counts - np.outer(mean, mean))
        assert plan.covariance(unit=unit) == pytest.approx(exact)
        assert np.diag(plan.covariance(unit=unit)) == pytest.approx(plan.histogram(unit=unit).variance)
    with pytest.raises(SamplingError, match="mode is 'deck'"):
        Strata.from_weights(weights, labels=labels).with_spec(SamplingSpec(mode="deck")).covariance()


def test_a_spec_is_a_value():
    spec = SamplingSpec(clauses=(Clause("a", 20), Clause("True", 1)), size=5, mode="once")
    assert spec == SamplingSpec.from_json(spec.to_json())
    assert hash(spec) == hash(SamplingSpec.from_json(spec.to_json()))
    assert spec.to_tql() == "max_weight(a: 20, True: 1) replace False limit 5"
    assert (
        SamplingSpec(clauses=(Clause("a", 0.1),), combine="product", cap=3).to_tql()
        == "product_weight(a: 0.1, cap => 3)"
    )
    assert spec.replace_weights({"a": 3, 1: 0.5}).weights == (3, 0.5)
    with pytest.raises(SamplingError, match="did you mean 'True'"):
        spec.replace_weights({"Tru": 1})
    with pytest.raises(SamplingError, match="not a sampling spec"):
        SamplingSpec.from_json("[]")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"combine": "mean"}, "combine is 'mean'. Expected one of max, sum, product"),
        ({"mode": "dek"}, "did you mean 'deck'"),
        ({"size": 0}, "size is 0"),
        ({"size": 1.5}, "size is 1.5"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": None}, "fresh_seed"),
        ({"cap": 3}, "Expected combine='product'"),
        ({"combine": "product", "cap": 0}, "cap is 0"),
    ],
)
def test_a_spec_that_makes_no_sense_is_named(options, complaint):
    with pytest.raises(SamplingError, match=complaint):
        SamplingSpec(**options)
