"""SAMPLE BY: weights bound to a relation, and the strata they make."""

from __future__ import annotations

__all__: list[str] = []
