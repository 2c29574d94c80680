"""Values, kinds of tensors and errors of others, in words."""

from __future__ import annotations

__all__: list[str] = []
