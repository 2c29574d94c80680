"""What sources made of several sources share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from penstock.batchup.samplers._orders import Seeded
from penstock.batchup.sources._abstract import AbstractDataSource
from penstock.errors import DataSourceError, DataSourceTypeError, NotSupportedError
from penstock.loader import Drawn

__all__ = ["Several"]


class Several(AbstractDataSource):
    """A source made of several sources.

    Parameters
    ----------
    datasets : sequence of AbstractDataSource
        The sources.
    """

    def __init__(self, datasets: Sequence[AbstractDataSource]) -> None:
        if isinstance(datasets, AbstractDataSource | str) or not isinstance(datasets, Sequence):
            raise DataSourceTypeError(f"datasets is a {type(datasets).__name__}; expected a list of data sources")
        if not datasets:
            raise DataSourceError("datasets is empty; expected at least one data source")
        for number, source in enumerate(datasets):
            if not isinstance(source, AbstractDataSource):
                raise DataSourceTypeError(
                    f"datasets[{number}] is a {type(source).__name__}; expected a data source",
                    hint="coerce_data_source makes one",
                )
        self.datasets = datasets

    @property
    def is_random_access(self) -> bool:
        """Whether samples of all sources can be read by index."""
        return all(source.is_random_access for source in self.datasets)

    def __drawn__(self, seed: int) -> Drawn:
        """Refuse: a loader draws from one pool of samples."""
        raise NotSupportedError(
            f"a loader over a {type(self).__name__}; expected a source of one pool of samples (seed {seed})",
            hint="batch_iterator gives its batches; or make a loader of each of its sources",
        )

    def _check_random_access(self, name: str) -> None:
        for number, source in enumerate(self.datasets):
            if not source.is_random_access:
                raise DataSourceTypeError(
                    f"{name}: samples of datasets[{number}], a {type(source).__name__}, cannot be read by index"
                )

    def _for_member(self, number: int, options: dict[str, Any]) -> dict[str, Any]:
        """Return the options of one source: of a seed one of its own, so that sources are shuffled independently."""
        rng = self._get_shuffle_rng(options.get("shuffle"))
        return {**options, "shuffle": rng.member(number)} if isinstance(rng, Seeded) else options
