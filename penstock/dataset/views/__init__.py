"""Views, saved views, and what is drawn from them."""

from __future__ import annotations

__all__: list[str] = []
