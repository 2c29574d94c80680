"""The NIH table, 112,120 rows: the promised shares and coverages, and a loader's stream that keeps them.

Numbers are those of the data folder's FACTS.md, computed there from the files by other code.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import penstock

pytestmark = [pytest.mark.real_data, pytest.mark.slow]

NUM_ROWS = 112_120
HERNIA = "contains(findings, 'Hernia'): 20"
PNEUMONIA = "contains(findings, 'Pneumonia'): 5"
SHARES = {
    # weights: (Hernia, Pneumonia, Edema, Infiltration, No Finding), effective sample size, coverage of one epoch
    f"max_weight({HERNIA}, True: 1)": ((0.038992, 0.012780, 0.020269, 0.176247, 0.518418), 66882.6, 0.61901),
    f"max_weight({HERNIA}, {PNEUMONIA}, True: 1)": (
        (0.037169, 0.058946, 0.030456, 0.187752, 0.494175),
        62960.4,
        0.60642,
    ),
    f"sum_weight({HERNIA}, {PNEUMONIA}, True: 1)": (
        (0.038622, 0.069830, 0.032815, 0.190437, 0.487510),
        58359.5,
        0.60159,
    ),
    f"max_weight({HERNIA}, {PNEUMONIA})": ((0.388699, 0.616438, 0.150685, 0.314640, 0.0), 1078.4, 0.01476),
}
NAMES = ("Hernia", "Pneumonia", "Edema", "Infiltration", "No Finding")


@pytest.fixture(scope="module")
def nih(shared_data, tmp_path_factory):
    table = shared_data / "nih" / "Data_Entry_2017_v2020.csv.gz"
    return penstock.from_table(
        table, tmp_path_factory.mktemp("nih") / "nih.penstock", tensors={"findings": "Finding Labels"}
    )


def class_indices(nih):
    return [nih.findings.info.class_names.index(name) for name in NAMES]


def test_class_counts_are_those_of_the_table(nih):
    assert len(nih) == NUM_ROWS
    counts = np.bincount(np.concatenate(nih.findings.numpy(aslist=True)), minlength=15)
    assert dict(zip(NAMES, counts[class_indices(nih)].tolist(), strict=True)) == {
        "Hernia": 227,
        "Pneumonia": 1431,
        "Edema": 2303,
        "Infiltration": 19894,
        "No Finding": 60361,
    }


@pytest.mark.parametrize("weights", SHARES, ids=["hernia", "max", "sum", "no_true"])
def test_promised_shares_with_their_coverage(nih, weights):
    shares, effective_sample_size, coverage = SHARES[weights]
    plan = nih.plan(penstock.parse_sampling(weights))
    expected = plan.histogram(unit="samples").expected[class_indices(nih)] / NUM_ROWS
    np.testing.assert_allclose(expected, shares, rtol=0, atol=6e-7)
    np.testing.assert_allclose(plan.coverage(num_epochs=1).share[0], coverage, rtol=0, atol=6e-6)
    row_probability = np.repeat(plan.probabilities, plan.strata.sizes)
    np.testing.assert_allclose(1 / np.sum(row_probability**2), effective_sample_size, rtol=0, atol=0.051)


@pytest.mark.statistical
@pytest.mark.parametrize("weights", SHARES, ids=["hernia", "max", "sum", "no_true"])
def test_loader_stream_is_inside_the_simultaneous_band(nih, weights):
    loader = nih.dataloader(seed=3).sample_by(weights).batch(4096).numpy(tensors=["findings"])
    counts = np.zeros(15, np.int64)
    for batch in loader:
        counts += np.bincount(np.concatenate(list(batch["findings"])), minlength=15)
    shares = np.array(SHARES[weights][0])
    level = 0.999 ** (1 / len(shares))
    low, high = stats.binom.interval(level, NUM_ROWS, shares)
    drawn = counts[class_indices(nih)]
    assert ((low <= drawn) & (drawn <= high)).all(), dict(zip(NAMES, zip(low, drawn, high, strict=True), strict=True))


def test_weight_below_the_fallback_does_nothing(nih):
    with_it = nih.plan(penstock.parse_sampling(f"max_weight(contains(findings, 'No Finding'): 0.2, {HERNIA}, True: 1)"))
    without = nih.plan(penstock.parse_sampling(f"max_weight({HERNIA}, True: 1)"))
    np.testing.assert_allclose(with_it.histogram().expected, without.histogram().expected, rtol=1e-12)


def test_query_of_the_source_document_draws_as_it_says(nih):
    view = nih.query(
        "select * sample by max_weight(contains(findings, 'Hernia'): 20, contains(findings, 'Pneumonia'): 8, contains(findings, 'Fibrosis'): 5, "
        "contains(findings, 'Edema'): 5, contains(findings, 'Emphysema'): 2, True: 1)"
    )
    assert len(view) == NUM_ROWS
    drawn = np.bincount(np.concatenate(view.findings.numpy(aslist=True)), minlength=15)
    assert drawn[nih.findings.info.class_names.index("Hernia")] > 10 * 227
