"""A run that was recorded, as users see it."""

from __future__ import annotations

import hashlib
import io

import numpy as np
from numpy.typing import NDArray

from penstock.errors import StorageError
from penstock.signals._stored_run import StoredRun

__all__ = ["Run", "stored_run"]


class Run:
    """One training run: when it was, what it trained on, and what it recorded; ``ds.signals`` has its numbers.

    Parameters
    ----------
    stored : StoredRun
        Its files.
    """

    def __init__(self, stored: StoredRun) -> None:
        self._stored = stored

    def __repr__(self) -> str:
        """Return name, epochs and signals."""
        record = self._stored.record
        return f"Run({self.name!r}, epochs={record.epochs}, signals={list(record.signals)})"

    @property
    def name(self) -> str:
        """Its name."""
        return self._stored.name

    @property
    def started(self) -> str:
        """When it was started, in UTC, ISO 8601."""
        return self._stored.record.started

    @property
    def updated(self) -> str:
        """When it was last written, in UTC, ISO 8601."""
        return self._stored.record.updated

    @property
    def num_epochs(self) -> int:
        """Epochs that were finished."""
        return self._stored.record.epochs

    @property
    def version(self) -> str:
        """The version of the dataset that it trained on last: a commit, or a state after one."""
        versions = self._stored.record.versions
        return str(versions[-1][1].get("label", "")) if versions else ""

    @property
    def names(self) -> list[str]:
        """Names of its signals, sorted."""
        return self._stored.names

    @property
    def schedule(self) -> str | None:
        """The schedule that it drew by, as JSON text; None if none was kept."""
        file = self._stored.record.schedule
        content = None if file is None else self._stored.read(file)
        return None if content is None else content.decode()

    def weights(self, sha256: str) -> NDArray[np.float64]:
        """Return an array of weights that the run drew by, by its SHA-256.

        Raises
        ------
        StorageError
            If the run has none of this name, or it is damaged.
        """
        content = self._stored.read(f"weights/{sha256}.npy") if sha256.isalnum() else None
        if content is None:
            raise StorageError(f"run {self.name!r} has no weights {sha256!r}")
        try:
            found: NDArray[np.float64] = np.load(io.BytesIO(content), allow_pickle=False)
        except (ValueError, EOFError, OSError):
            found = np.empty(0)
        if hashlib.sha256(found.tobytes()).hexdigest() != sha256:
            raise StorageError(f"the weights {sha256!r} of run {self.name!r} are damaged")
        return found

    def delete(self) -> None:
        """Delete the run and its numbers."""
        self._stored.delete()


def stored_run(run: Run) -> StoredRun:
    """Return the files of a run, for use by other parts of penstock."""
    return run._stored  # noqa: SLF001  the one way to it
