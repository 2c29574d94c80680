"""Samples as loaders and other libraries take them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from penstock.dataset.samples._content import Content
from penstock.dataset.views import _drawing as drawing
from penstock.dataset.views._drawing import Seed
from penstock.loader import Loader
from penstock.loader.chain._one_call import one_call

__all__ = ["LoadedSamples"]


class LoadedSamples:
    """Samples that can be trained on."""

    _content: Content

    def dataloader(self, *, seed: Seed = ...) -> Loader:
        """Return a loader of these samples, to be configured by a chain of calls.

        Parameters
        ----------
        seed : int or None, optional
            Of draws, order and transforms; None takes fresh entropy. By default a
            view's own, 0 for a dataset.

        Returns
        -------
        Loader
            ``.transform(…).batch(64).shuffle().pytorch()`` and iterate.
        """
        return drawing.loader_of(self._content, seed=seed)

    def pytorch(
        self,
        num_workers: int = 0,
        shuffle: bool = False,
        transform: Any = None,
        tensors: list[str] | None = None,
        batch_size: int | None = 1,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        *,
        seed: Seed = ...,
        **options: Any,
    ) -> Loader:
        """Return a loader of torch tensors in one call.

        Parameters
        ----------
        num_workers : int
            Processes for the transform.
        shuffle : bool
            Whether each epoch comes in another order.
        transform : callable or dict of str to callable, optional
            Applied to each sample.
        tensors : list of str, optional
            Tensors to read; by default all.
        batch_size : int or None
            Samples per batch; None yields single samples.
        collate_fn : callable, optional
            Function that makes a batch from a list of samples.
        seed : int or None, optional
            As in `dataloader`.
        **options
            ``drop_last``, ``buffer_size``, ``offset``, ``transform_kwargs``, and any
            other parameter of the loader's ``.pytorch()``.

        Returns
        -------
        Loader
            Iterate it for one epoch.
        """
        loader: Loader = one_call(
            self.dataloader(seed=seed), "pytorch", num_workers, shuffle, transform, tensors, batch_size, collate_fn,
            **options,
        )  # fmt: skip
        return loader

    def tensorflow(
        self,
        num_workers: int = 0,
        shuffle: bool = False,
        transform: Any = None,
        tensors: list[str] | None = None,
        batch_size: int | None = 1,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        *,
        seed: Seed = ...,
        **options: Any,
    ) -> Any:
        """Return a loader of TensorFlow tensors in one call; parameters as in `pytorch`."""
        return one_call(
            self.dataloader(seed=seed), "tensorflow", num_workers, shuffle, transform, tensors, batch_size, collate_fn,
            **options,
        )  # fmt: skip

    def to_ray(
        self, tensors: Sequence[str] | None = None, *, decode: bool = True, num_blocks: int | None = None
    ) -> Any:
        """Return the samples as a Ray Dataset, in their order; nothing is read until Ray asks for it.

        Its blocks are read where Ray runs its tasks, never here.

        Parameters
        ----------
        tensors : list of str, optional
            Tensors to read; by default all.
        decode : bool
            Whether images are arrays, uint8 of shape (height, width, channels), or encoded bytes.
        num_blocks : int, optional
            Number of parts that are read by a task each; by default of 512 samples with images, 65,536 without.

        Returns
        -------
        ray.data.Dataset
            A column for each tensor, and ``index``, the row of each sample in `version`. Class labels are indices,
            boxes arrays of shape (num_boxes, 4), texts str, JSON values text, missing samples None.

        Raises
        ------
        MissingDependencyError
            If Ray is not installed.
        TensorNotFoundError
            If there is no such tensor.

        Examples
        --------
        >>> batches = ds.to_ray(["images", "labels"]).iter_batches(batch_size=64)  # doctest: +SKIP
        """
        from penstock.dataset.views._to_ray import to_ray

        return to_ray(self._content, tensors, decode=decode, num_blocks=num_blocks)
