"""A bounded folder on the local disk for samples that were read from an object store or the web."""

from __future__ import annotations

__all__: list[str] = []
