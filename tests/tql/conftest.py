"""Dataset T of the specification: six rows with every kind of column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from penstock.errors import SamplingError, TQLError
from penstock.table import ArrayTable

DATA = Path(__file__).parent / "data"


def small_table() -> ArrayTable:
    return ArrayTable(
        {
            "id": np.arange(6),
            "label": [0, 1, 2, 0, 1, 0],
            "findings": [[0], [1, 2], [2], [], [1], [2, 1]],
            "name": ["car", "Truck", "a car", None, "bus", "car"],
            "v": [[1, 2, 3], [], [5], [2, 2], [0, 9], [7]],
            "boxes": [
                [[0, 0, 10, 10], [5, 5, 300, 20]],
                [],
                [[1, 1, 2, 2]],
                [[0, 0, 1, 1], [0, 0, 1, 1], [9, 9, 9, 9]],
                [[3, 3, 3, 3]],
                [],
            ],
            "score": np.array([0.5, 0.25, 1.5, np.nan, 2, -1]),
            "meta": [
                {"a": 1, "b": {"c": "x"}},
                {"a": 2},
                {"a": 3, "b": {"c": "y"}},
                {"t": [1, 2]},
                {"a": None},
                {"a": 5},
            ],
            "stuff/kind": ["p", "q", "p", "q", "p", "q"],
        },
        class_names={"label": ["car", "dog", "cat"], "findings": ["No_Finding", "Hernia", "Mass", "Edema"]},
        htypes={"boxes": "bbox"},
    )


@pytest.fixture(scope="session")
def table() -> ArrayTable:
    return small_table()


def cases(name: str) -> list[list[str]]:
    """Return the lines of a data file, split at tabs."""
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [line.replace("\\n", "\n").split("\t") for line in lines if line and not line.startswith("//")]


def outcome(call):
    """Return what a call returns, or the TQL error it raises; an internal error is neither."""
    try:
        return call()
    except (TQLError, SamplingError) as error:
        if "internal error" in str(error):
            raise AssertionError(error.text) from error
        return error
