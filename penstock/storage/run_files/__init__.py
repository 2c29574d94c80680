"""The files of training runs, beside the samples."""

from __future__ import annotations

__all__: list[str] = []
