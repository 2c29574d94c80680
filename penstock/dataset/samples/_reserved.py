"""Names that are parts of every dataset, view or sample, and names that other libraries have for them."""

from __future__ import annotations

import re
import sys
from functools import cache

__all__ = ["ELSEWHERE", "is_attribute", "kinds_with", "reserved_names"]

# what code written for Deep Lake asks for, and what to write here
ELSEWHERE = {
    "add_column": "ds.create_tensor(name, htype=…)",
    "allow_delete": "to delete the dataset, delete its folder",
    "batches": "ds.dataloader().batch(size).numpy()",
    "clear_cache": "there is no cache to clear",
    "client": "penstock has no server",
    "commits": "ds.log()",
    "copy": "copy the folder",
    "create_group": 'a name with slashes, ds.create_tensor("group/name"), and ds["group/name"] to get it',
    "create_tensor_like": "ds.create_tensor(name, htype=…)",
    "current_branch": "ds.branch",
    "deepcopy": "copy the folder",
    "delete": "ds.pop(i) for samples; to delete the dataset, delete its folder",
    "delete_branch": "branches cannot be deleted",
    "delete_group": "ds.delete_tensor for each of its tensors",
    "description": "ds.info['description']",
    "get_commit_details": "ds.log(), whose entries have id, time, author and message",
    "get_creds_keys": "ds.add_creds_key, ds.populate_creds",
    "groups": "ds.tensors, whose names can contain slashes",
    "has_head_changes": "ds.has_changes",
    "is_optimized": "ds.load_view(id, optimize=True), which makes a copy to read from",
    "metadata": "ds.info",
    "name": "ds.path",
    "optimize": "ds.load_view(id, optimize=True)",
    "pending_commit_id": "ds.commit_id for the last commit, ds.version for the version that is read",
    "random_split": "ds.split({'train': 0.8, 'val': 0.2})",
    "rechunk": "ds.compact()",
    "remove_column": "ds.delete_tensor(name)",
    "rename": "rename the folder",
    "rename_column": "ds.rename_tensor, whose error says what to write",
    "rename_group": "ds.rename_tensor, whose error says what to write",
    "rollback": "ds.reset()",
    "sample_indices": "ds.indices",
    "schema": "ds.summary(), or ds.tensors",
    "size_approx": "the size of the folder",
    "to_csv": "ds.pandas().to_csv(path)",
    "update_creds_key": "ds.add_creds_key",
    "visualize": "penstock.explore(ds)",
}


def is_attribute(name: str) -> bool:
    """Return whether a tensor of this name can be an attribute."""
    return re.fullmatch(r"[^\W_]\w*", name) is not None and name.isidentifier()


def reserved_names() -> frozenset[str]:
    """Return the public names of datasets, views and samples: behind a dot they are never tensors."""
    return frozenset(_kinds())


def kinds_with(name: str) -> str:
    """Return in words which of datasets, views and samples have a public name."""
    return " and ".join(_kinds()[name])


@cache
def _kinds() -> dict[str, tuple[str, ...]]:
    package = sys.modules["penstock.dataset"]  # loaded when this is asked; its classes stand above this module
    found: dict[str, tuple[str, ...]] = {}
    for kind, word in (("Dataset", "datasets"), ("View", "views"), ("Sample", "samples")):
        for name in dir(getattr(package, kind)):
            if not name.startswith("_"):
                found[name] = (*found.get(name, ()), word)
    return found
