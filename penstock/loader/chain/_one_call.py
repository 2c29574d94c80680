"""The one-call form: everything of a chain in the arguments of one function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from penstock._wording import nearest
from penstock.errors import LoaderError
from penstock.loader.chain._chain import Loader

__all__ = ["one_call"]


def one_call(
    loader: Loader,
    framework: Literal["pytorch", "tensorflow", "numpy"],
    num_workers: int = 0,
    shuffle: bool = False,
    transform: Callable[..., Any] | Mapping[str, Callable[..., Any] | None] | None = None,
    tensors: list[str] | None = None,
    batch_size: int | None = 1,
    collate_fn: Callable[[list[Any]], Any] | None = None,
    **options: Any,
) -> Any:
    """Return a loader made in one call, as ``view.pytorch(...)`` of the playbook does.

    Parameters
    ----------
    loader : Loader
        Of the dataset or view.
    framework : {"pytorch", "tensorflow", "numpy"}
        What batches are made of.
    num_workers, transform, tensors, collate_fn
        As in `Loader.pytorch` and `Loader.transform`.
    shuffle : bool
        Whether to give the samples in another order each epoch.
    batch_size : int or None
        Samples in a batch; None gives single samples, not batches.
    **options
        ``drop_last``, ``buffer_size``, ``offset``, ``transform_kwargs`` and every
        parameter of `Loader.pytorch`.

    Returns
    -------
    Loader or tf.data.Dataset

    Raises
    ------
    LoaderError
        If there is no such option, or a value is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from penstock.table import ArrayTable
    >>> loader = one_call(Loader(ArrayTable({"x": np.arange(4.0)})), "numpy", batch_size=4)
    >>> next(iter(loader))["x"].tolist()
    [0.0, 1.0, 2.0, 3.0]
    """
    chained = loader.batch(batch_size, drop_last=options.pop("drop_last", False))
    if shuffle or "buffer_size" in options:
        chained = chained.shuffle(shuffle, options.pop("buffer_size", 2048))
    if "offset" in options:
        chained = chained.offset(options.pop("offset"))
    arguments = options.pop("transform_kwargs", None) or {}
    if transform is not None:
        chained = chained.transform(transform, **arguments)
    finish = getattr(chained, framework)
    try:
        return finish(num_workers=num_workers, tensors=tensors, collate_fn=collate_fn, **options)
    except TypeError as error:
        raise _unknown_option(error, finish, options) from error


def _unknown_option(error: TypeError, finish: Callable[..., Any], options: Mapping[str, Any]) -> Exception:
    import inspect

    known = [*inspect.signature(finish).parameters, "drop_last", "buffer_size", "offset", "transform_kwargs", "shuffle"]
    wrong = [name for name in options if name not in known]
    if not wrong:
        return error
    like = nearest(wrong[0], known)
    return LoaderError(
        f"there is no option {wrong[0]!r}. Expected one of {', '.join(sorted(known))}",
        hint=f"did you mean {like!r}?" if like else None,
    )
