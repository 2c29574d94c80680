"""Tables that show the rows of another table: some of them, a copy of them, with computed columns."""

from __future__ import annotations

__all__: list[str] = []
