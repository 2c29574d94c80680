"""The base of sources made of several sources."""

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
            raise DataSourceTypeError(f"datasets is a {type(datasets).__name__}. Expected a list of data sources")
        if not datasets:
            raise DataSourceError("datasets is empty. Expected at least one data source")
        for number, source in enumerate(datasets):
            if not isinstance(source, AbstractDataSource):
                raise DataSourceTypeError(
                    f"datasets[{number}] is a {type(source).__name__}. Expected a data source",
                    hint="create one with coerce_data_source",
                )
        self.datasets = datasets

    @property
    def is_random_access(self) -> bool:
        """Return whether samples of all sources can be read by index."""
        return all(source.is_random_access for source in self.datasets)

    def __drawn__(self, seed: int) -> Drawn:
        """Refuse: a loader draws from one pool of samples."""
        raise NotSupportedError(
            f"a loader cannot read from a {type(self).__name__}. "
            f"Expected a source with a single pool of samples (seed {seed})",
            hint="use batch_iterator, or create one loader per source",
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
