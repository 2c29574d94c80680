"""Files outside a dataset, and credentials for them."""

from __future__ import annotations

__all__: list[str] = []
