"""The seed sampler on the real table of 112,120 X-rays: weights to the last row."""

from __future__ import annotations

import csv
import gzip

import numpy as np
import pytest

from penstock.errors import QueryBindError
from penstock.table import ArrayTable, Ragged
from penstock.tql import run

# sums of weights and shares of Hernia and Pneumonia as the folder's FACTS.md computes them from the file
FACTS = [
    ("max_weight(True: 1)", 112_120, 0.002025, 0.012763),
    ("max_weight(contains(findings, 'Hernia'): 20, True: 1)", 116_433, 0.038992, 0.012780),
    (
        "max_weight(contains(findings, 'Hernia'): 20, contains(findings, 'Pneumonia'): 5, True: 1)",
        122_145, 0.037169, 0.058946,
    ),
    (
        "sum_weight(contains(findings, 'Hernia'): 20, contains(findings, 'Pneumonia'): 5, True: 1)",
        123_815, 0.038622, 0.069830,
    ),
    ("max_weight(contains(findings, 'Hernia'): 20, contains(findings, 'Pneumonia'): 5)", 11_680, 0.388699, 0.616438),
]  # fmt: skip


@pytest.fixture(scope="module")
def xrays(shared_data) -> ArrayTable:
    with gzip.open(shared_data / "nih" / "Data_Entry_2017_v2020.csv.gz", "rt", newline="") as file:
        rows = [row["Finding Labels"].split("|") for row in csv.DictReader(file)]
    names = sorted({name for row in rows for name in row})
    flat = np.array([names.index(name) for row in rows for name in row], np.int64)
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return ArrayTable({"findings": Ragged(values=flat, offsets=offsets)}, class_names={"findings": names})


@pytest.mark.real_data
@pytest.mark.parametrize(("weights", "total", "hernia", "pneumonia"), FACTS)
def test_weights_and_shares_are_those_of_the_table(xrays, weights, total, hernia, pneumonia):
    result = run(f"select * sample by {weights}", xrays)
    assert result.plan.total_weight == total
    for name, share in (("Hernia", hernia), ("Pneumonia", pneumonia)):
        rows = run(f"select * where contains(findings, '{name}')", xrays).selection.rows
        row_weights = result.plan.weights[result.plan.strata.ids]
        assert row_weights[rows].sum() / total == pytest.approx(share, abs=1e-6)


@pytest.mark.real_data
def test_only_1655_rows_can_be_drawn_without_everything_else(xrays):
    assert run(f"select * sample by {FACTS[-1][0]}", xrays).plan.num_drawable == 1_655


@pytest.mark.real_data
def test_counts_of_pairs_are_those_of_the_table(xrays):
    both = "select count(*) as n where contains(findings, 'Effusion') and contains(findings, 'Infiltration')"
    assert run(both, xrays).columns["n"].values.tolist() == [4000]
    nine = "select count(*) as n where shape(findings)[0] = 9"
    assert run(nine, xrays).columns["n"].values.tolist() == [2]
    with pytest.raises(QueryBindError, match="Infiltration"):
        run("select * where contains(findings, 'Infiltrate')", xrays)
