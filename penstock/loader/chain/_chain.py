"""The chained loader."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, Self

import numpy as np

from penstock.errors import LoaderError
from penstock.loader.chain._tensorflow import as_tf_dataset, require_tensorflow
from penstock.loader.running._engine import Engine
from penstock.loader.running._running import RunningLoader
from penstock.loader.settings._settings import Framework, Settings, check_count, checked_output
from penstock.loader.sources._pool import Pool, Resolve
from penstock.loader.sources._source import DrawnSource, Source, as_table
from penstock.loader.sources._weights import spec_for
from penstock.sampling import SamplingPlan, fresh_seed
from penstock.table import Selection, Table

__all__ = ["Loader"]

Transformation = Callable[..., Any] | Mapping[str, Callable[..., Any] | None]


class Loader(RunningLoader):
    """Batches of a dataset or a view for training, built by a chain of calls.

    Each call of the chain returns a new loader. Iterating one gives an epoch;
    iterating it again gives the next, with other draws and another order.

    Parameters
    ----------
    table : Table, Source or DrawnSource
        What is read; a source of `penstock.batchup` also says which samples, and with which weights.
    selection : Selection, optional
        Rows of it; None means all. With `plan` the rows the plan draws from.
    seed : int, optional
        Of draws, order and transforms; None takes a fresh one and records it in `seed`.
    plan : SamplingPlan, optional
        Weights over the selection; each epoch then draws anew.
    resolve : callable, optional
        How the names in a query become tables.
    tensors : sequence of str, optional
        What is read where nothing else is asked for; default: all.

    Raises
    ------
    LoaderError
        If `table` is nothing that samples can be read from.

    Examples
    --------
    >>> from penstock.table import ArrayTable
    >>> table = ArrayTable({"x": np.arange(5.0), "label": [0, 1, 0, 1, 1]}, class_names={"label": ["a", "b"]})
    >>> loader = Loader(table).batch(2).numpy()
    >>> [batch["index"].tolist() for batch in loader]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        table: Table | Source | DrawnSource,
        selection: Selection | None = None,
        *,
        seed: int | None = 0,
        plan: SamplingPlan | None = None,
        resolve: Resolve | None = None,
        tensors: Sequence[str] | None = None,
    ) -> None:
        seed = fresh_seed() if seed is None else seed
        drawn = table.__drawn__(seed) if isinstance(table, DrawnSource) else None
        if drawn is not None and selection is None and plan is None:
            selection, plan = Selection(rows=drawn.rows, version="", query_string=None, seed=seed), drawn.plan
        readable: Table = as_table(table if drawn is None else drawn.source)
        rows = np.arange(readable.num_rows) if selection is None else np.asarray(selection.rows, np.int64)
        history = (selection.query_string,) if selection is not None and selection.query_string else ()
        all_rows = None if drawn is None or plan is not drawn.plan else drawn.all_rows
        self._pool = Pool(table=readable, rows=rows, plan=plan, history=history, resolve=resolve, all_rows=all_rows)
        shown = None if tensors is None else tuple(tensors)
        self._settings = Settings(seed=seed, tensors=shown)
        self._called: frozenset[str] = frozenset()
        self._made: Engine | None = None
        self.worker_init_fn: Callable[[int], None] | None = None

    # ---- the chain -------------------------------------------------------------------------

    def _derived(self, step: str | None = None, *, pool: Pool | None = None, **settings: Any) -> Self:
        """Return a copy with changes; a step that is taken once is refused the second time."""
        if step is not None and step in self._called:
            raise LoaderError(f".{step}() has already been called", hint=f"give .{step}() everything in one call")
        derived = object.__new__(type(self))
        derived._pool = self._pool if pool is None else pool
        derived._settings = replace(self._settings, **settings)
        derived._called = self._called | ({step} if step else set())
        derived._made = None
        derived.worker_init_fn = self.worker_init_fn
        return derived

    def query(self, query_string: str) -> Self:
        """Return a loader of the rows a query chooses out of this one's.

        Parameters
        ----------
        query_string : str
            TQL. May be called repeatedly and between samplings; each works on
            what the ones before it left. Where its outermost clause is
            ``sample by`` and nothing follows, every epoch draws anew.

        Returns
        -------
        Loader
        """
        return self._derived(pool=self._pool.queried(query_string, self._settings.seed))

    def sample_by(
        self,
        weights: Any,
        replace: bool = True,
        size: int | None = None,
        *,
        seed: int | None = None,
        mode: Literal["iid", "deck", "once"] | None = None,
    ) -> Self:
        """Return a loader that draws samples by weight, anew in each epoch.

        Parameters
        ----------
        weights : str, SamplingSpec, SamplingPlan, sampler, source, list, tuple or ndarray
            A weight expression such as ``max_weight(labels == 5: 10, labels == 6: 5)``,
            the name of a tensor that holds the weights, or one weight for each sample. A spec or a plan of the same
            samples brings mode, size and seed; those given here replace its own.
        replace : bool
            Whether a sample may be drawn again in an epoch; False is the same as ``mode="once"``.
        size : int, optional
            Draws of an epoch; default: as many as there are samples.
        seed : int, optional
            Of the draw alone; default: the loader's.
        mode : {"iid", "deck", "once"}, optional
            Independent draws, the default; each stratum dealt out before it repeats; without replacement.

        Returns
        -------
        Loader

        Raises
        ------
        SamplingError
            If the weights are not one finite number of at least 0 for each sample.
        """
        spec = spec_for(
            weights, own_seed=self._settings.seed, seed=seed, mode=mode, size=size, with_replacement=replace
        )
        return self._derived(pool=self._pool.sampled(weights, spec))

    def transform(self, transform: Transformation, **kwargs: Any) -> Self:
        """Return a loader that applies a transform to each sample.

        Parameters
        ----------
        transform : callable or dict of str to callable or None
            A function of a sample, which is a dict of tensors; or one function
            per tensor, None for a tensor that is passed on. A dict drops every
            tensor it does not name, ``index`` too. A function with a parameter
            `rng` is given a `numpy.random.Generator` of the sample's own.
        **kwargs
            Passed to a callable; ignored with a dict.

        Returns
        -------
        Loader

        Raises
        ------
        LoaderError
            If it was called before, or `transform` is neither.
        """
        if isinstance(transform, Mapping):
            if kwargs:
                warnings.warn(
                    f"transform is a dict: the arguments {', '.join(sorted(kwargs))} are ignored", stacklevel=2
                )
            kwargs = {}
            for name, function in transform.items():
                if function is not None and not callable(function):
                    raise LoaderError(f"transform of {name!r} is {function!r}; expected a function or None")
            transform = dict(transform)
        elif not callable(transform):
            raise LoaderError(f"transform is {transform!r}; expected a function or a dict of functions")
        return self._derived("transform", transform=transform, transform_arguments=kwargs)

    def batch(self, batch_size: int | None, drop_last: bool = False) -> Self:
        """Return a loader of batches.

        Parameters
        ----------
        batch_size : int or None
            Samples in a batch; under ``distributed`` in a batch of each rank. None
            gives single samples, not batches.
        drop_last : bool
            Whether to leave out a last batch that is smaller.

        Returns
        -------
        Loader

        Raises
        ------
        LoaderError
            If it was called before, or `batch_size` is less than 1.
        """
        size = None if batch_size is None else check_count("batch_size", batch_size, 1)
        return self._derived("batch", batch_size=size, drop_last=bool(drop_last), single=size is None)

    def shuffle(self, shuffle: bool = True, buffer_size: int = 2048) -> Self:
        """Return a loader that gives its samples in another order each epoch.

        Parameters
        ----------
        shuffle : bool
            Whether to.
        buffer_size : int
            Megabytes for samples that can only be read in sequence. Samples that can
            be read by number, as those of a dataset, are shuffled as a whole.

        Returns
        -------
        Loader

        Raises
        ------
        LoaderError
            If it was called before.

        Notes
        -----
        Draws by weight are in random order already; on them it changes nothing.
        """
        return self._derived("shuffle", shuffle=bool(shuffle), buffer_size=check_count("buffer_size", buffer_size, 1))

    def offset(self, off: int = 0) -> Self:
        """Return a loader whose epochs begin at a sample and go round to the beginning.

        Parameters
        ----------
        off : int
            Samples by which each epoch is rotated.

        Returns
        -------
        Loader

        Raises
        ------
        LoaderError
            If it was called before, or `off` is negative.
        """
        return self._derived("offset", offset=check_count("off", off, 0))

    def numpy(  # noqa: PLR0917  the page's signature
        self,
        num_workers: int = 0,
        tensors: list[str] | None = None,
        num_threads: int | None = None,
        prefetch_factor: int = 2,
        decode_method: Mapping[str, str] | None = None,
        persistent_workers: bool = False,
        *,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        distributed: bool | None = None,
        return_index: bool = True,
        resize: Mapping[str, Any] | None = None,
        scale_boxes: bool | Mapping[str, str] = False,
        padding: str = "list",
        on_error: str = "raise",
    ) -> Self:
        """Return a loader of batches of numpy arrays; parameters as in `pytorch`."""
        return self._output("numpy", {**locals(), "pin_memory": False})

    def pytorch(  # noqa: PLR0917  the page's signature
        self,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        tensors: list[str] | None = None,
        num_threads: int | None = None,
        prefetch_factor: int = 2,
        distributed: bool | None = None,
        return_index: bool = True,
        decode_method: Mapping[str, str] | None = None,
        persistent_workers: bool = False,
        *,
        resize: Mapping[str, Any] | None = None,
        scale_boxes: bool | Mapping[str, str] = False,
        padding: str = "list",
        on_error: str = "raise",
        pin_memory: bool = False,
    ) -> Self:
        """Return a loader of batches of torch tensors.

        Parameters
        ----------
        num_workers : int
            Processes for the transform and the collating; 0 does them in the caller's thread.
        collate_fn : callable, optional
            Makes a batch of a list of samples.
        tensors : list of str, optional
            Tensors to read; default: all.
        num_threads : int, optional
            Threads that read and decode; default: as many as there are processors, 8 at most.
        prefetch_factor : int
            Batches made ahead, per thread or worker.
        distributed : bool, optional
            Whether the processes of torch.distributed share each epoch; a single process has all of it. Default:
            they do not, which is warned of where there are several.
        return_index : bool
            Whether a batch has ``index``, the row of each sample in the dataset's version.
        decode_method : dict of str to {"numpy", "tobytes", "pil"}, optional
            What a tensor's samples become: arrays, the bytes as stored, or Pillow images.
        persistent_workers : bool
            Whether workers keep the transform when an epoch ends.
        resize : dict of str to (int, int), optional
            Height and width that a tensor's images are given in the reader threads.
        scale_boxes : bool or dict of str to str
            Whether boxes are scaled with their resized images, by the same factors; with several image tensors
            which images the boxes of a tensor belong to, as ``{"boxes": "images"}``.
        padding : {"list", "pad"}
            What becomes of samples of unequal shape: a list, or one tensor, filled up
            behind with 0, class labels with -1.
        on_error : {"raise", "skip", "substitute"}
            What happens to a sample that cannot be read: the error is raised, the sample
            is left out, or another of the same stratum takes its place.
        pin_memory : bool
            Whether tensors are put in pinned memory, where there is a GPU.

        Returns
        -------
        Loader

        Raises
        ------
        LoaderError
            If a framework was chosen before, or a parameter is out of range.
        TensorNotFoundError
            If a tensor does not exist.
        MissingDependencyError
            If torch is not installed.
        """
        return self._output("pytorch", locals())

    def tensorflow(  # noqa: PLR0917  the page's signature
        self,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        tensors: list[str] | None = None,
        num_threads: int | None = None,
        prefetch_factor: int = 2,
        return_index: bool = True,
        decode_method: Mapping[str, str] | None = None,
        persistent_workers: bool = False,
        *,
        resize: Mapping[str, Any] | None = None,
        scale_boxes: bool | Mapping[str, str] = False,
        padding: str = "list",
        on_error: str = "raise",
    ) -> Any:
        """Return a `tf.data.Dataset` of batches; parameters as in `pytorch`.

        Samples of unequal shape come as ragged tensors unless padded, JSON as text.

        Returns
        -------
        tf.data.Dataset
            Each iteration of it is the next epoch. It has the loader's `state_dict`,
            `load_state_dict`, `audit`, `stats`, `with_weights` and `close`.
            Call `.shuffle`, `.transform`, `.offset` and `.batch` before it: after it
            they are TensorFlow's.

        Raises
        ------
        LoaderError
            If a framework was chosen before, or a parameter is out of range.
        MissingDependencyError
            If tensorflow is not installed.
        """
        require_tensorflow()
        options = {**locals(), "distributed": False, "pin_memory": False}
        loader = self._output("tensorflow", options)
        stacked = padding == "pad" or self._settings.samples_per_batch == 1
        engine = loader._engine  # noqa: SLF001  of this class
        return as_tf_dataset(
            loader,
            axes=engine.axes if stacked else {},
            dtypes=engine.dtypes,
            single=self._settings.single,
            own=collate_fn is not None,
            transformed=self._settings.transform is not None,
        )

    def preview(self) -> Any:
        """Return the next batch without taking it: the state stays where it is.

        Raises
        ------
        LoaderError
            If the loader has no batches.
        """
        return self._engine.preview()

    def _output(self, framework: Framework, options: Mapping[str, Any]) -> Self:
        if self._settings.framework != "samples":
            raise LoaderError(
                f".{self._settings.framework}() has already been called",
                hint="choose one of .pytorch(), .numpy() and .tensorflow()",
            )
        told = {name: value for name, value in options.items() if name != "self"}
        checked = checked_output(self._pool.table, told)
        checked["tensors"] = checked["tensors"] or self._settings.tensors
        return self._derived(framework=framework, **checked)
