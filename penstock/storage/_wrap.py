"""Errors of Lance and Arrow, raised in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from penstock.errors import PenstockError, StorageError
from penstock.storage._reasons import plain_reason

__all__ = ["is_conflict", "wrapped"]

_PANIC = "PanicException"  # the engine's own fault, which Python does not count among the exceptions


def is_conflict(error: BaseException) -> bool:
    """Return whether another process wrote first, so the work must be repeated."""
    text = str(error).lower()
    return type(error).__name__ == "CommitConflictError" or "commit conflict" in text or "retryable" in text


@contextmanager
def wrapped(action: str) -> Iterator[None]:
    """Raise whatever the engine raises as a StorageError: `action`, then the reason.

    Conflicts pass through, since writers do their work again.
    """
    try:
        yield
    except PenstockError:
        raise
    except BaseException as error:  # OSError, ValueError, RuntimeError, ArrowException, PanicException
        if is_conflict(error) or not (isinstance(error, Exception) or type(error).__name__ == _PANIC):
            raise
        raise StorageError(f"cannot {action}: {plain_reason(error)}") from error
