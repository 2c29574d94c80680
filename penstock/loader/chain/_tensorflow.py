"""A loader as a tf.data.Dataset."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn, Protocol

import numpy as np

from penstock.errors import LoaderError, MissingDependencyError

__all__ = ["Loadable", "as_tf_dataset", "require_tensorflow", "to_tf"]

_OF_LOADER = {
    "audit", "close", "epoch", "load_state_dict", "record", "schedule", "seed", "set_epoch", "state_dict", "stats",
    "weights", "with_weights",
}  # fmt: skip


Axes = tuple[int | None, ...]
"""The length of each axis of a sample, None where it differs."""


class Loadable(Protocol):
    """What a tf.data.Dataset needs of a loader."""

    def __iter__(self) -> Iterator[Any]: ...

    def __len__(self) -> int: ...

    def preview(self) -> Any:
        """Return the next batch without taking it."""
        ...


def require_tensorflow() -> Any:
    """Return tensorflow, or tell how to get it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    try:
        import tensorflow as tf
    except ImportError as error:
        raise MissingDependencyError(
            ".tensorflow() needs tensorflow, which is not installed", hint="pip install 'penstock[tensorflow]'"
        ) from error
    return tf


def to_tf(value: Any, name: str = "batch", *, own: bool = False) -> Any:
    """Return a batch as TensorFlow tensors; lists of arrays become ragged ones, JSON becomes text.

    Parameters
    ----------
    value : nested containers
        The batch.
    name : str
        What it is called in a message.
    own : bool
        Whether a custom `collate_fn` made it: its lists of dicts and of lists are merged, not JSON.
    """
    tf = require_tensorflow()
    if isinstance(value, Mapping):
        return {key: to_tf(item, str(key), own=own) for key, item in value.items()}
    if isinstance(value, tuple):
        items = [to_tf(item, f"{name}[{place}]", own=own) for place, item in enumerate(value)]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    if isinstance(value, list):
        return _of_list(tf, value, name, own=own)
    if isinstance(value, np.ndarray) and value.dtype.kind in "TO":
        return _of_list(tf, value.tolist(), name, own=own)
    if hasattr(value, "detach"):
        value = value.detach().numpy()
    if value is None:
        return tf.constant("")
    _check_kind(value, name)
    return tf.convert_to_tensor(value)


def _check_kind(value: Any, name: str) -> None:
    known = (bool, int, float, complex, str, bytes, np.ndarray, np.generic)
    if not isinstance(value, known) and not hasattr(value, "dtype"):
        raise LoaderError(
            f"{name!r} holds {type(value).__name__} objects, which TensorFlow has no tensor for",
            hint="turn them into arrays in .transform(), or decode with 'numpy'",
        )


def _of_list(tf: Any, values: list[Any], name: str, *, own: bool) -> Any:
    first = next((value for value in values if value is not None), None)
    if isinstance(first, str | bytes):
        return tf.constant([value if value is not None else "" for value in values], tf.string)
    if isinstance(first, dict | list | tuple) and (own or not _is_json(values)):
        return _merged(tf, values, name)
    if isinstance(first, dict | list) or first is None:
        return tf.constant([json.dumps(value) for value in values], tf.string)
    if hasattr(first, "detach") or isinstance(first, np.ndarray | np.generic):
        return _of_arrays(tf, [np.asarray(value) for value in values])
    _check_kind(first, name)
    return tf.constant(values)


def _is_json(values: list[Any]) -> bool:
    try:
        json.dumps(values)
    except (TypeError, ValueError):
        return False
    return True


def _merged(tf: Any, values: list[Any], name: str) -> Any:
    """Merge samples: dicts key by key, lists as one more ragged axis."""
    if all(isinstance(value, Mapping) for value in values):
        if any(value.keys() != values[0].keys() for value in values):
            raise LoaderError(f"some dicts in {name!r} have other keys than the first. Expected the same keys in each")
        return {key: to_tf([value[key] for value in values], str(key), own=True) for key in values[0]}
    if not all(isinstance(value, list | tuple) for value in values):
        raise LoaderError(f"{name!r} holds lists beside other values. Expected values of one kind")
    inner = to_tf([item for value in values for item in value], name, own=True)
    lengths = np.array([len(value) for value in values], np.int64)
    if isinstance(inner, dict):
        return {key: tf.RaggedTensor.from_row_lengths(item, lengths) for key, item in inner.items()}
    if isinstance(inner, tuple):
        raise LoaderError(f"{name!r} holds lists of tuples whose parts differ in kind. Expected arrays or numbers")
    return tf.RaggedTensor.from_row_lengths(inner, lengths)


