"""What is not committed yet: samples, classes and tensors, and each difference in words."""

from __future__ import annotations

__all__: list[str] = []
