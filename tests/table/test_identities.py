"""Identities of a few samples of a large table are read alone, and are those of the whole column."""

from __future__ import annotations

import numpy as np

import penstock
from penstock.dataset.samples import content_of
from penstock.table import _stored


def test_identities_of_a_page_are_read_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(_stored, "_LARGE", 1)
    monkeypatch.setattr(_stored, "_FEW_UIDS", 1)
    penstock.from_arrays({"labels": np.arange(50) % 3}, tmp_path / "ds", progress=False).pop(7)
    table = content_of(penstock.load(tmp_path / "ds")).table
    rows = np.array([40, 3, 3, 8])
    page = table.uids(rows)
    assert not table.stored.snapshot.has_uids
    assert table.positions(page).tolist() == rows.tolist()  # found where they were seen: nothing more is read
    assert not table.stored.snapshot.has_uids
    assert page.tolist() == table.stored.uids[rows].tolist()


def test_states_share_a_key_only_with_the_same_samples(tmp_path):
    ds = penstock.from_arrays({"labels": np.arange(50) % 3}, tmp_path / "ds", progress=False)
    keys = [content_of(ds).table.samples_key]
    ds.labels[3] = [0]
    keys.append(content_of(ds).table.samples_key)
    ds.commit("a label")
    keys.append(content_of(ds).table.samples_key)
    assert len(set(keys)) == 1
    ds.pop(9)
    assert content_of(ds).table.samples_key not in keys
