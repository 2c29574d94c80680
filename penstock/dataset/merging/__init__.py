"""The changes of two branches as one."""

from __future__ import annotations

__all__: list[str] = []
