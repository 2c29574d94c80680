"""Requests of the page about training: a running loader, and what it reported."""

from __future__ import annotations

__all__: list[str] = []
