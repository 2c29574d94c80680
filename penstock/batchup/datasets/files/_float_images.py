"""Images of bytes that read as float32."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ImporterError

__all__ = ["ImageArrayUInt8ToFloat32", "checked_range"]


def checked_range(val_lower: Any, val_upper: Any) -> tuple[float, float]:
    """Return what the values 0 and 255 become."""
    ends = {"val_lower": val_lower, "val_upper": val_upper}
    for name, value in ends.items():
        if not isinstance(value, int | float | np.integer | np.floating) or not np.isfinite(value):
            raise ImporterError(f"{name}={value!r} is not valid. Expected a finite number")
    return float(val_lower), float(val_upper)


class ImageArrayUInt8ToFloat32:
    """An array of uint8 images whose values read as float32 of another range; converted when they are read.

    Parameters
    ----------
    arr_u8 : ndarray of uint8
        Values 0 to 255.
    val_lower, val_upper : float
        What 0 and 255 become.

    Attributes
    ----------
    dtype : dtype
        float32.

    Raises
    ------
    ImporterError
        If `arr_u8` is not an array, or the others are not finite numbers.

    Examples
    --------
    >>> images = ImageArrayUInt8ToFloat32(np.array([[0, 51], [102, 255]], np.uint8), -1.0, 1.0)
    >>> images.shape, images.dtype == np.float32
    ((2, 2), True)
    >>> images[1].round(3).tolist()
    [-0.20000000298023224, 1.0]
    """

    def __init__(self, arr_u8: NDArray[np.uint8], val_lower: float = 0.0, val_upper: float = 1.0) -> None:
        if not hasattr(arr_u8, "dtype") or not getattr(arr_u8, "shape", ()):
            raise ImporterError(f"arr_u8 is a {type(arr_u8).__name__}. Expected an array of images")
        val_lower, val_upper = checked_range(val_lower, val_upper)
        self.arr_u8 = arr_u8
        self._offset = np.float32(val_lower)
        self._scale = np.float32((val_upper - val_lower) / 255.0)
        self.dtype = np.dtype(np.float32)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return self.arr_u8.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.arr_u8.ndim

    def __len__(self) -> int:
        return len(self.arr_u8)

    def __getitem__(self, index: Any) -> Any:
        return self.arr_u8[index].astype(np.float32) * self._scale + self._offset

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ImporterError(
                "float32 images are converted from uint8, which requires a copy. Expected copy=None or True"
            )
        found: NDArray[Any] = self[...]
        return found if dtype is None else found.astype(dtype, copy=False)
