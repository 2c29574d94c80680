"""The functions of the language: a registry, and how calls of each are bound."""

from __future__ import annotations

__all__: list[str] = []
