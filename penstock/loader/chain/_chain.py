"""The chained loader."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple, Self

from penstock.errors import LoaderError
from penstock.loader.chain._description import describe, describe_html
from penstock.loader.chain._tensorflow import as_tf_dataset, require_tensorflow
from penstock.loader.running._epochs import EpochLoader
from penstock.loader.settings._settings import (
    Framework,
    Output,
    Settings,
    Transformation,
    check_count,
    checked_output,
    checked_transform,
)
from penstock.loader.sources._pool import Pool, Resolve
from penstock.loader.sources._source import DrawnSource, Source, pool_of
from penstock.sampling import SamplingPlan, SamplingSchedule, SchedulePlan, fresh_seed
from penstock.table import Selection, Table
from penstock.tql import spec_for

__all__ = ["Loader", "Steps"]


class Steps(NamedTuple):
    """The steps of a chain so far: what is read, how, and which steps cannot be taken again."""

    pool: Pool
    settings: Settings
    called: frozenset[str] = frozenset()


class Loader(EpochLoader):
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
        Tensors that are read by default; default: all.

    Attributes
    ----------
    num_workers, prefetch_factor, persistent_workers, pin_memory, pin_memory_device, timeout, generator, in_order
        What a torch DataLoader of finished batches has, for trainers that make one again from these. Worker processes
        are penstock's own, and set by `pytorch`.
    multiprocessing_context : None
        Likewise.
    worker_init_fn : callable or None
        Called with its number in each worker process that starts.

    Raises
    ------
    LoaderError
        If `table` is nothing that samples can be read from.

    Examples
    --------
    >>> import numpy as np
    >>> from penstock.table import ArrayTable
    >>> table = ArrayTable({"x": np.arange(5.0), "label": [0, 1, 0, 1, 1]}, class_names={"label": ["a", "b"]})
    >>> loader = Loader(table).batch(2).numpy()
    >>> [batch["index"].tolist() for batch in loader]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        table: Table | Source | DrawnSource | Steps,
        selection: Selection | None = None,
        *,
        seed: int | None = 0,
        plan: SamplingPlan | None = None,
        resolve: Resolve | None = None,
        tensors: Sequence[str] | None = None,
    ) -> None:
        if isinstance(table, Steps):
            steps = table
        else:
            seed = fresh_seed() if seed is None else seed
            pool = pool_of(table, selection, seed=seed, plan=plan, resolve=resolve)
            steps = Steps(pool, Settings(seed=seed, tensors=None if tensors is None else tuple(tensors)))
        super().__init__(steps.pool, steps.settings)
        self._called = steps.called

    def _derived(self, step: str | None = None, *, pool: Pool | None = None, **settings: Any) -> Self:
        """Return a loader with changes; a step that is taken once is refused the second time."""
        if step is not None and step in self._called:
            raise LoaderError(f".{step}() has already been called", hint=f"give .{step}() everything in one call")
        called = self._called | ({step} if step else set())
        pool = self._pool if pool is None else pool
        derived = type(self)(Steps(pool, replace(self._settings, **settings), called))
        derived.worker_init_fn = self.worker_init_fn
        return derived

    def __repr__(self) -> str:
        """Return what it will draw, in one line."""
        return describe(self._next_pool, self._settings)

    def _repr_html_(self) -> str:
        return describe_html(self._next_pool, self._settings)

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
        params: Mapping[str, Any] | None = None,
    ) -> Self:
        """Return a loader that draws samples by weight, anew in each epoch.

        Parameters
        ----------
        weights : str, SamplingSpec, SamplingPlan, SamplingSchedule, SchedulePlan, HardMining, sampler, list or ndarray
            A weight expression such as ``max_weight(labels == 5: 10, labels == 6: 5)``,
            the name of a tensor that holds the weights, or one weight for each sample. A spec or a plan of the same
            samples brings mode, size and seed; arguments passed here replace its own. A schedule brings all of them,
            and weights for each of its positions: `Loader.schedule` of a run replays it. Weights that depend on a
            ``signal(...)`` are evaluated now; those of `penstock.sampling.hard_mining` at the end of each epoch.
        replace : bool
            Whether a sample may be drawn again in an epoch; False is the same as ``mode="once"``.
        size : int, optional
            Draws of an epoch; default: as many as there are samples.
        seed : int, optional
            Of the draw alone; default: the loader's.
        mode : {"iid", "deck", "once"}, optional
            Independent draws, the default; each stratum dealt out before it repeats; without replacement.
        params : mapping of str to mapping of str to float, optional
            Weights by class name of each ``$name`` in ``max_weight(classes(labels, $name), True: 1)``; classes it
            does not name weigh 1.

        Returns
        -------
        Loader

        Raises
        ------
        SamplingError
            If the weights are not one finite number of at least 0 for each sample.
        """
        if isinstance(weights, SamplingSchedule | SchedulePlan):
            given = {"replace": replace is not True, "size": size is not None, "seed": seed is not None}
            given |= {"mode": mode is not None, "params": params is not None}
            pool = self._pool.scheduled(weights, [name for name, is_given in given.items() if is_given])
            return self._derived(pool=pool)
        spec = spec_for(
            weights, own_seed=self._settings.seed, seed=seed, mode=mode, size=size, with_replacement=replace
        )
        return self._derived(pool=self._pool.sampled(weights, spec, params))

    def transform(self, transform: Transformation, **kwargs: Any) -> Self:
        """Return a loader that applies a transform to each sample.

        Parameters
        ----------
        transform : callable or dict of str to callable or None
            A function of a sample, which is a dict of tensors; or one function
            per tensor, None for a tensor that is passed on unchanged. A dict drops every
            tensor it does not name, ``index`` too. A function with a parameter
            `rng` gets the sample's own `numpy.random.Generator`.
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
        checked, arguments = checked_transform(transform, kwargs)
        return self._derived("transform", transform=checked, transform_arguments=arguments)

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
            Whether samples come in another order each epoch.
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
        """Return a loader whose epochs begin at a sample and wrap around to the beginning.

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

    def numpy(
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
        run: str | None = None,
    ) -> Self:
        """Return a loader of batches of numpy arrays; parameters as in `pytorch`."""
        return self._output("numpy", Output(
            num_workers=num_workers, collate_fn=collate_fn, tensors=tensors, num_threads=num_threads,
            prefetch_factor=prefetch_factor, distributed=distributed, return_index=return_index,
            decode_method=decode_method, persistent_workers=persistent_workers, resize=resize,
            scale_boxes=scale_boxes, padding=padding, on_error=on_error, run=run,
        ))  # fmt: skip

    def pytorch(
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
        run: str | None = None,
    ) -> Self:
        """Return a loader of batches of torch tensors.

        Parameters
        ----------
        num_workers : int
            Processes for the transform and the collating; 0 does them in the caller's thread.
        collate_fn : callable, optional
            Makes a batch out of a list of samples.
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
            Height and width to which a tensor's images are resized in the reader threads.
        scale_boxes : bool or dict of str to str
            Whether boxes are scaled with their resized images, by the same factors; with several image tensors
            which images the boxes of a tensor belong to, as ``{"boxes": "images"}``.
        padding : {"list", "pad"}
            What becomes of samples of unequal shape: a list, or one tensor, filled up
            at the end with 0, class labels with -1.
        on_error : {"raise", "skip", "substitute"}
            What happens to a sample that cannot be read: the error is raised, the sample
            is left out, or another of the same stratum takes its place.
        pin_memory : bool
            Whether tensors are put in pinned memory, where there is a GPU.
        run : str, optional
            Name of the run that `record` keeps numbers in, beside the dataset; default: the time it begins. A state
            that is loaded goes on with its run.

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
        return self._output("pytorch", Output(
            num_workers=num_workers, collate_fn=collate_fn, tensors=tensors, num_threads=num_threads,
            prefetch_factor=prefetch_factor, distributed=distributed, return_index=return_index,
            decode_method=decode_method, persistent_workers=persistent_workers, resize=resize,
            scale_boxes=scale_boxes, padding=padding, on_error=on_error, pin_memory=pin_memory,
            run=run,
        ))  # fmt: skip

    def tensorflow(
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
        run: str | None = None,
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
        loader = self._output("tensorflow", Output(
            num_workers=num_workers, collate_fn=collate_fn, tensors=tensors, num_threads=num_threads,
            prefetch_factor=prefetch_factor, distributed=False, return_index=return_index,
            decode_method=decode_method, persistent_workers=persistent_workers, resize=resize,
            scale_boxes=scale_boxes, padding=padding, on_error=on_error, run=run,
        ))  # fmt: skip
        stacked = padding == "pad" or self._settings.samples_per_batch == 1
        maker = loader._parts.maker  # noqa: SLF001  of this class
        return as_tf_dataset(
            loader,
            axes=maker.axes if stacked else {},
            dtypes=maker.dtypes,
            single=self._settings.single,
            own=collate_fn is not None,
            transformed=self._settings.transform is not None,
        )

    def _output(self, framework: Framework, output: Output) -> Self:
        if self._settings.framework != "samples":
            raise LoaderError(
                f".{self._settings.framework}() has already been called",
                hint="choose one of .pytorch(), .numpy() and .tensorflow()",
            )
        checked = checked_output(self._pool.table, output)
        checked["tensors"] = checked["tensors"] or self._settings.tensors
        return self._derived(framework=framework, **checked)
