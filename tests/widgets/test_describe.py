from __future__ import annotations

import numpy as np
import pytest

from penstock.sampling import SamplingSpec, Strata
from penstock.widgets._describe import statistics


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
