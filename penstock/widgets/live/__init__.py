"""Training beside the Explorer: a loader that draws by the sliders of now, and what was drawn so far."""

from __future__ import annotations

__all__: list[str] = []
