"""Versions on Lance, links, credentials: all that touches the engine or an object store."""

from penstock.storage._fork import ENGINE, renew_in_children, renewed_lock
from penstock.storage._lasting import make_folders, sync_folder
from penstock.storage._location import Location
from penstock.storage._staging import new_staging, staging_folders, staging_lock
from penstock.storage.caching._cache import Cache, chosen_cache
from penstock.storage.holding._draft_lock import DraftLock, draft_lock
from penstock.storage.leasing._holder import Holder
from penstock.storage.links._credentials import Credentials, Provider
from penstock.storage.links._links import LinkReader, link_root
from penstock.storage.reading._changes import Changes
from penstock.storage.reading._columns import (
    UID,
    byte_views,
    column_names,
    column_of,
    derived_uids,
    flat_values,
    new_uids,
    sample_columns,
    scalars,
    shape_rows,
    table_of,
)
from penstock.storage.reading._part import SnapshotPart
from penstock.storage.reading._parts import Part, runs
from penstock.storage.reading._received import received_table
from penstock.storage.reading._snapshot import ID, Snapshot
from penstock.storage.run_files._names import check_run_name, run_names
from penstock.storage.run_files._run_folder import RunFolder
from penstock.storage.versions._cleanup import Freed, Version, cleanup
from penstock.storage.versions._commits import (
    Commit,
    author,
    branch_names,
    clean_version,
    commit_before,
    commit_kind,
    commits,
    decoded,
    delete_tag,
    encoded,
    find_version,
    is_clean,
    keep,
    last_commit,
    new_record,
    set_tag,
    user_tags,
    wrong_tags,
)
from penstock.storage.versions._digests import DamagedFile, Digests
from penstock.storage.versions._sample_states import SampleStates, Stamp, names_at
from penstock.storage.versions._tags import Mark, delete_tag_named, tags_named
from penstock.storage.versions._upkeep import make_branch, sweep
from penstock.storage.writing._fragments import write_rows
from penstock.storage.writing._publishing import is_abandoned, published, sign
from penstock.storage.writing._steps import Steps
from penstock.storage.writing._store import ROWS_PER_FILE, Store, open_version

__all__ = [
    "ENGINE",
    "ID",
    "ROWS_PER_FILE",
    "UID",
    "Cache",
    "Changes",
    "Commit",
    "Credentials",
    "DamagedFile",
    "Digests",
    "DraftLock",
    "Freed",
    "Holder",
    "LinkReader",
    "Location",
    "Mark",
    "Part",
    "Provider",
    "RunFolder",
    "SampleStates",
    "Snapshot",
    "SnapshotPart",
    "Stamp",
    "Steps",
    "Store",
    "Version",
    "author",
    "branch_names",
    "byte_views",
    "check_run_name",
    "chosen_cache",
    "clean_version",
    "cleanup",
    "column_names",
    "column_of",
    "commit_before",
    "commit_kind",
    "commits",
    "decoded",
    "delete_tag",
    "delete_tag_named",
    "derived_uids",
    "draft_lock",
    "encoded",
    "find_version",
    "flat_values",
    "is_abandoned",
    "is_clean",
    "keep",
    "last_commit",
    "link_root",
    "make_branch",
    "make_folders",
    "names_at",
    "new_record",
    "new_staging",
    "new_uids",
    "open_version",
    "published",
    "received_table",
    "renew_in_children",
    "renewed_lock",
    "run_names",
    "runs",
    "sample_columns",
    "scalars",
    "set_tag",
    "shape_rows",
    "sign",
    "staging_folders",
    "staging_lock",
    "sweep",
    "sync_folder",
    "table_of",
    "tags_named",
    "user_tags",
    "write_rows",
    "wrong_tags",
]
