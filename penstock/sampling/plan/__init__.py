"""Strata under a spec: charts, targets, simulation and studies."""

from __future__ import annotations

__all__: list[str] = []
