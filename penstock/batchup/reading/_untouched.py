"""A function that receives the original rows of arrays, as long as it does not write to its batches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

from numpy.typing import NDArray

__all__ = ["Untouched", "views"]


def views(arrays: tuple[NDArray[Any], ...], batch_size: int) -> Iterator[tuple[NDArray[Any], ...]]:
    """Yield batches in order that are the rows themselves, read-only."""
    locked = [array.view() for array in arrays]
    for array in locked:
        array.flags.writeable = False
    if len(locked) == 1:
        (array,) = locked
        for start in range(0, len(array), batch_size):
            yield (array[start : start + batch_size],)
        return
    for start in range(0, len(arrays[0]), batch_size):
        yield tuple([array[start : start + batch_size] for array in locked])


class Untouched:
    """Calls a function with batches of `views`; with copies where it writes, or where torch would write unasked.

    To copy costs as much as a simple function. Whether this one writes is seen by its first batch, a copy. Should it
    write to a later one, numpy refuses, and it is called again with a copy.

    Parameters
    ----------
    function : callable
        Its last arguments are the arrays of a batch.
    num_arrays : int
        How many.
    """

    def __init__(self, function: Callable[..., Any], num_arrays: int) -> None:
        self._function = function
        self._num_arrays = num_arrays
        self._writes: bool | None = None

    def __call__(self, *arguments: Any) -> Any:
        """Call the function."""
        if self._writes is False and "torch" not in sys.modules:
            try:
                return self._function(*arguments)
            except ValueError as error:
                if "read-only" not in str(error):
                    raise
                self._writes = True
        return self._with_copies(arguments)

    def _with_copies(self, arguments: tuple[Any, ...]) -> Any:
        before, rows = arguments[: -self._num_arrays], arguments[-self._num_arrays :]
        copies = [array.copy() for array in rows]
        result = self._function(*before, *copies)
        if self._writes is None:
            self._writes = any(one.tobytes() != other.tobytes() for one, other in zip(copies, rows, strict=True))
        return result
