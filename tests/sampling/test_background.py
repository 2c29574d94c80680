"""Samples without a label: asked for as a share, told as a bar of their own."""

from __future__ import annotations

import pytest

import penstock
from penstock.errors import InfeasibleTargetsError, SamplingError
from penstock.sampling import (
    ClassCounts,
    Clause,
    SamplingSpec,
    Strata,
    effective_number,
    inverse_frequency,
    repeat_factor,
    square_root,
    target_proportions,
)

LISTS = [[0]] * 60 + [[0, 1]] * 20 + [[1, 1, 2]] * 5 + [[]] * 15
LABELS = ClassCounts.from_lists(LISTS, class_names=("car", "person", "bus"))
STRATA = Strata.from_labels(LABELS)
EVEN = STRATA.with_spec(SamplingSpec(clauses=(Clause("True", 1),)))
PRESETS = (inverse_frequency, square_root, effective_number, repeat_factor)


def bars(spec, strata=STRATA):
    return strata.with_spec(spec).histogram(unit="samples", background=True)


def test_the_bar_of_samples_without_a_label_is_counted_by_hand():
    histogram = EVEN.histogram(unit="samples", background=True)
    assert histogram.class_names == ("car", "person", "bus", "no label")
    assert histogram.raw.tolist() == [80, 25, 5, 15]
    assert histogram.expected.tolist() == pytest.approx([80, 25, 5, 15])
    assert histogram.variance[3] == pytest.approx(100 * 0.15 * 0.85)
    assert EVEN.histogram(unit="samples").raw.tolist() == [80, 25, 5]


def test_instances_have_no_such_bar():
    with pytest.raises(SamplingError, match=r"have no instances.*unit='samples'"):
        EVEN.histogram(background=True)


@pytest.mark.parametrize("rule", PRESETS, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("share", [0.0, 0.25, 0.9])
def test_presets_give_it_the_share_asked_for(rule, share):
    assert bars(rule(LABELS, background=share)).share[3] == pytest.approx(share, abs=1e-12)


@pytest.mark.parametrize("rule", PRESETS, ids=lambda rule: rule.__name__)
def test_the_share_leaves_the_others_in_proportion(rule):
    alone = bars(rule(LABELS, background=0.0)).share[:3]
    assert (bars(rule(LABELS, background=0.25)).share[:3] / 0.75).tolist() == pytest.approx(alone.tolist())


def test_targets_give_it_the_share_asked_for():
    targets = EVEN.solve_targets({None: 0.3, "bus": 0.2}, unit="samples")
    assert bars(targets.spec).share.tolist() == pytest.approx([0.5, 0.325, 0.2, 0.3])
    assert targets.background_share == pytest.approx(0.3)
    assert targets.background_weight == pytest.approx(3.2)  # cars weigh 1: 48 of 80 rows' worth for 15 rows
    assert len(targets.weights) == len(targets.shares) == 3


def test_a_share_of_none_leaves_them_out():
    assert bars(EVEN.solve_targets({None: 0.0}, unit="samples").spec).share[3] == 0


def test_proportions_of_single_labels_may_name_them():
    single = ClassCounts.from_lists([[0]] * 10 + [[1]] * 5 + [[]] * 5, class_names=("a", "b"))
    spec = target_proportions(single, {"a": 0.5, None: 0.3})
    assert bars(spec, Strata.from_labels(single)).share.tolist() == pytest.approx([0.5, 0.2, 0.3])


REFUSED = {
    "instances": (lambda: EVEN.solve_targets({None: 0.3}), SamplingError, "have none.*unit='samples'"),
    "over 1": (
        lambda: EVEN.solve_targets({None: 1.3}, unit="samples"),
        SamplingError,
        "samples without a label is 1.3",
    ),
    "together too much": (
        lambda: EVEN.solve_targets({None: 0.5, "car": 0.4, "bus": 0.3}, unit="samples"),
        InfeasibleTargetsError,
        "samples without a label 50 %",
    ),
    "none there": (
        lambda: Strata.from_labels([0, 1]).every_row().solve_targets({None: 0.2}, unit="samples"),
        InfeasibleTargetsError,
        "no sample of the pool is without a label",
    ),
    "none there for a preset": (lambda: square_root([0, 1], background=0.2), InfeasibleTargetsError, "has a label"),
    "a preset of 1": (lambda: square_root(LABELS, background=1.0), SamplingError, r"in \[0, 1\)"),
}


@pytest.mark.parametrize(("call", "kind", "message"), REFUSED.values(), ids=REFUSED)
def test_shares_that_cannot_be_are_refused(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_tql_reads_the_specs_as_the_label_sets_do(tmp_path):
    arrays = {"labels": LISTS, "id": list(range(100))}
    ds = penstock.from_arrays(arrays, tmp_path / "x", class_names=["car", "person", "bus"], progress=False)
    assert len(ds.query("select * where len(labels) == 0")) == 15
    for spec in (
        inverse_frequency(ds, background=0.25),
        ds.plan("max_weight(True: 1)").solve_targets({None: 0.25}, unit="samples").spec,
    ):
        assert ds.plan(spec).histogram(unit="samples", background=True).share[3] == pytest.approx(0.25)
        assert ds.plan(spec.to_tql()).probabilities.tolist() == pytest.approx(ds.plan(spec).probabilities.tolist())


def test_presets_take_datasets_views_and_tensors(tmp_path):
    ds = penstock.from_arrays({"labels": LISTS}, tmp_path / "x", class_names=["car", "person", "bus"], progress=False)
    view = ds.query("select * where contains(labels, 'person')")
    for rule in PRESETS:
        assert rule(ds) == rule(ds.labels) == rule(LABELS)
        assert (
            rule(view)
            == rule(view.labels)
            == rule(ClassCounts.from_lists(LISTS[60:85], class_names=LABELS.class_names))
        )


def test_targets_of_a_plain_pass_are_drawn_independently():
    """Every sample once an epoch is the raw pool, whatever the weights."""
    targets = STRATA.every_row().solve_targets({"bus": 0.2}, unit="samples")
    assert targets.spec.mode == "iid"
    assert bars(targets.spec).share[2] == pytest.approx(0.2)


def test_a_browser_is_told_how_many_rows_of_a_stratum_have_no_label():
    masks = {"car": [0 in row for row in LISTS], "True": [True] * 100}
    strata = Strata.from_masks(masks, labels=LABELS)
    spec = SamplingSpec(clauses=(Clause("car", 2), Clause("True", 1)))
    assert strata.with_spec(spec).statistics()["unlabeled"].tolist() == [15, 0]
    weighed = Strata.from_weights([1.0] * 90 + [3.0] * 10, labels=LABELS).with_spec(SamplingSpec())
    assert weighed.statistics()["unlabeled"].tolist() == [5, 10]
    assert "unlabeled" not in Strata.from_labels([0, 1]).every_row().statistics()
