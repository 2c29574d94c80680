"""Make one step the newest version of a branch, exactly once and without overwriting others."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import lance

__all__ = ["KIND", "kind_of", "land", "latest", "settled"]

KIND = "penstock.kind"
_BASE = "penstock.base"  # the version a step was prepared on
_STEP = "penstock.step"  # a token of its own
_PATIENCE = 40  # looks at a step that another writer is about to do again, 50 ms apart


def latest(handle: lance.LanceDataset, branch: str | None) -> lance.LanceDataset:
    """Return the newest version of a branch; the handle itself never moves, so threads may share it."""
    return handle.checkout_version((branch, None))


def _properties(handle: lance.LanceDataset, version: int) -> dict[str, str]:
    """Return the properties stored with a version; empty if they are gone or another tool created it."""
    with suppress(Exception):
        return dict(handle.read_transaction(version).transaction_properties or {})
    return {}


def kind_of(handle: lance.LanceDataset, version: int) -> tuple[str | None, Any]:
    """Return the kind of step that created a version (None for other tools) and the engine's operation."""
    with suppress(Exception):
        transaction = handle.read_transaction(version)
        return (transaction.transaction_properties or {}).get(KIND), transaction.operation
    return None, None


def land(
    handle: lance.LanceDataset,
    branch: str | None,
    operation: Any,
    properties: Mapping[str, str],
    *,
    base: int,
) -> lance.LanceDataset | None:
    """Make an operation the newest version; None if it overwrote another process's step and was undone.

    The engine tries again when an answer of the store is lost, and may then find its own version in the way.
    The step's token shows whose it is, and the first version is the complete step.
    """
    import lance

    token = secrets.token_hex(8)
    transaction = lance.Transaction(
        read_version=base, operation=operation, transaction_properties={**properties, _BASE: str(base), _STEP: token}
    )
    try:
        made = lance.LanceDataset.commit(handle, transaction)
        newest = int(made.version)
        if newest == base + 1:
            return made
    except Exception:
        newest = int(latest(handle, branch).version)
        if not _mine(handle, branch, token, base, newest):
            raise
    mine = _mine(handle, branch, token, base, newest)
    if type(operation).__name__ == "Restore":
        return _checked_restore(handle, branch, mine, base)
    if mine is not None and _mine(handle, branch, token, mine, newest):
        _restore(handle, branch, mine)
    return latest(handle, branch)


def _mine(handle: lance.LanceDataset, branch: str | None, token: str, base: int, newest: int) -> int | None:
    """Return the first version after `base` that was created by the step with this token."""
    there = latest(handle, branch)
    for version in range(base + 1, newest + 1):
        if _properties(there, version).get(_STEP) == token:
            return version
    return None


def _checked_restore(
    handle: lance.LanceDataset, branch: str | None, mine: int | None, base: int
) -> lance.LanceDataset | None:
    if mine is None or mine == base + 1:
        return latest(handle, branch)
    _restore(handle, branch, mine - 1)
    return None


def _restore(handle: lance.LanceDataset, branch: str | None, version: int) -> None:
    import lance

    there = latest(handle, branch)
    properties = {_BASE: str(there.version), _STEP: secrets.token_hex(8)}
    lance.LanceDataset.commit(
        there,
        lance.Transaction(
            read_version=int(there.version),
            operation=lance.LanceOperation.Restore(version),
            transaction_properties=properties,
        ),
    )


def settled(handle: lance.LanceDataset, branch: str | None) -> lance.LanceDataset:
    """Return the newest version that overwrites nothing; the step of a dead process is undone.

    Only object stores need this: folders are written under a lock. Restoring is the one operation the
    engine does not check against other writers.
    """
    for _ in range(_PATIENCE):
        there = latest(handle, branch)
        if not _overwrites(there):
            return there
        time.sleep(0.05)
    _restore(handle, branch, int(there.version) - 1)
    return latest(handle, branch)


def _overwrites(handle: lance.LanceDataset) -> bool:
    kind, operation = kind_of(handle, int(handle.version))
    if type(operation).__name__ != "Restore" or kind is None:
        return False
    properties = _properties(handle, int(handle.version))
    before = _properties(handle, int(handle.version) - 1)
    return int(properties.get(_BASE, 0)) + 1 != int(handle.version) and before.get(_STEP) != properties.get(_STEP)
