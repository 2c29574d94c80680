"""Arrays, tables and datasets of other libraries, column by column."""

from __future__ import annotations

__all__: list[str] = []
