"""A view: some samples of one version that stay as they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.samples._content import HasContent
from penstock.dataset.shown._history import SampleHistory
from penstock.dataset.views._fixed_content import FixedContent, Home, frozen
from penstock.dataset.views._samples import Samples
from penstock.dataset.views._saved_views import save_view
from penstock.errors import DatasetError
from penstock.sampling import SamplingSpec

__all__ = ["View"]


class View(Samples["View"]):
    """A read-only snapshot: rows of one version, whatever happens to the dataset afterwards.

    Made by queries, `sample_by`, `split`, `filter` and indices of a dataset or of another view.

    Parameters
    ----------
    content : FixedContent
        The samples; rows that can be written to are copied.
    """

    def __init__(self, content: FixedContent) -> None:
        if content.rows.flags.writeable:
            content = replace(content, rows=frozen(np.array(content.rows, np.int64)))
        self._content: FixedContent = content

    def _origin(self) -> HasContent[Home] | None:
        return self._content.dataset

    def _view(self, content: FixedContent) -> View:
        return View(content)

    @property
    def query_string(self) -> str | None:
        """The query that chose the rows, None where they were chosen by number."""
        return self._content.query_string

    @property
    def seed(self) -> int:
        """The seed the query was run with."""
        return self._content.seed

    @property
    def pool(self) -> NDArray[np.int64]:
        """Rows that sampling drew from, int64; the view's own where it was not sampled."""
        return self._content.rows if self._content.pool is None else self._content.pool

    @property
    def spec(self) -> SamplingSpec | None:
        """How the rows were drawn; None if they were not sampled."""
        return None if self._content.plan is None else self._content.plan.spec

    def history(self, row: int) -> SampleHistory:
        """Return the edits of one sample of the view up to its version, the newest first.

        Parameters
        ----------
        row : int
            The sample by its position in the view, counted from the end when negative.

        Returns
        -------
        SampleHistory
            As of ``ds.history``.
        """
        home = self._content.home
        if home is None:
            raise DatasetError(
                "the result of this query is a table, not samples of the dataset. Expected a view of samples"
            )
        return home.history_of(self._content.table, self._content.rows, row)

    def save_view(self, message: str | None = None, *, id: str | None = None) -> str:  # noqa: A002  the contract's name
        """Keep this view: its commit, its rows by identity, its query as text.

        Parameters
        ----------
        message : str, optional
            What it is for.
        id : str, optional
            Letters, digits, ``_`` and ``-``; by default 24 hexadecimal digits.

        Returns
        -------
        str
            The id, for ``ds.load_view``.

        Raises
        ------
        UncommittedChangesError
            If the view's version is not a commit.
        DatasetError
            If the id is taken, or the view was drawn by an array of weights.
        """
        if self._content.home is None:
            raise DatasetError(
                "the result of this query is a table, not samples of the dataset. Expected a view of samples"
            )
        if self._content.by_array:
            raise DatasetError(
                "the view was drawn by an array of weights, which is not stored with the dataset. "
                "Expected a weight expression",
                hint="store the weights as a tensor: ds.create_tensor('my_weights') and ds.sample_by('my_weights')",
            )
        return save_view(self._content.home, self._content, message=message, view_id=id)
