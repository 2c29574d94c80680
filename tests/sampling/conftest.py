"""Plans that several tests look at."""

from __future__ import annotations

import csv
import gzip

import numpy as np
import pytest

from penstock.sampling import ClassCounts, Clause, SamplingSpec, Strata


def spec_of(weights, **options):
    return SamplingSpec(clauses=tuple(Clause(name, weight) for name, weight in weights.items()), **options)


def pick(units, threshold, alias):
    """Return the cell, or its alias, that each number in [0, 1) stands for: the textbook's formula."""
    place = units * len(threshold)
    cell = np.floor(place).astype(int)
    return np.where(place - cell < threshold[cell], cell, alias[cell])


def mask_of(labels, name):
    if name == "True":
        return np.ones(labels.num_rows, bool)
    rows = np.repeat(np.arange(labels.num_rows), np.diff(labels.offsets))
    has = np.zeros(labels.num_rows, bool)
    has[rows[labels.values == labels.class_names.index(name)]] = True
    return has


def plan_of(labels, weights, **options):
    masks = {name: mask_of(labels, name) for name in weights}
    return Strata.from_masks(masks, labels=labels).with_spec(spec_of(weights, **options))


@pytest.fixture(scope="session")
def nih(shared_data):
    """Labels of the NIH table, v2020."""
    with gzip.open(shared_data / "nih" / "Data_Entry_2017_v2020.csv.gz", "rt", newline="") as lines:
        reader = csv.reader(lines)
        column = next(reader).index("Finding Labels")
        findings = [row[column].split("|") for row in reader]
    names = tuple(sorted({name for row in findings for name in row}))
    number = {name: index for index, name in enumerate(names)}
    lists = [[number[name] for name in row] for row in findings]
    return ClassCounts.from_lists(lists, class_names=names, tensor="findings")


@pytest.fixture
def article():
    """165 of a majority and 10 of a minority, balanced: function of the options of the spec."""
    labels = ClassCounts.from_labels([0] * 165 + [1] * 10, class_names=("majority", "minority"))

    def plan(**options):
        return plan_of(labels, {"minority": 16.5, "True": 1}, **options)

    return plan
