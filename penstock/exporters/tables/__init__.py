"""Tables: CSV files and Hugging Face datasets."""

from __future__ import annotations

__all__: list[str] = []
