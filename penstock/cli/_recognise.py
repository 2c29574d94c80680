"""Recognize what is at a path, for the command line."""

from __future__ import annotations

from penstock.importers import Source, recognize

__all__ = ["Source", "recognise"]

recognise = recognize
