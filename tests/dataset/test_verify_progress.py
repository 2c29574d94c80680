from __future__ import annotations

import numpy as np

import penstock


def test_verify_counts_each_sample_once_in_its_progress(tmp_path, capsys):
    images = np.zeros((70, 2, 2, 3), np.uint8)  # read in chunks of 64
    penstock.from_arrays({"images": images}, tmp_path / "ds", progress=False).verify()
    assert "70/70" in capsys.readouterr().err
