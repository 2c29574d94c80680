"""Columns to read and rows chosen."""

from penstock.table._ragged import Ragged
from penstock.table._selection import Selection
from penstock.table._table import Table

__all__ = ["Ragged", "Selection", "Table"]
