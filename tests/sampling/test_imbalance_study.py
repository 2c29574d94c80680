"""The article's experiments."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.errors import SamplingError, UnknownClassError
from penstock.sampling import (
    ClassCounts,
    SequentialStream,
    Strata,
    batch_composition,
    coverage_by_num_draws,
    epochs_by_imbalance,
    epochs_to_cover,
    imbalanced_subset,
    inverse_frequency,
    times_seen_table,
)

PETS = ClassCounts.from_labels(np.repeat(np.arange(3), 200), class_names=("Siamese", "Birman", "Pug"))


def birmans_over_siamese(seed=5):
    return imbalanced_subset(PETS, {"Birman": 165, "Siamese": 10}, seed=seed)


def test_a_subset_has_the_counts_asked():
    subset = birmans_over_siamese()
    assert subset.labels.class_names == ("Birman", "Siamese")
    assert subset.labels.instances.tolist() == [165, 10]
    assert (PETS.values[subset.rows] == np.array([1, 0])[subset.labels.values]).all()
    assert subset.to_pandas()["class"].value_counts().to_dict() == {"Birman": 165, "Siamese": 10}


def test_a_subset_depends_on_the_seed_alone():
    assert np.array_equal(birmans_over_siamese().rows, birmans_over_siamese().rows)
    assert not np.array_equal(birmans_over_siamese().rows, birmans_over_siamese(seed=6).rows)


@pytest.mark.parametrize(
    ("counts", "error", "complaint"),
    [({"Sphynx": 1}, UnknownClassError, "Sphynx"), ({"Pug": 201}, SamplingError, "0 to 200")],
)
def test_a_subset_that_cannot_be_is_named(counts, error, complaint):
    with pytest.raises(error, match=complaint):
        imbalanced_subset(PETS, counts)


def test_the_raw_order_shows_batches_without_the_minority():
    labels = ClassCounts.from_labels([0] * 165 + [1] * 10)
    batches = batch_composition(SequentialStream(175), labels, 16)
    assert batches.counts.sum(axis=0).tolist() == [165, 10]
    assert batches.sizes.tolist() == [16] * 10 + [15]
    assert (batches.counts[:10, 1] == 0).all()
    assert batches.num_seen == batches.num_rows == 175
    assert batches.to_pandas().shape == (11, 2)


def test_balanced_batches_count_what_was_drawn(article):
    plan = article()
    batches = batch_composition(plan.stream(), plan.strata.labels, 16, num_batches=5)
    drawn = plan.stream().slice(0, 80).reshape(5, 16)
    assert batches.counts[:, 1].tolist() == (drawn >= 165).sum(axis=1).tolist()


def test_the_table_of_times_seen_counts_every_draw(article):
    plan = article()
    table = times_seen_table(plan.stream(), plan.strata.labels, 2)
    assert table.times_seen.sum() == 350
    assert np.array_equal(table.times_seen, np.bincount(plan.stream().slice(0, 350), minlength=175))
    ecdf = table.ecdf()
    assert ecdf[0, 0] == pytest.approx((table.times_seen[:165] == 0).mean())
    assert ecdf[:, -1].tolist() == [1, 1]
    assert table.to_pandas().groupby("class")["times_seen"].sum().sum() == 350


def test_epochs_to_cover_tell_more_than_the_peak(article):
    law = epochs_to_cover(article())
    assert law.mode == 10
    assert law.mean == pytest.approx(11.22, abs=0.01)
    assert law.quantiles == {0.05: 8, 0.5: 11, 0.95: 16, 0.99: 19}
    assert law.probability.sum() == pytest.approx(1, abs=2e-4)
    assert law.to_pandas()["cumulative"].loc[10] == pytest.approx(0.44, abs=0.005)
    assert epochs_to_cover(article(mode="deck")).certificate == 2


def test_a_balanced_set_has_its_peak_at_six():
    labels = ClassCounts.from_labels([0] * 88 + [1] * 88)
    law = epochs_to_cover(Strata.from_labels(labels).with_spec(inverse_frequency(labels)))
    assert law.mode == 6
    assert law.mean == pytest.approx(6.25, abs=0.005)


def test_more_imbalance_takes_more_epochs_except_under_deck():
    table = epochs_by_imbalance(165, (0.06, 0.2, 0.5, 1.0), (0.5, 0.95))
    assert (np.diff(table.epochs[:, 0]) <= 0).all()
    assert table.epochs[0].tolist() == [11, 16]
    assert epochs_by_imbalance(165, (0.06, 1.0), (0.95,), mode="deck").epochs.ravel().tolist() == [2, 1]
    assert table.to_pandas().shape == (4, 2)


def test_twice_the_draws_leave_57_unseen(article):
    table = coverage_by_num_draws(article(), (175, 350, 1750))
    assert (175 * (1 - table.share))[:2] == pytest.approx([97.01, 57.04], abs=0.005)
    assert table.to_pandas().index.tolist() == [175, 350, 1750]


def test_results_become_tables(article):
    plan = article()
    assert plan.histogram().to_pandas().loc["minority", "raw"] == 10
    assert plan.coverage(3).to_pandas().index.tolist() == [1, 2, 3]
    assert plan.coverage(1).times_seen(1).to_pandas().columns.tolist() == ["majority", "minority", "all"]