def _of_arrays(tf: Any, arrays: list[np.ndarray[Any, Any]]) -> Any:
    """Make samples of one kind a ragged tensor; of several kinds, as images beside labels, a tuple."""
    ranks = {array.ndim for array in arrays if array.size}
    if len(ranks) > 1 or len({array.dtype.kind for array in arrays}) > 1:
        return tuple(tf.convert_to_tensor(array) for array in arrays)
    rank = ranks.pop() if ranks else max(array.ndim for array in arrays)
    if rank == 0 and any(array.ndim for array in arrays):  # numbers beside an empty list
        arrays, rank = [array.reshape(-1) for array in arrays], 1
    model = next((array for array in arrays if array.ndim == rank and array.size), arrays[0])
    return _ragged(tf, [array if _fits(array, model) else _empty_like(array, model, rank) for array in arrays])


def _fits(array: np.ndarray[Any, Any], model: np.ndarray[Any, Any]) -> bool:
    return array.ndim == model.ndim and (array.ndim < 2 or array.size > 0 or array.shape[-1] == model.shape[-1])


def _empty_like(array: np.ndarray[Any, Any], model: np.ndarray[Any, Any], rank: int) -> np.ndarray[Any, Any]:
    """Give an empty array, such as ``[]`` for no boxes, the rank of the others."""
    last = model.shape[-1:] if model.ndim == rank > 1 else (0,)
    shape = (0,) * (rank - 1) + last
    return np.zeros(shape, array.dtype if array.dtype.kind == model.dtype.kind else model.dtype)


def _ragged(tf: Any, arrays: list[np.ndarray[Any, Any]]) -> Any:
    """Make a ragged tensor: the last axis of boxes and images is uniform, the ones before it ragged."""
    rank = arrays[0].ndim
    if rank == 0:
        return tf.convert_to_tensor(np.stack(arrays))
    if rank < 2:
        values = np.concatenate([array.reshape(-1) for array in arrays])
        return tf.RaggedTensor.from_row_lengths(values, [array.size for array in arrays])
    if len({array.shape[-1] for array in arrays}) > 1:  # images of one and of three channels
        arrays = [array[..., np.newaxis] for array in arrays]
        rank += 1
    ragged = tf.convert_to_tensor(
        np.concatenate([array.reshape(int(np.prod(array.shape[:-1])), array.shape[-1]) for array in arrays])
    )
    # from the innermost ragged axis outward: each wraps the rows of the one before
    for axis in range(rank - 2, -1, -1):
        lengths = [array.shape[axis] for array in arrays for _ in range(int(np.prod(array.shape[:axis])))]
        ragged = tf.RaggedTensor.from_row_lengths(ragged, np.array(lengths, np.int64))
    return ragged


