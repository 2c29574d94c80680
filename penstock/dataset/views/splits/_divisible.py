"""What can be divided into parts and folds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.samples._content import Content, HasContent, content_of
from penstock.dataset.views._fixed_content import Home

if TYPE_CHECKING:
    from penstock.dataset.views.splits._parts import Folds, Split
    from penstock.dataset.views.splits._split import Method

__all__ = ["Divisible"]

_V = TypeVar("_V")


class Divisible(ABC, Generic[_V]):
    """Samples that can be divided; `_V` is the type of their views."""

    _content: Content

    @abstractmethod
    def _origin(self) -> HasContent[Home] | None:
        """Return the dataset that views of these samples are of."""

    @abstractmethod
    def _chosen(self, positions: NDArray[np.int64]) -> _V:
        """Return a view of some of the samples."""

    def split(
        self,
        fractions: Mapping[str, float],
        *,
        stratify: str | Sequence[str] | None = None,
        group: str | None = None,
        method: Method | None = None,
        seed: int | None = 0,
    ) -> Split[_V]:
        """Divide the samples at random, stratified by labels, or with the samples of a group in one part.

        Parameters
        ----------
        fractions : mapping of str to float
            Share of each part; at most 1 together.
        stratify : str or sequence of str, optional
            Class label tensors whose labels are spread evenly.
        group : str, optional
            A tensor with one value a sample, such as a patient, or a TQL expression for one. All samples with a value
            are in the same part. Samples without a value are groups of their own, and a warning counts them.
        method : {"label_sets", "iterative", "second_order"}, optional
            How labels are spread. "label_sets" divides the samples of each set of labels by themselves; the default
            for one tensor without groups. "iterative" gives each part its share of each label, which is better where
            samples have several labels and most sets of labels are rare; the default for several tensors or with
            groups. "second_order" gives each part its share of each pair of labels as well.
        seed : int or None
            None takes fresh entropy.

        Returns
        -------
        Split
            A dictionary of views; no sample is in two, not even where a view repeats it. `Split.report` says how near
            the parts are to their shares, and `Split.save_views` saves them together.

        Raises
        ------
        DatasetError
            If the shares are negative or sum to more than 1, or what should be spread is not a class label tensor.

        Examples
        --------
        >>> import penstock
        >>> ds = penstock.demo()
        >>> parts = ds.split({"train": 0.8, "val": 0.2}, stratify="labels", method="iterative")
        >>> {name: len(part) for name, part in parts.items()}
        {'train': 480, 'val': 120}
        >>> parts.report.largest_deviation < 1
        True
        """
        from penstock.dataset.views.splits._parts import Split
        from penstock.dataset.views.splits._split import divide

        division = divide(self._content, fractions, stratify=stratify, group=group, method=method, seed=seed)
        return Split(self._content, division, self._chosen, self._save_together)

    def folds(
        self,
        num_folds: int,
        *,
        stratify: str | Sequence[str] | None = None,
        group: str | None = None,
        method: Method | None = None,
        seed: int | None = 0,
    ) -> Folds[_V]:
        """Divide the samples into folds for a cross-validation; parameters as in `split`.

        Parameters
        ----------
        num_folds : int
            How many; 2 or more.
        stratify, group, method, seed
            As in `split`.

        Returns
        -------
        Folds
            A sequence of pairs (train, valid) of views.

        Raises
        ------
        DatasetError
            If there are fewer samples or groups than folds.

        Examples
        --------
        >>> import penstock
        >>> [(len(train), len(valid)) for train, valid in penstock.demo().folds(3, stratify="labels")]
        [(400, 200), (400, 200), (400, 200)]
        """
        from penstock.dataset.views.splits._folds import divided_into_folds
        from penstock.dataset.views.splits._parts import Folds

        division = divided_into_folds(
            self._content, num_folds, stratify=stratify, group=group, method=method, seed=seed
        )
        return Folds(self._content, division, self._chosen, self._save_together)

    def _save_together(
        self, views: Mapping[str, object], message: str | None, *, view_id: str | None, group: str | None
    ) -> dict[str, str]:
        from penstock.dataset.views.splits._leakage import saved_together

        origin = self._origin()
        home = None if origin is None else content_of(origin)
        return saved_together(home, views, message, view_id=view_id, group=group)
