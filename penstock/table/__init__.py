"""Columns to read and rows chosen."""

from penstock.table._array import ArrayTable
from penstock.table._compare import Difference, compare
from penstock.table._draft import Draft
from penstock.table._draft_files import discard_draft, load_draft, save_edits
from penstock.table._optimized import OptimizedTable
from penstock.table._overlay import OverlayTable
from penstock.table._projected import ProjectedTable
from penstock.table._ragged import Ragged
from penstock.table._rows import RowsTable
from penstock.table._selection import Selection
from penstock.table._stored import StoredTable
from penstock.table._table import Table

__all__ = [
    "ArrayTable",
    "Difference",
    "Draft",
    "OptimizedTable",
    "OverlayTable",
    "ProjectedTable",
    "Ragged",
    "RowsTable",
    "Selection",
    "StoredTable",
    "Table",
    "compare",
    "discard_draft",
    "load_draft",
    "save_edits",
]
