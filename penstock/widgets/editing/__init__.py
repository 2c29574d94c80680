"""Changes to samples, and taking them back."""

from __future__ import annotations

__all__: list[str] = []
