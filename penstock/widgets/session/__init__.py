"""What the widgets of one exploration share."""

from __future__ import annotations

__all__: list[str] = []
