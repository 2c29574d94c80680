"""One sample as it is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

__all__ = ["Cell"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cell:
    """A sample on its way into the store.

    Parameters
    ----------
    value : bytes, str, ndarray of shape (num_elements,) or None
        Encoded image, packed mask, text, JSON text, link URL, or flat elements.
    shape : tuple of int, optional
        Shape of the sample, if the elements do not determine it.
    digest : int, optional
        64 bits of the BLAKE2 hash of an image's bytes.
    creds_key : str, optional
        Name of the credentials of a link.
    num_entries : int, optional
        Number of entries of a JSON list, where it is known without reading it again.
    """

    value: bytes | str | NDArray[Any] | None
    shape: tuple[int, ...] | None = None
    digest: int | None = None
    creds_key: str | None = None
    num_entries: int | None = None

    @property
    def num_bytes(self) -> int:
        """About what the sample takes in memory."""
        if self.value is None:
            return 8
        return 32 + (len(self.value) if isinstance(self.value, (bytes, str)) else self.value.nbytes)
