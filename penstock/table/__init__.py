"""Columns to read and rows chosen."""

from penstock.table._array import ArrayTable
from penstock.table._checks import checked_column, checked_rows, checked_tensor
from penstock.table._classes import class_colors_of, class_names_of, class_totals
from penstock.table._fixed import FixedTable
from penstock.table._ragged import Ragged, all_bounds, exact_bounds, widened
from penstock.table._selection import Selection
from penstock.table._stored import StoredTable, cells_of_columns, text_column
from penstock.table._table import Earlier, Table
from penstock.table.drafts._class_keys import (
    class_aliases,
    class_colors,
    class_keys,
    merged_into,
    new_index,
    resolved,
    with_class_color,
    with_class_keys,
    with_classes,
)
from penstock.table.drafts._compare import Difference, compare
from penstock.table.drafts._draft import Draft
from penstock.table.drafts._draft_files import (
    DraftFile,
    DraftNote,
    DraftPart,
    delete_drafts,
    draft_bases,
    draft_files,
    draft_folder,
    read_drafts,
    write_draft,
)
from penstock.table.drafts._edited import sample_of_cell
from penstock.table.drafts._overlay import OverlayTable
from penstock.table.drafts._since import edited_since, noted_state
from penstock.table.over._optimized import OptimizedTable
from penstock.table.over._projected import ProjectedTable
from penstock.table.over._rows import RowsTable
from penstock.table.parts._part import Rows, TablePart, part_rows

__all__ = [
    "ArrayTable",
    "Difference",
    "Draft",
    "DraftFile",
    "DraftNote",
    "DraftPart",
    "Earlier",
    "FixedTable",
    "OptimizedTable",
    "OverlayTable",
    "ProjectedTable",
    "Ragged",
    "Rows",
    "RowsTable",
    "Selection",
    "StoredTable",
    "Table",
    "TablePart",
    "all_bounds",
    "cells_of_columns",
    "checked_column",
    "checked_rows",
    "checked_tensor",
    "class_aliases",
    "class_colors",
    "class_colors_of",
    "class_keys",
    "class_names_of",
    "class_totals",
    "compare",
    "delete_drafts",
    "draft_bases",
    "draft_files",
    "draft_folder",
    "edited_since",
    "exact_bounds",
    "merged_into",
    "new_index",
    "noted_state",
    "part_rows",
    "read_drafts",
    "resolved",
    "sample_of_cell",
    "text_column",
    "widened",
    "with_class_color",
    "with_class_keys",
    "with_classes",
    "write_draft",
]
