"""A versioned dataset: what a user opens, edits and commits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from penstock.dataset._info import Info
from penstock.dataset._verify import verify
from penstock.dataset._versioned import Versioned
from penstock.dataset._viewed import Viewed
from penstock.dataset.opened._credential_keys import CredentialKeys
from penstock.dataset.opened._live_content import LiveContent
from penstock.dataset.opened._opened import OpenDataset
from penstock.dataset.opened._writer import Writer
from penstock.dataset.samples._tensor import Tensor
from penstock.dataset.shown._report import Report
from penstock.dataset.signals._signals import runs_of
from penstock.dataset.views._fixed_content import FixedContent
from penstock.dataset.views._samples import Samples
from penstock.dataset.views._view import View
from penstock.engines import EngineOption
from penstock.errors import DatasetError
from penstock.signals import Runs, RunWriter
from penstock.storage import Holder
from penstock.table import noted_state
from penstock.tensors import make_spec

__all__ = ["Dataset"]


class Dataset(Samples[View], Versioned, Viewed):
    """Samples with named tensors, versioned.

    Made by `penstock.empty`, opened by `penstock.load`. `append`, `extend` and `pop`
    are kept as soon as they are flushed; assignments to samples live in a draft
    beside the dataset until `commit`.

    Parameters
    ----------
    opened : OpenDataset
        The dataset as this session has it open.
    """

    def __init__(self, opened: OpenDataset) -> None:
        super().__init__(opened)
        self._content: LiveContent = LiveContent(opened)
        self._writer = Writer(opened)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as a path; the dataset is opened read-only in the other process."""
        return Dataset, (self._opened,)

    def _origin(self) -> Dataset:
        return self

    def _view(self, content: FixedContent) -> View:
        return View(content)

    @property
    def path(self) -> str:
        """Folder or URL of the dataset."""
        return self._opened.path

    @property
    def branch(self) -> str:
        """Name of the branch; ``main`` for the first one."""
        return self._opened.working.branch_name

    @property
    def read_only(self) -> bool:
        """Whether the dataset is read-only."""
        return self._opened.working.read_only is not None

    @property
    def max_image_bytes(self) -> int | None:
        """Most bytes an image or mask may have when it is decoded, 512 MiB by default; None allows any size.

        Applies to this session only, can be set, and is not stored.
        """
        return self._opened.max_image_bytes

    @max_image_bytes.setter
    def max_image_bytes(self, allowed: int | None) -> None:
        self._opened.max_image_bytes = allowed

    @property
    def info(self) -> Info:
        """Notes about the dataset, a dictionary of JSON values; a change is kept at once and versioned."""
        return Info(self._opened)

    @property
    def runs(self) -> Runs:
        """The training runs that were recorded, a mapping of names to `Run`; ``ds.signals`` has their numbers.

        They are kept beside the dataset, whatever its branch, and are part of no commit.
        """
        return runs_of(self._content.table)

    def start_run(self, name: str | None = None, *, resumed: bool = False) -> RunWriter:
        """Begin to record numbers per sample, for a training loop that does not use a penstock loader.

        Parameters
        ----------
        name : str, optional
            Its name, by default the present time. An earlier run of this name is replaced when the first epoch of the
            new one is written; if another process still records it, the new one is called ``name-2``, with a warning.
        resumed : bool
            Go on with the run of this name.

        Returns
        -------
        RunWriter
            Its ``record(rows, positions, values)`` keeps numbers, ``write()`` ends an epoch, ``close()`` the run.

        Raises
        ------
        DatasetError
            If the name is not valid.

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
        table = self._content.table
        rows = np.arange(table.num_rows, dtype=np.int64)
        return runs_of(table).start(name, lambda: table.uids(rows), noted_state(table), resumed=resumed)

    # ---- tensors -------------------------------------------------------------------------

    def create_tensor(
        self,
        name: str,
        htype: str = "generic",
        *,
        dtype: DTypeLike | None = None,
        sample_compression: str | None = None,
        class_names: Sequence[str] | None = None,
        coords: str = "xywh",
        aligned_with: str | None = None,
        verify: bool = True,
        create_shape_tensor: bool = True,
        create_sample_info_tensor: bool = True,
    ) -> Tensor:
        """Add a tensor; it is empty in existing samples.

        Parameters
        ----------
        name : str
            Letters, digits and underscores; inside also ``/``, ``.``, ``-`` and spaces.
            A name that is not an identifier is reached as ``ds["a/b"]`` and quoted in TQL.
        htype : str
            ``generic``, ``image``, ``bbox``, ``class_label``, ``text``, ``json``,
            ``embedding``, ``binary_mask``, ``segment_mask`` or ``link[image]``.
        dtype : dtype-like, optional
            Type of elements; a generic tensor follows its first sample.
        sample_compression : {"jpeg", "jpg", "png", "webp"}, optional
            How images are stored; by default as they come, arrays as PNG.
        class_names : sequence of str, optional
            Names by index; names that are appended later grow the list.
        coords : {"xywh", "xyxy"}
            Form of boxes, pixels.
        aligned_with : str, optional
            A tensor that describes the same objects of a sample, such as ``"boxes"``. Both
            have an entry for each object, in one order; a commit is refused where their
            lengths differ. Text for each object is a ``json`` list.
        verify : bool
            Whether images are decoded when they are added.
        create_shape_tensor, create_sample_info_tensor : bool
            Whether shape and digest of images are recorded.

        Returns
        -------
        Tensor
            The new tensor.

        Raises
        ------
        DatasetError
            If the name is taken, or an option is unknown.
        """
        spec = make_spec(
            name, htype, dtype=dtype, sample_compression=sample_compression, class_names=class_names, coords=coords,
            aligned_with=aligned_with, verify=verify, create_shape_tensor=create_shape_tensor,
            create_sample_info_tensor=create_sample_info_tensor,
        )  # fmt: skip
        self._writer.create_tensor(spec)
        return Tensor(self._content, name)

    def align(self, *names: str) -> None:
        """Declare that some tensors describe the same objects of a sample; saved immediately.

        Parameters
        ----------
        *names : str
            Tensors of one object group, such as ``"boxes", "categories", "iscrowd"``. Groups
            they are in already become one.

        Raises
        ------
        AlignmentError
            If samples differ in length; nothing is changed then.
        DatasetError
            If a tensor cannot hold an entry for each object.

        Examples
        --------
        >>> ds.align("boxes", "categories")  # doctest: +SKIP
        """
        self._writer.align(names)

    def delete_tensor(self, name: str, large_ok: bool = False) -> None:  # noqa: ARG002  the parameter of Deep Lake
        """Delete a tensor with its samples; earlier commits still have it.

        Parameters
        ----------
        name : str
            The tensor.
        large_ok : bool
            Accepted so that code written for Deep Lake runs; not used.

        Raises
        ------
        TensorNotFoundError
            If no tensor has this name.
        """
        self._writer.delete_tensor(name)

    def rename_tensor(self, name: str, new_name: str) -> None:
        """Raise an error that says what to do instead: the name is part of every file of the tensor."""
        kind = self._content.spec(name).shown_htype
        raise DatasetError(
            f"cannot rename {name!r} to {new_name!r}: a tensor keeps the name it was created with",
            hint=f"copy it: ds.create_tensor({new_name!r}, htype={kind!r}), ds[{new_name!r}][:] = "
            f"ds[{name!r}].numpy(aslist=True), ds.delete_tensor({name!r})",
        )

    # ---- samples -------------------------------------------------------------------------

    def append(self, sample: Mapping[str, Any]) -> None:
        """Add one sample.

        Parameters
        ----------
        sample : mapping of str to object
            A value for each tensor; None is an empty one.

        Raises
        ------
        SampleError
            If a value does not fit its tensor; nothing is added then.
        """
        self._writer.append(sample)

    def extend(self, samples: Mapping[str, Sequence[Any]], num_workers: int = 0) -> None:
        """Add many samples.

        Parameters
        ----------
        samples : mapping of str to sequence
            As many values for each tensor; None is an empty one.
        num_workers : int
            Threads that read and check images.

        Raises
        ------
        SampleError
            If a value does not fit its tensor; nothing is added then. Of more than
            4,096 samples with images those before the refused part stay, and the
            message says how many.
        """
        self._writer.extend(samples, num_workers)

    def pop(self, index: int | slice | Sequence[int] | NDArray[Any] | None = -1) -> None:
        """Delete samples; those after them move up.

        Parameters
        ----------
        index : int, slice, sequence of int or mask
            The samples, by their numbers before any of them is deleted, counted from
            the end when negative. Several are deleted in one step, each once.

        Raises
        ------
        SampleIndexError
            If there is no such sample; nothing is deleted then.
        """
        self._writer.pop(index)

    def flush(self) -> None:
        """Write what was appended; reading and committing do so by themselves."""
        with self._opened.lock:
            self._opened.settle()

    def close(self) -> None:
        """Write what was appended; the dataset stays usable."""
        self.flush()

    def __enter__(self) -> Self:
        self._opened.begin_group()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.end_group()

    @property
    def num_edits(self) -> int:
        """Number of samples edited and not committed, counted once for each tensor."""
        return self._content.edits.count

    def discard_edits(self, name: str | None = None, rows: Sequence[int] | NDArray[np.int64] | None = None) -> None:
        """Drop assignments that are not committed; appended samples stay.

        Parameters
        ----------
        name : str, optional
            Only of this tensor.
        rows : sequence of int, optional
            Only of these samples.
        """
        self._content.edits.discard(name, None if rows is None else np.asarray(rows, np.int64))

    @property
    def draft_holder(self) -> Holder | None:
        """The other process that has uncommitted edits of this branch; None if this one may edit.

        It has a ``pid``, a ``host``, a ``program`` and ``since``, when it began to edit, in UTC.
        Needs a small read of the store.
        """
        with self._opened.lock:
            return self._opened.working.holder

    def take_over(self) -> int:
        """Take the uncommitted edits of other processes over, those of processes that have ended too.

        They are this session's to commit then. The process they are taken from gets a
        `DraftHeldError` when it edits or commits next, and loses nothing.

        Returns
        -------
        int
            Number of samples edited and not committed, counted once for each tensor.

        Raises
        ------
        ReadOnlyError
            If the dataset is read-only.
        """
        return self._opened.take_over()

    def save_views(
        self,
        views: Mapping[str, View],
        message: str | None = None,
        *,
        id: str | None = None,  # noqa: A002  as in `save_view`
        group: str | None = None,
    ) -> dict[str, str]:
        """Save views that have nothing in common, such as parts to train and to validate on: all of them or none.

        Parameters
        ----------
        views : mapping of str to View
            Views of one commit, by name.
        message : str, optional
            What they are for.
        id : str, optional
            The view called *name* is saved as ``id-name``; by default the id is 24 hexadecimal digits.
        group : str, optional
            A tensor or TQL expression, such as a patient, of which no value may be in two views.

        Returns
        -------
        dict of str to str
            The id of each view, for `load_view`.

        Raises
        ------
        LeakageError
            If two views have a sample in common, or a value of `group`.
        UncommittedChangesError
            If the views are not of a commit.
        DatasetError
            If an id is taken, or the views are of several commits.
        """
        return self._save_together(views, message, view_id=id, group=group)

    # ---- upkeep --------------------------------------------------------------------------

    def verify(self, num_workers: int | None = None, *, engine: EngineOption = None) -> Report:
        """Read every sample, linked files and copies of views too, and report what is unreadable or altered.

        Parameters
        ----------
        num_workers : int, optional
            Threads that read and decode, by default 2; of an engine, parts at the same time, by default all it can.
        engine : {"threads", "processes", "ray"} or RayEngine, optional
            Where samples and files are read, part by part; by default here. The report is the same.

        Returns
        -------
        Report
            Its `ok` says whether nothing is wrong.

        Raises
        ------
        EngineError
            If the engine is unknown, cannot be reached or loses its workers.
        """
        return verify(self._opened.table, self._opened.working.store, num_workers, engine)

    def add_creds_key(self, name: str, managed: bool = False) -> None:
        """Add the name of credentials for links; only the name is stored.

        Parameters
        ----------
        name : str
            The key, as given to `penstock.link`.
        managed : bool
            Whether `populate_creds` is refused: the values then come from the
            environment (``PENSTOCK_CREDS_<name>``), a keyring or the store's own chain.
        """
        CredentialKeys(self._opened).add(name, managed=managed)

    def populate_creds(self, name: str, values: Mapping[str, str] | Callable[[], Mapping[str, Any]]) -> None:
        """Set the credentials of a key for this session; they are kept only in memory.

        Parameters
        ----------
        name : str
            A key added by `add_creds_key`.
        values : mapping of str to str, or callable
            Such as ``aws_access_key_id``, ``aws_secret_access_key``, ``endpoint_url``; or a
            function that returns them, which is called again when they expire (its
            ``expires_at``, a datetime) or a store says so.

        Raises
        ------
        CredentialsError
            If the key is unknown or managed.
        """
        CredentialKeys(self._opened).populate(name, values)
