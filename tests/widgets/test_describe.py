from __future__ import annotations

import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of
from penstock.sampling import SamplingSpec, Strata
from penstock.widgets.operations._describe import statistics
from penstock.widgets.operations.images._tiles import sample_fields


@pytest.mark.parametrize("num_weights", [100, 20_000], ids=["every weight its own", "weights in bins"])
def test_header_says_how_far_off_a_binned_weight_is(num_weights):
    weights = np.linspace(1, 1000, num_weights)
    header, buffers = statistics(Strata.from_weights(weights).with_spec(SamplingSpec()))
    arrays = {array["name"]: number for number, array in enumerate(header["arrays"])}
    sizes = np.frombuffer(buffers[arrays["sizes"]])
    sent = np.repeat(np.frombuffer(buffers[arrays["weights"]]), sizes.astype(int))
    by_hand = np.abs(sent / weights - 1).max()  # both ascend, row for row
    assert header["bin_error"] == pytest.approx(by_hand, abs=1e-12)
    assert (header["bin_error"] > 0) == (num_weights > 4096)


def test_detail_shows_every_kind_of_tensor_that_was_made_later(tmp_path):
    dataset = penstock.empty(tmp_path / "ds")
    dataset.create_tensor("k", dtype="int64")
    dataset.extend({"k": [0, 1]})
    values = {
        "number": ("generic", 3, "3"),
        "vector": ("generic", [1, 2], "[1, 2]"),
        "never": ("generic", None, "NULL"),
        "feature": ("embedding", [1, 2], "[1., 2.]"),
        "note": ("text", "x", "x"),
        "mask": ("binary_mask", np.ones((2, 3), bool), "2 × 3"),
    }
    for name, (htype, value, _) in values.items():
        dataset.create_tensor(name, htype)
        dataset[name][1] = value
    shown = [
        {field["name"]: field["value"] for field in sample_fields(content_of(dataset).table, row, ())} for row in (0, 1)
    ]
    assert shown[0] == {"k": "0", **dict.fromkeys(values, "NULL")}
    assert shown[1] == {"k": "1", **{name: text for name, (_, _, text) in values.items()}}
