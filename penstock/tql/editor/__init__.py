"""Help while a query is typed: colors, problems, completion, explanations."""

from __future__ import annotations

__all__: list[str] = []
