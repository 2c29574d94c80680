"""Samples divided into parts: at random, stratified by labels, and with the samples of a group kept together."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from penstock._wording import escaped, nearest
from penstock.dataset.samples._content import Content
from penstock.dataset.views.splits._group_values import group_values, units_of_groups
from penstock.dataset.views.splits._label_sets import divided_by_set
from penstock.dataset.views.splits._split_units import label_column, units_with
from penstock.errors import DatasetError
from penstock.sampling.pool.dividing._dividing import divided
from penstock.sampling.pool.dividing._evening import evened

__all__ = ["Division", "Method", "divide", "shares_of"]

Method = Literal["label_sets", "iterative", "second_order"]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_METHODS = ("label_sets", "iterative", "second_order")
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Division:
    """The part of each sample.

    Parameters
    ----------
    part : ndarray of int, shape (num_samples,)
        Number of the part; -1 for samples that are in none.
    names : tuple of str
        Names of the parts.
    shares : ndarray of float64, shape (num_parts,)
        What each part should have.
    stratify : tuple of str
        The label tensors that were spread evenly.
    group : str, optional
        The tensor or expression whose values are in one part only.
    method : str, optional
        How labels were spread.
    number : ndarray of int64, optional
        Number of each sample's group.
    num_without_group : int
        Samples without a group.
    """

    part: NDArray[np.integer]
    names: tuple[str, ...]
    shares: Floats
    stratify: tuple[str, ...] = ()
    group: str | None = None
    method: str | None = None
    number: Ints | None = None
    num_without_group: int = 0


def shares_of(fractions: Mapping[str, float]) -> Floats:
    """Return the shares as an array, or raise where they are none."""
    try:
        shares = np.array(list(fractions.values()), np.float64)
    except (TypeError, ValueError, AttributeError):
        shares = np.zeros(0)
    if (
        shares.ndim != 1
        or not len(shares)
        or (shares < 0).any()
        or not np.isfinite(shares).all()
        or shares.sum() > 1 + _ROUNDING
    ):
        shown = dict(fractions) if isinstance(fractions, Mapping) else fractions
        raise DatasetError(f"the shares {shown!r} are not valid. Expected shares of 0 or more that sum to at most 1")
    return shares


def divide(
    content: Content,
    fractions: Mapping[str, float],
    *,
    stratify: str | Sequence[str] | None,
    group: str | None,
    method: Method | None,
    seed: int | None,
) -> Division:
    """Return the part of each sample."""
    shares = shares_of(fractions)
    tensors = () if stratify is None else (stratify,) if isinstance(stratify, str) else tuple(stratify)
    _, rows = content.state()
    together = group is not None or (not content.is_whole and _has_repeats(rows))
    method = _checked_method(method, tensors, grouped=group is not None, together=together)
    column = label_column(content, tensors) if tensors else None
    rng = np.random.Generator(np.random.Philox(seed))
    number, without = None, 0
    if method in {None, "label_sets"} and not together:
        part = divided_by_set(column, len(rows), shares, rng)
    else:
        num_units = len(rows)
        if together:
            value = None if group is None else group_values(content, group)
            number, num_units, without = units_of_groups(value, rows)
        units = units_with(column, number, num_units, pairs=method == "second_order")
        all_shares = _with_rest(shares)
        part = divided(units, all_shares, rng)
        if column is None:
            part = evened(part, units.sizes, all_shares, rng)
        part[part == len(shares)] = -1
        part = part if number is None else part[number]
    if without:
        said = f"{without:,} of {len(rows):,} samples have no {group!r}; each of them is a group of its own"
        warnings.warn(escaped(said), UserWarning, stacklevel=3)
    return Division(
        part=part.astype(np.min_scalar_type(-len(shares))),
        names=tuple(fractions),
        shares=shares,
        stratify=tensors,
        group=group,
        method=method,
        number=number if group is not None else None,
        num_without_group=without,
    )


def _with_rest(shares: Floats) -> Floats:
    """Return the shares, and behind them that of samples in no part, so that all sum to 1."""
    rest = 1.0 - float(shares.sum())
    return np.append(shares, rest if rest > _ROUNDING else 0.0)


def _has_repeats(rows: Ints) -> bool:
    if not len(rows) or bool((rows[1:] > rows[:-1]).all()):
        return False
    return int(np.bincount(rows).max()) > 1


def _checked_method(method: str | None, tensors: Sequence[str], *, grouped: bool, together: bool) -> Method | None:
    if method is not None and method not in _METHODS:
        like = nearest(str(method), _METHODS)
        raise DatasetError(
            f"method={method!r} is not valid. Expected one of {', '.join(map(repr, _METHODS))}",
            hint=f"did you mean {like!r}?" if like else None,
        )
    if not tensors:
        if method is not None:
            raise DatasetError(f"method={method!r} says how labels are spread. Expected stratify= with it")
        return None
    if method == "label_sets" and grouped:
        raise DatasetError(
            "method='label_sets' divides single samples, and the samples of a group stay together",
            hint="use method='iterative'",
        )
    if method is None or (method == "label_sets" and together):
        return "label_sets" if len(tensors) == 1 and not together else "iterative"
    return method  # type: ignore[return-value]  # checked above
