"""Requests from the browser: checked, run, answered."""

from __future__ import annotations

__all__: list[str] = []
