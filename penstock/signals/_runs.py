"""The runs of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import DatasetError, RunNotFoundError, StorageError
from penstock.signals._record import RunRecord
from penstock.signals._run import Run
from penstock.signals._stored_run import StoredRun
from penstock.signals._writing import RunWriter, new_run_name
from penstock.storage import Location, RunFolder, run_names, run_records

__all__ = ["Runs"]


class Runs(Mapping[str, Run]):
    """The training runs that were recorded beside a dataset, by name; the newest is the last.

    They belong to the dataset, whatever its branch, and are part of no commit.

    Parameters
    ----------
    location : Location
        The dataset.
    """

    def __init__(self, location: Location) -> None:
        self._location = location

    def __getitem__(self, name: str) -> Run:
        """Return a run.

        Raises
        ------
        RunNotFoundError
            If there is none of this name.
        """
        known = run_names(self._location)
        if name not in known or RunFolder(self._location, name).record() is None:
            raise RunNotFoundError(name, self)
        return Run(StoredRun(self._location, name))

    def __iter__(self) -> Iterator[str]:
        """Yield the names, in the order in which the runs were started."""
        return iter([name for _, name in sorted(self._started())])

    def __len__(self) -> int:
        return len(self._started())

    def __contains__(self, name: object) -> bool:
        return name in [known for _, known in self._started()]

    def __repr__(self) -> str:
        """Return the names."""
        return f"Runs({list(self)})"

    @property
    def newest(self) -> Run | None:
        """The run that was started last; None if there is none."""
        started = self._started()
        return Run(StoredRun(self._location, max(started)[1])) if started else None

    def delete(self, name: str) -> None:
        """Delete a run, also one whose files are damaged.

        Raises
        ------
        RunNotFoundError
            If there is none of this name.
        """
        if name not in run_names(self._location):
            raise RunNotFoundError(name, self)
        RunFolder(self._location, name).remove()

    def start(
        self,
        name: str | None,
        uids: Callable[[], NDArray[np.int64]],
        version: Mapping[str, Any],
        *,
        rank: int = 0,
        world: int = 1,
        resumed: bool = False,
        find: Callable[[Any], NDArray[np.int64]] | None = None,
    ) -> RunWriter:
        """Begin a run, or go on with one.

        Parameters
        ----------
        name : str, optional
            Its name, by default the present time; with several ranks it is needed. A new run takes the place of an
            earlier one of the same name when its first epoch is written, as a notebook cell that is run again does. If
            another process still records that one, the new run is called ``name-2``, and a warning says so.
        uids : callable
            Returns the identity of every row of the dataset that is trained on.
        version : mapping
            That version of the dataset, as JSON values; its ``label`` is what people read.
        rank, world : int
            Which of how many processes this is.
        resumed : bool
            Go on with the run of this name, as after loading the state of its loader.
        find : callable, optional
            Returns the positions of rows that are recorded without; by default records are counted.

        Raises
        ------
        DatasetError
            If the name is not valid, or missing with several ranks.
        """
        if name is None and world > 1:
            raise DatasetError(
                f"a run of {world} processes has no name. Expected one that all of them are given",
                hint='run="baseline"',
            )
        chosen = new_run_name(name, run_names(self._location))
        return RunWriter(self._location, chosen, uids, version, rank=rank, world=world, resumed=resumed, find=find)

    def _started(self) -> list[tuple[str, str]]:
        """Return when each run was started, with its name; a damaged one is listed first."""
        found = []
        for name, content in run_records(self._location).items():
            started = ""
            with suppress(StorageError):
                started = RunRecord.parse(RunFolder(self._location, name), content).started
            found.append((started, name))
        return found
