"""Columns to read and rows chosen."""

from penstock.table._array import ArrayTable
from penstock.table._ragged import Ragged
from penstock.table._rows import RowsTable
from penstock.table._selection import Selection
from penstock.table._table import Table

__all__ = ["ArrayTable", "Ragged", "RowsTable", "Selection", "Table"]
