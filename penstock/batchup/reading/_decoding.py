"""Images of a batch that several threads decode, in the order of the batch."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from penstock.engines import Threads, worker_number

if TYPE_CHECKING:
    from penstock.dataset import Tensor

__all__ = ["Decoding"]

_MOST_THREADS = 8
_LEAST_IMAGES = 8  # for a thread; fewer are decoded sooner than another thread is awake


class Decoding:
    """Threads that decode images of views; started when first needed, and not in worker processes."""

    def __init__(self) -> None:
        self._threads = Threads(_MOST_THREADS)

    def __reduce__(self) -> Any:
        return Decoding, ()

    def read(self, tensor: Tensor, indices: Any, *, aslist: bool) -> Any:
        """Return what ``tensor[indices].numpy(aslist)`` does.

        Parameters
        ----------
        tensor : Tensor
            Images of a view.
        indices : int, slice or ndarray
            Which of its samples.
        aslist : bool
            Whether a list is returned, as where shapes differ.

        Raises
        ------
        SampleError
            If an image cannot be read: that of the first one in the order of `indices`.
        """
        chosen = tensor[indices]
        most = len(chosen) if np.ndim(indices) or isinstance(indices, slice) else 1
        count = min(_MOST_THREADS, os.cpu_count() or 1, most // _LEAST_IMAGES)
        if count < 2 or worker_number():  # one thread is the caller's own
            return chosen.numpy(aslist=aslist)
        first, *others = np.array_split(np.arange(most), count)
        jobs = [self._threads.submit(_arrays, chosen, part) for part in others]
        try:
            parts = [_arrays(chosen, first)]
            for job in jobs:
                found, error = job.outcome()
                if error is not None:
                    raise error
                parts.append(found)
        finally:
            for job in jobs:
                job.cancel()
        samples = list(itertools.chain.from_iterable(parts))
        return samples if aslist else np.stack(samples)


def _arrays(tensor: Tensor, part: Any) -> Any:
    return tensor[part].numpy(aslist=True)
