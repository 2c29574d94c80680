"""Samples divided into parts and folds: at random, by labels, by groups."""

from __future__ import annotations

__all__: list[str] = []
