"""The training runs that are kept with a dataset."""

from __future__ import annotations

import numpy as np

from penstock.dataset.opened._live_content import LiveContent
from penstock.dataset.opened._opened import OpenDataset
from penstock.dataset.signals._signals import runs_of
from penstock.loader.batching._to_torch import agree
from penstock.sampling import TorchBatchSampler, TorchSampler
from penstock.sampling.samplers._processes import own_rank
from penstock.signals import Runs, RunWriter
from penstock.table import noted_state

__all__ = ["Recorded"]


class Recorded:
    """An object with training runs."""

    _content: LiveContent
    _opened: OpenDataset

    @property
    def runs(self) -> Runs:
        """The training runs that were recorded, a mapping of names to `Run`; ``ds.signals`` has their numbers.

        They are kept beside the dataset, whatever its branch, and are part of no commit.
        """
        return runs_of(self._content.table)

    def start_run(
        self,
        name: str | None = None,
        *,
        resumed: bool = False,
        sampler: TorchSampler | TorchBatchSampler | None = None,
        distributed: bool = False,
    ) -> RunWriter:
        """Begin to record numbers per sample, for a training loop that does not use a penstock loader.

        Parameters
        ----------
        name : str, optional
            Its name, by default the present time. An earlier run of this name is replaced when the first epoch of the
            new one is written; if another process still records it, the new one is called ``name-2``, with a warning.
        resumed : bool
            Go on with the run of this name.
        sampler : TorchSampler or TorchBatchSampler, optional
            What the DataLoader of the loop reads by: numbers are then kept at the positions of the stream, so that
            what is trained on again after a resume counts once.
        distributed : bool
            Whether every process of ``torch.distributed`` records its own; all of them call this, with a name.

        Returns
        -------
        RunWriter
            Its ``record(rows, positions, values)`` keeps numbers, ``write()`` ends an epoch, ``close()`` the run.

        Raises
        ------
        DatasetError
            If the name is not valid, or missing with several processes.
        SamplingError
            If a launcher started several processes, and ``torch.distributed`` is not initialized.
        LoaderError
            If the processes give different names.
        ReadOnlyError
            If the dataset was opened with ``read_only=True``.

        Examples
        --------
        >>> import tempfile, numpy as np, penstock
        >>> ds = penstock.empty(tempfile.mkdtemp() + "/ages")
        >>> _ = ds.create_tensor("age")
        >>> ds.extend({"age": [1, 2, 3]})
        >>> with ds.start_run("baseline") as run:
        ...     run.record(np.array([2, 0]), None, {"loss": np.array([0.5, 4.0])})
        ...     run.write()
        >>> ds.signals().values("loss").tolist()
        [4.0, nan, 0.5]
        """
        self._opened.check_may_name()
        table = self._content.table
        rows = np.arange(table.num_rows, dtype=np.int64)
        rank, world = own_rank() if distributed else (0, 1)
        run = runs_of(table).start(
            name,
            lambda: table.uids(rows),
            noted_state(table),
            rank=rank,
            world=world,
            resumed=resumed,
            find=None if sampler is None else sampler.positions,
        )
        if world > 1:  # no process writes before all have read what they go on with
            agree({"the name of the run": run.name, "resumed": resumed})
        return run
