"""Strata, their plans under a spec, forecasts, targets, simulation and studies."""

from __future__ import annotations

__all__: list[str] = []
