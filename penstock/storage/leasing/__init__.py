"""Who writes to a dataset in an object store, and for how long."""

from __future__ import annotations

__all__: list[str] = []
