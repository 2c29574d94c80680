"""The errors penstock raises.

Every error is a `PenstockError` and also the builtin a Python user expects::

    PenstockError
    ├── DatasetError (ValueError)            a dataset cannot be created, opened or written
    │   ├── DatasetNotFoundError (FileNotFoundError)
    │   ├── DatasetExistsError (FileExistsError)
    │   ├── ReadOnlyError (PermissionError)
    │   ├── UncommittedChangesError
    │   ├── DraftHeldError (PermissionError)  another process has uncommitted edits
    │   ├── ConflictError                    another writer changed the same samples
    │   ├── LeakageError                     two parts of a split have samples or groups in common
    │   └── StorageError (OSError)           the store is damaged or unreachable
    ├── CommitNotFoundError (LookupError)
    ├── ViewNotFoundError (LookupError)
    ├── TensorNotFoundError (KeyError, AttributeError)
    ├── SampleError (ValueError)             a value does not fit its tensor
    │   ├── SampleIndexError (IndexError)
    │   ├── AlignmentError                   tensors of one object group differ in length
    │   ├── UnknownClassError (LookupError)
    │   └── ImageDecodeError                 the bytes are not a readable image
    ├── LinkError (OSError)                  a linked file is missing, unreachable or not allowed
    ├── CredentialsError (LookupError)
    ├── ImporterError (ValueError)           the source cannot be read by the importer
    │   └── DownloadError (OSError)          a file cannot be downloaded, or differs from the published one
    ├── ExportError (ValueError)             a dataset cannot be written in a format, or not there
    ├── TQLError (ValueError)                a query is wrong; has the position
    │   ├── QuerySyntaxError
    │   ├── QueryBindError                   an unknown tensor, class or function, or a wrong type
    │   └── QueryEvaluationError             the query fails on these rows (weights below 0, ...)
    ├── QueryCancelledError
    ├── SignalError (ValueError)             a number per sample cannot be recorded, or there is none of this name
    ├── RunNotFoundError (KeyError)
    ├── SamplingError (ValueError)
    │   └── InfeasibleTargetsError
    ├── LoaderError (ValueError)
    │   ├── LoaderStateError
    │   └── TransformError (RuntimeError)
    ├── DataSourceError (ValueError)         a data source, sampler or worker pool of `penstock.batchup`
    │   ├── DataSourceTypeError (TypeError)
    │   └── NotSupportedError (NotImplementedError)
    ├── EngineError (RuntimeError)           work cannot be run where it was requested
    └── MissingDependencyError (ImportError)

Facts are attributes. The message says *what is wrong, with the value*, *what was
expected*, and, if there is one, a ``Hint:``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from penstock._wording import escaped, nearest

__all__ = [
    "AlignmentError",
    "CommitNotFoundError",
    "ConflictError",
    "CredentialsError",
    "DataSourceError",
    "DataSourceTypeError",
    "DatasetError",
    "DatasetExistsError",
    "DatasetNotFoundError",
    "DownloadError",
    "DraftHeldError",
    "EngineError",
    "ExportError",
    "ImageDecodeError",
    "ImporterError",
    "InfeasibleTargetsError",
    "LeakageError",
    "LinkError",
    "LoaderError",
    "LoaderStateError",
    "MissingDependencyError",
    "NotSupportedError",
    "PenstockError",
    "QueryBindError",
    "QueryCancelledError",
    "QueryEvaluationError",
    "QuerySyntaxError",
    "ReadOnlyError",
    "RunNotFoundError",
    "SampleError",
    "SampleIndexError",
    "SamplingError",
    "SignalError",
    "StorageError",
    "TQLError",
    "TensorNotFoundError",
    "TransformError",
    "UncommittedChangesError",
    "UnknownClassError",
    "ViewNotFoundError",
]

_SHOWN_ROWS = 5
_SHOWN_NAMES = 8


class PenstockError(Exception):
    """Root of every error penstock raises.

    Parameters
    ----------
    message : str
        What is wrong, with the value, and what was expected.
    hint : str, optional
        The nearest valid value, or what to do; shown after ``Hint:``.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """Return the message, then the hint, with control characters escaped; never quoted, unlike KeyError."""
        return escaped(f"{self.message}. Hint: {self.hint}" if self.hint else self.message, keep="\n\t")


class DatasetError(PenstockError, ValueError):
    """A dataset cannot be created, opened or written."""


class DatasetNotFoundError(DatasetError, FileNotFoundError):
    """No dataset is stored at the path."""


class DatasetExistsError(DatasetError, FileExistsError):
    """A dataset already exists at the path."""


class ReadOnlyError(DatasetError, PermissionError):
    """The dataset, version or view cannot be written."""


class UncommittedChangesError(DatasetError):
    """The dataset has changes that must be committed first."""


