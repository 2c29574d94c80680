"""A loader as a tf.data.Dataset."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn, Protocol

import numpy as np

from penstock.errors import LoaderError, MissingDependencyError

__all__ = ["Loadable", "as_tf_dataset", "require_tensorflow", "to_tf"]


class Loadable(Protocol):
    """What a tf.data.Dataset needs of a loader."""

    def __iter__(self) -> Iterator[Any]: ...

    def __len__(self) -> int: ...

    def preview(self) -> Any:  # noqa: ANN401  a batch
        """Return the next batch without taking it."""
        ...


def require_tensorflow() -> Any:  # noqa: ANN401  the module
    """Return tensorflow, or tell how to get it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    try:
        import tensorflow as tf
    except ImportError as error:
        raise MissingDependencyError(
            ".tensorflow() needs tensorflow, which is not installed", hint="pip install 'penstock[tensorflow]'"
        ) from error
    return tf


def to_tf(value: Any, name: str = "batch") -> Any:  # noqa: ANN401  nested containers of arrays
    """Return a batch as TensorFlow tensors; lists of arrays become ragged ones, JSON becomes text."""
    tf = require_tensorflow()
    if isinstance(value, Mapping):
        return {key: to_tf(item, str(key)) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(to_tf(item, f"{name}[{place}]") for place, item in enumerate(value))
    if isinstance(value, list):
        return _of_list(tf, value, name)
    if isinstance(value, np.ndarray) and value.dtype.kind in "TO":
        return _of_list(tf, value.tolist(), name)
    if hasattr(value, "detach"):
        value = value.detach().numpy()
    return tf.convert_to_tensor(value)


def _of_list(tf: Any, values: list[Any], name: str) -> Any:  # noqa: ANN401  a tensor
    first = next((value for value in values if value is not None), None)
    if isinstance(first, str | bytes):
        return tf.constant([value if value is not None else "" for value in values], tf.string)
    if isinstance(first, dict | list) or first is None:
        return tf.constant([json.dumps(value) for value in values], tf.string)
    if hasattr(first, "detach") or isinstance(first, np.ndarray | np.generic):
        return _ragged(tf, [np.asarray(value) for value in values])
    raise LoaderError(
        f"{name!r} holds {type(first).__name__} objects, which TensorFlow has no tensor for",
        hint="turn them into arrays in .transform(), or decode with 'numpy'",
    )


def _ragged(tf: Any, arrays: list[np.ndarray[Any, Any]]) -> Any:  # noqa: ANN401  a RaggedTensor
    """Make a ragged tensor: the last axis of boxes and images is uniform, the ones before it ragged."""
    rank = arrays[0].ndim
    if rank < 2:  # noqa: PLR2004  labels
        values = np.concatenate([array.reshape(-1) for array in arrays])
        return tf.RaggedTensor.from_row_lengths(values, [array.size for array in arrays])
    last = {array.shape[-1] for array in arrays if array.size} or {arrays[0].shape[-1]}
    if len(last) > 1:
        raise LoaderError(
            f"samples of shapes {', '.join(sorted({str(array.shape) for array in arrays})[:3])} in one batch; "
            "a ragged tensor of TensorFlow has one length in the last dimension",
            hint=".tensorflow(padding='pad') fills them up to one shape",
        )
    ragged = tf.convert_to_tensor(np.concatenate([array.reshape(-1, *last) for array in arrays]))
    for axis in range(rank - 2, -1, -1):
        lengths = [array.shape[axis] for array in arrays for _ in range(int(np.prod(array.shape[:axis])))]
        ragged = tf.RaggedTensor.from_row_lengths(ragged, np.array(lengths, np.int64))
    return ragged


def _signature(tf: Any, value: Any, *, batched: bool) -> Any:  # noqa: ANN401  nested specs
    """Return the spec of a batch that may have any number of samples."""
    if isinstance(value, dict):
        return {name: _signature(tf, item, batched=batched) for name, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_signature(tf, item, batched=batched) for item in value)
    if isinstance(value, tf.RaggedTensor):
        inner = value.flat_values.shape[1:]
        shape = [None] * (value.ragged_rank + 1) + list(inner)
        return tf.RaggedTensorSpec(shape, value.dtype, value.ragged_rank, tf.int64)
    shape = [None, *value.shape[1:]] if batched and value.shape.rank else value.shape
    return tf.TensorSpec(shape, value.dtype)


def as_tf_dataset(loader: Loadable, *, padded: frozenset[str], single: bool) -> Any:  # noqa: ANN401  a tf.data.Dataset
    """Return a `tf.data.Dataset` over a loader.

    It is also a loader in what it can tell: `state_dict`, `load_state_dict`,
    `audit`, `stats`, `with_weights` and `close` are those of the loader; each
    iteration is its next epoch.

    Parameters
    ----------
    loader : Loader
        Gives numpy batches.
    padded : frozenset of str
        Tensors whose samples are padded, so that no axis has a fixed length.
    single : bool
        Whether it gives single samples.
    """
    tf = require_tensorflow()
    signature = _signature(tf, to_tf(loader.preview()), batched=not single)
    for name in padded & set(signature if isinstance(signature, dict) else ()):
        free = [None] * (signature[name].shape.rank - 1)
        signature[name] = tf.TensorSpec([*free, _last_axis(signature[name])], signature[name].dtype)
    return _dataset_class(tf)(loader, signature)


def _last_axis(spec: Any) -> int | None:  # noqa: ANN401  a TensorSpec
    """Return the length of a box or the channels of an image; labels have none that stays."""
    length: int | None = spec.shape[-1] if spec.shape.rank > 2 else None  # noqa: PLR2004  (batch, labels)
    return length


def _dataset_class(tf: Any) -> Any:  # noqa: ANN401  a class
    class LoaderDataset(tf.data.Dataset):  # type: ignore[misc]  # tensorflow is optional and untyped here
        """Batches of a penstock loader."""

        def __init__(self, loader: Loadable, signature: Any) -> None:  # noqa: ANN401  nested specs
            self.loader = loader
            plain = tf.data.Dataset.from_generator(lambda: map(to_tf, iter(loader)), output_signature=signature)
            options = tf.data.Options()
            options.experimental_optimization.inject_prefetch = False  # state counts what the caller got
            self._batches = plain.with_options(options)
            super().__init__(self._batches._variant_tensor)  # noqa: SLF001  how tf.data datasets wrap one another

        def _inputs(self) -> list[Any]:
            return [self._batches]

        @property
        def element_spec(self) -> Any:  # noqa: ANN401  nested specs
            return self._batches.element_spec

        def __len__(self) -> int:
            return len(self.loader)

        def __getattr__(self, name: str) -> Any:  # noqa: ANN401  an attribute of the loader
            if name in {"state_dict", "load_state_dict", "audit", "stats", "with_weights", "close", "epoch", "seed"}:
                return getattr(self.loader, name)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

        def _again(self, *_: object, **__: object) -> NoReturn:
            raise LoaderError(
                ".tensorflow() has already been called", hint="choose one of .pytorch(), .numpy() and .tensorflow()"
            )

        pytorch = numpy = tensorflow = _again

    return LoaderDataset
