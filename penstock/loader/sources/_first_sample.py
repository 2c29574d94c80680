"""Tables of a source, described by the first of its samples."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.table import FixedTable, checked_tensor
from penstock.tensors import Htype, TensorSpec

__all__ = ["FirstSampleTable", "named"]


def named(sample: Any) -> dict[str, Any]:
    """Return a sample's parts by name: a mapping's own, else ``"0"``, ``"1"``, ..."""
    if isinstance(sample, Mapping):
        return {str(name): value for name, value in sample.items()}
    if isinstance(sample, tuple | list):
        return {str(number): value for number, value in enumerate(sample)}
    return {"0": sample}


class FirstSampleTable(FixedTable):
    """What all tables of sources have in common: samples without missing values, all of the first one's shape.

    Parameters
    ----------
    source : object
        What is read; its class and size are all the identity it has.
    num_rows : int
        Number of samples.
    first : mapping of str to object
        The first sample's value of each tensor.
    """

    def __init__(self, source: Any, num_rows: int, first: Mapping[str, Any]) -> None:
        identity = f"{type(source).__qualname__}/{num_rows}"
        specs = {name: _spec(name, value) for name, value in first.items()}
        super().__init__(specs, num_rows, hashlib.sha256(identity.encode()).hexdigest()[:16])
        self._sample_shapes = {name: np.shape(value) for name, value in first.items()}

    def shapes(self, tensor: str) -> NDArray[np.int64]:
        """Return the shape of the first sample for all."""
        checked_tensor(self._specs, tensor)
        shape = np.array(self._sample_shapes[tensor], np.int64)
        return np.broadcast_to(shape, (self._num_rows, len(shape)))

    def has_nulls(self, tensor: str) -> bool:
        """Return False: a source's samples are taken to be like the first, which saves reading them all."""
        checked_tensor(self._specs, tensor)
        return False


def _spec(name: str, value: Any) -> TensorSpec:
    htype: Htype = "text" if isinstance(value, str) else "generic"
    return TensorSpec(name=name, htype=htype, dtype="str" if htype == "text" else np.asarray(value).dtype.name)
