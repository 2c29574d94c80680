"""Versions on Lance, links, credentials: all that touches the engine or an object store."""

from penstock.storage._columns import (
    UID,
    byte_views,
    column_names,
    flat_values,
    new_uids,
    sample_columns,
    scalars,
    shape_rows,
    table_of,
)
from penstock.storage._commits import (
    Commit,
    Mark,
    branch_names,
    commits,
    decoded,
    delete_tag,
    encoded,
    find_version,
    head_commit,
    make_commit,
    mark_view,
    set_tag,
    unmark_view,
    user_tags,
    view_marks,
)
from penstock.storage._credentials import Credentials
from penstock.storage._fork import ENGINE, renew_in_children, renewed_lock
from penstock.storage._links import LinkReader, link_root
from penstock.storage._location import Location
from penstock.storage._snapshot import Snapshot
from penstock.storage._store import Store, open_version
from penstock.storage._upkeep import cleanup, make_branch

__all__ = [
    "ENGINE",
    "UID",
    "Commit",
    "Credentials",
    "LinkReader",
    "Location",
    "Mark",
    "Snapshot",
    "Store",
    "branch_names",
    "byte_views",
    "cleanup",
    "column_names",
    "commits",
    "decoded",
    "delete_tag",
    "encoded",
    "find_version",
    "flat_values",
    "head_commit",
    "link_root",
    "make_branch",
    "make_commit",
    "mark_view",
    "new_uids",
    "open_version",
    "renew_in_children",
    "renewed_lock",
    "sample_columns",
    "scalars",
    "set_tag",
    "shape_rows",
    "table_of",
    "unmark_view",
    "user_tags",
    "view_marks",
]
