from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from pycocotools import mask as coco

from penstock.formats._rle import mask_of_runs

MASKS = npst.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40)), elements=st.integers(0, 1))


@given(mask=MASKS)
def test_compressed_runs_are_read_as_pycocotools_writes_them(mask):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        encoded = coco.encode(np.asfortranarray(mask))
    found = mask_of_runs({"size": list(mask.shape), "counts": encoded["counts"].decode()})
    np.testing.assert_array_equal(found, mask)


@given(mask=MASKS)
def test_lists_of_runs_are_read(mask):
    flat = mask.ravel(order="F")
    ends = [*np.flatnonzero(np.diff(flat)).tolist(), len(flat) - 1]
    counts = np.diff([-1, *ends]).tolist()
    found = mask_of_runs({"size": list(mask.shape), "counts": counts if flat[0] == 0 else [0, *counts]})
    np.testing.assert_array_equal(found, mask)


@pytest.mark.parametrize(
    "runs",
    [
        {},
        {"size": [2, 2]},
        {"size": [2], "counts": [4]},
        {"size": "ab", "counts": [4]},
        {"size": [2, 2], "counts": [5]},
        {"size": [2, 2], "counts": [-1, 5]},
        {"size": [2, 2], "counts": [True, 3]},
        {"size": [2, 2], "counts": "\x00"},
        {"size": [2, 2], "counts": "P"},
        {"size": [2, 2], "counts": "oooooooooo"},
        {"size": [10**9, 10**9], "counts": [10**18]},
    ],
)
def test_a_broken_encoding_is_no_mask(runs):
    assert mask_of_runs(runs) is None