class DraftHeldError(DatasetError, PermissionError):
    """Another process has uncommitted edits of the same branch, so that none can be made here.

    Parameters
    ----------
    path : str
        The dataset.
    branch : str
        The branch.
    holder : object
        The process: its ``pid``, ``host``, ``program``, and ``since`` when it edits, in UTC.
    """

    def __init__(self, path: str, branch: str, holder: Any) -> None:
        super().__init__(
            f"another process has uncommitted edits of branch {branch!r} of the dataset at {path!r}: {holder}. "
            "Nothing was changed",
            hint="wait until it commits or ends, edit your own branch after ds.checkout(name, create=True), "
            "or take its edits over with ds.take_over()",
        )
        self.path = path
        self.branch = branch
        self.holder = holder


class ConflictError(DatasetError):
    """Another writer changed the same samples.

    Parameters
    ----------
    message : str
        Which samples, and their values here and there.
    conflicts : tuple
        One `penstock.dataset.Conflict` for each sample and tensor.
    hint : str, optional
        The way out.
    """

    def __init__(self, message: str, *, conflicts: tuple[Any, ...] = (), hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.conflicts = conflicts


class LeakageError(DatasetError):
    """Two parts of a split have a sample or a group in common.

    Parameters
    ----------
    message : str
        What they share.
    parts : tuple of str
        Their names.
    hint : str, optional
        What to do.
    """

    def __init__(self, message: str, *, parts: tuple[str, str], hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.parts = parts


class StorageError(DatasetError, OSError):
    """The store is damaged or unreachable."""


class CommitNotFoundError(PenstockError, LookupError):
    """No commit, tag or branch has this name."""


class ViewNotFoundError(PenstockError, LookupError):
    """No saved view has this id."""


class TensorNotFoundError(PenstockError, KeyError, AttributeError):
    """The dataset has no tensor of this name.

    Parameters
    ----------
    name : str
        The name that was requested.
    available : iterable of str
        The tensors of the dataset.
    hint : str, optional
        The nearest valid name; by default the most similar tensor.
    """

    def __init__(self, name: str, available: Iterable[str], *, hint: str | None = None) -> None:
        known = tuple(available)
        like = nearest(str(name), known)
        super().__init__(
            f"{name!r} is not a tensor of this dataset. {_expected(known, 'The dataset has no tensors')}",
            hint=hint or (f"did you mean {like!r}?" if like else None),
        )
        self.name = name
        self.available = known


def _expected(known: tuple[str, ...], otherwise: str) -> str:
    """Return the sentence that lists the valid names, as many as a line can show."""
    more = f", … ({len(known)} in total)" if len(known) > _SHOWN_NAMES else ""
    return f"Expected one of: {', '.join(known[:_SHOWN_NAMES])}{more}" if known else otherwise


class SampleError(PenstockError, ValueError):
    """A value does not fit its tensor."""


class SampleIndexError(SampleError, IndexError):
    """A sample index is out of range."""


class AlignmentError(SampleError):
    """Tensors of one object group differ in length.

    Parameters
    ----------
    lengths : mapping of int to mapping of str to int
        For each such sample, the number of objects in each tensor of the group; -1 where
        a JSON sample is not a list.
    """

    def __init__(self, lengths: Mapping[int, Mapping[str, int]]) -> None:
        shown = "; ".join(f"sample {row} has {_objects(counts)}" for row, counts in list(lengths.items())[:_SHOWN_ROWS])
        more = f"; … ({len(lengths)} samples)" if len(lengths) > _SHOWN_ROWS else ""
        super().__init__(
            f"{shown}{more}. Expected the same number in every tensor of an object group",
            hint="give each object an entry in each of these tensors",
        )
        self.lengths = {row: dict(counts) for row, counts in lengths.items()}

    @property
    def rows(self) -> tuple[int, ...]:
        """The samples."""
        return tuple(self.lengths)

    @property
    def tensors(self) -> tuple[str, ...]:
        """The tensors of the group."""
        return tuple(next(iter(self.lengths.values())))


def _objects(counts: Mapping[str, int]) -> str:
    words = [
        f"{count} objects in {name!r}" if count >= 0 else f"a value in {name!r} that is not a list"
        for name, count in counts.items()
    ]
    return ", ".join(word.replace("1 objects", "1 object") if word.startswith("1 ") else word for word in words)


class UnknownClassError(SampleError, LookupError):
    """A class label tensor has no class of this name.

    Parameters
    ----------
    name : str
        The name that was requested.
    available : iterable of str
        The class names of the tensor.
    tensor : str, optional
        The class label tensor.

    Attributes
    ----------
    suggestion : str or None
        The class with the most similar name.
    """

    def __init__(self, name: str, available: Iterable[str], *, tensor: str | None = None) -> None:
        known = tuple(available)
        like = nearest(name, known)
        where = f" of {tensor}" if tensor else ""
        super().__init__(
            f"{name!r} is not a class{where}. {_expected(known, 'There are no classes yet')}",
            hint=f"did you mean {like!r}?" if like else None,
        )
        self.name = name
        self.available = known
        self.tensor = tensor
        self.suggestion = like


class ImageDecodeError(SampleError):
    """The bytes are not a readable image."""


class LinkError(PenstockError, OSError):
    """A linked file is missing, unreachable or outside the allowed roots."""


class CredentialsError(PenstockError, LookupError):
    """No credentials are known under this key."""


class ImporterError(PenstockError, ValueError):
    """The source cannot be read by the importer."""


class ExportError(PenstockError, ValueError):
    """A dataset cannot be written in a format, or not there."""


class DownloadError(ImporterError, OSError):
    """A file of a standard dataset cannot be downloaded, or differs from the published one."""


class SignalError(PenstockError, ValueError):
    """A number per sample cannot be recorded, or no signal has this name."""


class RunNotFoundError(PenstockError, KeyError):
    """No run has this name.

    Parameters
    ----------
    name : str
        The name that was requested.
    available : iterable of str
        The runs beside the dataset.
    """

    def __init__(self, name: str, available: Iterable[str]) -> None:
        known = tuple(available)
        like = nearest(str(name), known)
        super().__init__(
            f"{name!r} is not a run of this dataset. {_expected(known, 'No run was recorded yet')}",
            hint=f"did you mean {like!r}?" if like else None,
        )
        self.name = name
        self.available = known


class TQLError(PenstockError, ValueError):
    """A query is wrong.

    Parameters
    ----------
    message : str
        What is wrong, without position.
    text : str
        The whole query.
    start, end : int
        Span of the offending part in `text`, in code points.
    expected : sequence of str, optional
        What would be valid there, in a user's words.
    suggestion : str, optional
        The nearest valid spelling, without quotes.
    fix : str, optional
        Text that replaces ``text[start:end]`` and corrects the query.
    related : tuple of (int, int, str)
        Other parts of the text that it has to do with: start, end, and what they are.
    """

    def __init__(
        self,
        message: str,
        *,
        text: str,
        start: int,
        end: int,
        expected: tuple[str, ...] = (),
        suggestion: str | None = None,
        fix: str | None = None,
        hint: str | None = None,
        related: tuple[tuple[int, int, str], ...] = (),
    ) -> None:
        super().__init__(message, hint=hint)
        self.text = text
        self.start = start
        self.end = max(end, start)
        self.expected = expected
        self.suggestion = suggestion
        self.fix = fix
        self.related = related

    @property
    def line(self) -> int:
        """Line of the span's start, from 1."""
        return self.text.count("\n", 0, self.start) + 1

    @property
    def column(self) -> int:
        """Column of the span's start, from 1, in code points."""
        return self.start - (self.text.rfind("\n", 0, self.start) + 1) + 1

    def __str__(self) -> str:
        """Return message, hint, the line and a caret under the span."""
        head = f"line {self.line}, column {self.column}: {super().__str__()}"
        line_start = self.text.rfind("\n", 0, self.start) + 1
        line_end = self.text.find("\n", self.start)
        line_end = line_end if line_end >= 0 else len(self.text)
        before, marked, after = (
            escaped(part)
            for part in (
                self.text[line_start : self.start],
                self.text[self.start : min(self.end, line_end)],
                self.text[min(max(self.start, self.end), line_end) : line_end],
            )
        )
        return f"{head}\n  {before}{marked}{after}\n  {' ' * len(before)}{'^' * max(1, len(marked))}"


class QuerySyntaxError(TQLError):
    """The text is not TQL."""


class QueryBindError(TQLError):
    """The query names a tensor, class or function that does not exist, or mixes types."""


class QueryEvaluationError(TQLError):
    """The query fails on these rows."""


class QueryCancelledError(PenstockError):
    """The query was cancelled."""


class SamplingError(PenstockError, ValueError):
    """Weights, sizes or targets cannot be sampled."""


class InfeasibleTargetsError(SamplingError):
    """No weights reach the target shares.

    Parameters
    ----------
    message : str
        Which targets contradict each other, with the numbers.
    classes : tuple of str
        The classes whose targets contradict.
    """

    def __init__(self, message: str, *, classes: tuple[str, ...], hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.classes = classes


class LoaderError(PenstockError, ValueError):
    """A loader cannot do what is requested."""


class LoaderStateError(LoaderError):
    """A loader state does not fit this loader."""


class TransformError(LoaderError, RuntimeError):
    """A transform failed; the sample and its own traceback are in the message.

    Parameters
    ----------
    message : str
        What failed, with the transform's traceback.
    row : int, optional
        The sample's row in the dataset's version.
    uid : int, optional
        Its lasting identity.
    """

    def __init__(self, message: str, *, row: int | None = None, uid: int | None = None) -> None:
        super().__init__(message)
        self.row = row
        self.uid = uid


class DataSourceError(PenstockError, ValueError):
    """A data source, sampler or worker pool cannot do what is requested."""


class DataSourceTypeError(DataSourceError, TypeError):
    """A data source, sampler or worker pool does not accept a value of this type."""


class NotSupportedError(DataSourceError, NotImplementedError):
    """A kind of data source or sampler does not support what is requested."""


class MissingDependencyError(PenstockError, ImportError):
    """An optional package is missing; the message has the pip line."""


class EngineError(PenstockError, RuntimeError):
    """Work cannot be run where it was requested: an engine is unknown, unreachable or loses its workers."""
