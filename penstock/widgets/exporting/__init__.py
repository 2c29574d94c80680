"""What leaves a session: loaders and annotations, as objects and as code."""

from __future__ import annotations

__all__: list[str] = []
