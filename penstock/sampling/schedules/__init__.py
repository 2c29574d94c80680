"""Schedules over a pool: their streams, their forecasts, and usual schedules ready made."""

from __future__ import annotations

__all__: list[str] = []
