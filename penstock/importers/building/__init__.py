"""From columns to a committed dataset, with a report."""

from penstock.importers.building._build import load_or_make

__all__ = ["load_or_make"]
