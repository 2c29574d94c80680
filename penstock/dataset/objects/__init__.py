"""The objects of a sample, one by one: which is which in two states, and both edits as one."""

from __future__ import annotations

__all__: list[str] = []
