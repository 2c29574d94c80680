"""The pickles of CIFAR, read without running anything that is in them."""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["read_pickle"]

_ARRAY_MODULES = ("numpy.core.multiarray", "numpy._core.multiarray")


def read_pickle(content: bytes) -> dict[str, Any]:
    """Return a pickled dictionary of numbers, text, lists and arrays of uint8; reject anything else.

    No class and no function that the pickle names is ever called: arrays are rebuilt here from their shape and bytes.

    Parameters
    ----------
    content : bytes
        A pickle, of Python 2 as CIFAR's are, or of Python 3.

    Raises
    ------
    ValueError
        If it is not such a pickle.

    Examples
    --------
    >>> read_pickle(pickle.dumps({"labels": [3, 1]}))
    {'labels': [3, 1]}
    """
    try:
        found = _Unpickler(io.BytesIO(content), encoding="latin1").load()
    except (pickle.UnpicklingError, EOFError, IndexError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise ValueError(f"it is not a pickle of arrays: {error or type(error).__name__}") from error
    if not isinstance(found, dict):
        raise ValueError(f"it contains a pickled {type(found).__name__}. Expected a dictionary")  # noqa: TRY004  the file is wrong, not the call
    return {str(name): value.array() if isinstance(value, _Array) else value for name, value in found.items()}


class _Dtype:
    """The type of an array, as its pickle names it."""

    def __init__(self, name: str, *_: object) -> None:
        self.name = name

    def __setstate__(self, state: object) -> None:
        """Ignore byte order and alignment: bytes have none."""


class _Array:
    """An array, as its pickle describes it."""

    def __init__(self, *_: object) -> None:
        self._state: tuple[Any, ...] = ()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._state = state

    def array(self) -> NDArray[np.uint8]:
        """Return it as numpy's."""
        if len(self._state) != 5:  # version, shape, type, order, bytes
            raise ValueError("it contains an array without data")
        _, shape, dtype, is_fortran, content = self._state
        if not isinstance(dtype, _Dtype) or dtype.name not in ("u1", "|u1"):
            raise ValueError(f"it contains an array of type {getattr(dtype, 'name', dtype)}. Expected uint8")
        raw = content.encode("latin1") if isinstance(content, str) else content
        return np.frombuffer(raw, np.uint8).reshape(shape, order="F" if is_fortran else "C")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if name == "_reconstruct" and module in _ARRAY_MODULES:
            return _Array
        if module == "numpy" and name == "dtype":
            return _Dtype
        if module == "numpy" and name == "ndarray":
            return None  # an argument of the above, which does not use it
        raise pickle.UnpicklingError(f"it refers to {module}.{name}, which arrays do not need")
