"""A small dataset with runs beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import penstock


@pytest.fixture
def ages(tmp_path: Path) -> penstock.Dataset:
    """Six samples in a commit, of which the newest run recorded the last four, and an older one all."""
    ds = penstock.empty(tmp_path / "ages")
    ds.create_tensor("age")
    ds.create_tensor("kind", "class_label", class_names=["cat", "dog"])
    ds.create_tensor("note", "text")
    ds.extend({"age": [1, 2, 3, 4, 5, 6], "kind": [0, 1, 0, 1, 0, 1], "note": list("abcdef")})
    ds.commit("six")
    with ds.start_run("older") as run:
        run.record(np.arange(6), None, {"loss": np.arange(6) + 0.5})
    with ds.start_run("newer") as run:
        run.record(np.array([2, 3, 4, 5]), None, {"loss": np.array([3.0, 1.0, np.nan, 2.0])})
        run.record(np.array([3]), None, {"loss": np.array([5.0]), "hit": np.array([True])})
    return ds
