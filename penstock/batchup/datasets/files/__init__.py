"""Downloads, archives and file formats of the standard datasets."""

from __future__ import annotations

__all__: list[str] = []