def _signature(tf: Any, value: Any, *, batched: bool) -> Any:
    """Return the spec of a batch that may have any number of samples."""
    if isinstance(value, dict):
        return {name: _signature(tf, item, batched=batched) for name, item in value.items()}
    if isinstance(value, tuple):
        items = [_signature(tf, item, batched=batched) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    if isinstance(value, tf.RaggedTensor):
        inner = value.flat_values.shape[1:]
        shape = [None] * (value.ragged_rank + 1) + list(inner)
        return tf.RaggedTensorSpec(shape, value.dtype, value.ragged_rank, tf.int64)
    shape = [None, *value.shape[1:]] if batched and value.shape.rank else value.shape
    return tf.TensorSpec(shape, value.dtype)


def as_tf_dataset(
    loader: Loadable, *, axes: Mapping[str, Axes], dtypes: Mapping[str, str], single: bool, own: bool, transformed: bool
) -> Any:
    """Return a `tf.data.Dataset` over a loader.

    It is also a loader in what it can tell: `state_dict`, `load_state_dict`,
    `audit`, `stats`, `with_weights`, `record` and `close` are those of the loader; each
    iteration is its next epoch.

    Parameters
    ----------
    loader : Loader
        Gives numpy batches.
    axes : mapping of str to tuple of int or None
        Tensors that come as one array whose samples differ in shape: the length
        of each axis of a sample, None where it differs.
    dtypes : mapping of str to str
        Of each tensor, for a dataset without batches.
    single : bool
        Whether it gives single samples.
    own : bool
        Whether batches are what a custom `collate_fn` returns.
    transformed : bool
        Whether a transform has seen the samples.
    """
    tf = require_tensorflow()
    if len(loader) == 0:
        return _dataset_class(tf)(loader, _of_nothing(tf, {} if own or transformed else dtypes), own=own)
    signature = _signature(tf, to_tf(loader.preview(), own=own), batched=not single)
    for name in axes.keys() & set(signature if isinstance(signature, dict) else ()):
        spec = signature[name]
        if isinstance(spec, tf.TensorSpec) and spec.shape.rank == len(axes[name]) + (not single):
            shape = [*spec.shape[: not single], *axes[name]]
            if transformed and len(axes[name]) > 1:
                shape[-1] = spec.shape[-1]  # of boxes and channels
            signature[name] = tf.TensorSpec(shape, spec.dtype)
    return _dataset_class(tf)(loader, signature, own=own)


def _of_nothing(tf: Any, dtypes: Mapping[str, str]) -> Any:
    """Return the spec of batches that never come."""
    return {name: tf.TensorSpec(None, dtype) for name, dtype in dtypes.items()} or tf.TensorSpec(None, tf.float32)


def _fitted(tf: Any, value: Any, spec: Any, name: str = "batch") -> Any:
    """Return a batch in the form of the first one: ragged where that was, else refused with the reason."""
    if isinstance(spec, dict) and isinstance(value, dict) and spec.keys() == value.keys():
        return {key: _fitted(tf, value[key], spec[key], str(key)) for key in spec}
    if isinstance(spec, tuple) and isinstance(value, tuple) and len(spec) == len(value):
        items = [_fitted(tf, *pair, f"{name}[{place}]") for place, pair in enumerate(zip(value, spec, strict=True))]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    if isinstance(spec, tf.RaggedTensorSpec) and isinstance(value, tf.Tensor):
        if value.shape.rank == spec.shape.rank - 1:  # numbers, of which the first batch lacked some
            value = tf.expand_dims(value, -1)
        if value.shape.rank == spec.shape.rank:
            value = tf.RaggedTensor.from_tensor(value, ragged_rank=spec.ragged_rank)
    if isinstance(spec, dict | tuple) or not spec.is_compatible_with(value):
        raise LoaderError(
            f"{name!r} has a different form than in the first batch: {getattr(value, 'shape', type(value).__name__)}, "
            f"expected {spec}",
            hint="TensorFlow needs one form for all batches: use padding='pad', or return one shape from the transform",
        )
    return value


def _dataset_class(tf: Any) -> Any:
    class LoaderDataset(tf.data.Dataset):  # type: ignore[misc]  # tensorflow is optional and untyped here
        """Batches of a penstock loader."""

        def __init__(self, loader: Loadable, signature: Any, *, own: bool) -> None:
            self.loader = loader

            def batches() -> Iterator[Any]:
                return (_fitted(tf, to_tf(batch, own=own), signature) for batch in loader)

            plain = tf.data.Dataset.from_generator(batches, output_signature=signature)
            options = tf.data.Options()
            options.experimental_optimization.inject_prefetch = False  # state counts what the caller got
            self._batches = plain.with_options(options)
            super().__init__(self._batches._variant_tensor)  # noqa: SLF001  how tf.data datasets wrap one another

        def _inputs(self) -> list[Any]:
            return [self._batches]

        @property
        def element_spec(self) -> Any:
            return self._batches.element_spec

        def __len__(self) -> int:
            return len(self.loader)

        def __getattr__(self, name: str) -> Any:
            if name in _OF_LOADER:
                return getattr(self.loader, name)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

        def _again(self, *_: object, **__: object) -> NoReturn:
            raise LoaderError(
                ".tensorflow() has already been called", hint="choose one of .pytorch(), .numpy() and .tensorflow()"
            )

        pytorch = numpy = tensorflow = _again

    return LoaderDataset
