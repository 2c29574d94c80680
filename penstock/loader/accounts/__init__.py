"""What was delivered: statistics, class counts, what the weights let expect."""

from __future__ import annotations

__all__: list[str] = []
