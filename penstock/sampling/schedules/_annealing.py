"""Schedules ready made: from some weights to others over epochs."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Final, Literal, get_args

import numpy as np

from penstock._wording import nearest
from penstock.errors import SamplingError
from penstock.sampling.pool._label_input import Labels, class_counts
from penstock.sampling.pool._labels import ClassCounts
from penstock.sampling.spec._count import checked_count
from penstock.sampling.spec._presets import inverse_frequency
from penstock.sampling.spec._schedule import SamplingSchedule, ScheduleEntry
from penstock.sampling.spec._spec import Clause, SamplingSpec, shortened

__all__ = ["AnnealKind", "anneal", "deferred", "progressively_balanced"]

AnnealKind = Literal["linear", "cosine", "step"]

_SAME: Final = ("cap", "expression", "tables")


def anneal(
    a: SamplingSpec, b: SamplingSpec, epochs: int, kind: AnnealKind = "linear", size: int | None = None
) -> SamplingSchedule:
    """Go from some weights to others, with one entry for each epoch.

    Epoch ``e`` weighs by ``(1 - t) a + t b``, clause by clause, with ``t`` of

    * "linear": ``e / epochs``;
    * "cosine": ``(1 - cos(pi e / epochs)) / 2``, slow at both ends;
    * "step": 0 before epoch `epochs`, 1 from it on.

    Only ratios of weights matter to a spec, but here `a` and `b` are mixed in the scale they are written in.

    Parameters
    ----------
    a, b : SamplingSpec
        Weights of epoch 0, and of epoch `epochs` and all later ones; equal in mode, seed, combine, interleave and size.
        A clause that one of them lacks has the neutral weight there: 0, or 1 for "product".
    epochs : int
        Epochs from `a` to `b`, at least 1.
    kind : {"linear", "cosine", "step"}
        How the weights move.
    size : int, optional
        Draws delivered in an epoch: where entries start. Default the size of the specs.

    Returns
    -------
    SamplingSchedule

    Raises
    ------
    SamplingError
        If the specs differ in more than their weights, or the draws of an epoch are not known.

    References
    ----------
    I. Loshchilov, F. Hutter, SGDR: stochastic gradient descent with warm restarts, 2017: the cosine.

    Examples
    --------
    >>> plain, balanced = (SamplingSpec(clauses=(Clause("rare", w), Clause("True", 1))) for w in (1, 9))
    >>> [entry.spec.weights[0] for entry in anneal(plain, balanced, 4, size=100).entries]
    [1.0, 3.0, 5.0, 7.0, 9.0]
    >>> anneal(plain, balanced, 4, kind="step", size=100).starts
    (0, 400)
    """
    epochs = checked_count("epochs", epochs)
    if not isinstance(kind, str) or kind not in get_args(AnnealKind):
        like = nearest(str(kind), get_args(AnnealKind))
        raise SamplingError(
            f"kind is {shortened(kind)}. Expected one of {', '.join(get_args(AnnealKind))}",
            hint=f"did you mean {like!r}?" if like else None,
        )
    both = SamplingSchedule((ScheduleEntry(0, a), ScheduleEntry(1, b)))
    each = _draws_of_epoch(a, size)
    if kind == "step":
        return SamplingSchedule(((0, a), (epochs * each, b)))
    for name in _SAME:
        if getattr(a, name) != getattr(b, name) or (name != "cap" and getattr(a, name)):
            raise SamplingError(
                f"{name} is {shortened(getattr(a, name))} and {shortened(getattr(b, name))}. Expected clauses with "
                "weights and the same cap in both specs",
                hint="kind='step' goes from any weights to any others",
            )
    first, last = (both.of_union(entry) for entry in both.entries)
    return SamplingSchedule(
        tuple((epoch * each, _mixed(first, last, _part(kind, epoch, epochs))) for epoch in range(epochs + 1))
    )


def progressively_balanced(
    labels: Labels,
    epochs: int,
    *,
    kind: AnnealKind = "linear",
    background: float | None = None,
    size: int | None = None,
    **options: Any,
) -> SamplingSchedule:
    """Go from every sample alike to every class alike, epoch by epoch.

    In epoch ``e`` a sample is drawn with probability ``(1 - t) / N + t p``: ``p`` its probability by
    `inverse_frequency`, ``t = e / epochs``. From epoch `epochs` on the classes are balanced.

    Parameters
    ----------
    labels : ClassCounts, Tensor, View or array_like
        Labels of the pool; classes without samples are left out.
    epochs : int
        Epochs until the classes are balanced, at least 1.
    kind : {"linear", "cosine", "step"}
        How ``t`` moves, see `anneal`; "linear" is the published one.
    background : float, optional
        Share of the draws that have no label once all is balanced, in [0, 1), as in `inverse_frequency`.
    size : int, optional
        Draws delivered in an epoch; default the samples of the pool.
    **options
        Other fields of the specs: seed, mode.

    Returns
    -------
    SamplingSchedule

    Raises
    ------
    SamplingError
        If no sample has a label, or a value is out of range.

    References
    ----------
    B. Kang et al., Decoupling representation and classifier for long-tailed recognition, 2020: progressively-balanced
    sampling.

    Examples
    --------
    >>> schedule = progressively_balanced(["cat", "cat", "cat", "dog"], 2)
    >>> schedule.starts
    (0, 4, 8)
    >>> [[round(weight, 3) for weight in entry.spec.weights[:2]] for entry in schedule.entries]
    [[1.0, 1.0], [0.833, 1.5], [0.667, 2.0]]
    """
    counts = class_counts(labels)
    balanced = inverse_frequency(counts, background=background, size=size, **options)
    scale = counts.num_rows / _total(counts, balanced)
    balanced = _scaled(balanced, scale)
    plain = replace(balanced, clauses=tuple(Clause(clause.expression, 1.0) for clause in balanced.clauses))
    return anneal(plain, balanced, epochs, kind, size=counts.num_rows if size is None else size)


def deferred(spec: SamplingSpec, after_epoch: int, size: int | None = None) -> SamplingSchedule:
    """Draw every sample alike at first, and by some weights from an epoch on.

    Parameters
    ----------
    spec : SamplingSpec
        The weights.
    after_epoch : int
        Epochs before they hold, at least 1.
    size : int, optional
        Draws delivered in an epoch. Default the size of the spec.

    Returns
    -------
    SamplingSchedule
        Of two entries.

    Raises
    ------
    SamplingError
        If the draws of an epoch are not known, or a value is out of range.

    References
    ----------
    K. Cao, C. Wei, A. Gaidon, N. Arechiga, T. Ma, Learning imbalanced datasets with label-distribution-aware margin
    loss, 2019: deferred re-balancing, here by sampling.

    Examples
    --------
    >>> schedule = deferred(SamplingSpec(clauses=(Clause("rare", 9), Clause("True", 1))), 160, size=50_000)
    >>> [(entry.start, entry.spec.to_tql()) for entry in schedule.entries]
    [(0, 'max_weight(True: 1)'), (8000000, 'max_weight(rare: 9, True: 1)')]
    """
    if not isinstance(spec, SamplingSpec):
        raise SamplingError(f"{shortened(spec)} is not valid. Expected a SamplingSpec")
    after_epoch = checked_count("after_epoch", after_epoch)
    plain = replace(spec, clauses=(Clause("True", 1.0),), cap=None, expression=None, tables=())
    return anneal(plain, spec, after_epoch, "step", size)


def _draws_of_epoch(spec: SamplingSpec, size: int | None) -> int:
    if size is None and spec.size is None:
        raise SamplingError(
            "neither the specs nor size say how many draws an epoch has. Expected a number",
            hint="size=len(ds), or what the loader delivers in an epoch",
        )
    return checked_count("size", spec.size if size is None else size)


def _part(kind: AnnealKind, epoch: int, epochs: int) -> float:
    """Return how far from the first weights to the last an epoch is."""
    return epoch / epochs if kind == "linear" else (1 - math.cos(math.pi * epoch / epochs)) / 2


def _mixed(first: SamplingSpec, last: SamplingSpec, part: float) -> SamplingSpec:
    clauses = tuple(
        Clause(a.expression, (1 - part) * a.weight + part * b.weight)
        for a, b in zip(first.clauses, last.clauses, strict=True)
    )
    return replace(first, clauses=clauses)


def _scaled(spec: SamplingSpec, factor: float) -> SamplingSpec:
    return replace(spec, clauses=tuple(Clause(clause.expression, clause.weight * factor) for clause in spec.clauses))


def _total(labels: ClassCounts, spec: SamplingSpec) -> float:
    """Return the sum of the weights of all samples by `inverse_frequency`: the largest of a sample's classes counts."""
    present = np.flatnonzero(labels.samples)
    weights = np.zeros(labels.num_classes)
    weights[present] = spec.weights[:-1]
    rows, classes, _ = labels.entries
    largest = np.zeros(labels.num_rows)
    np.maximum.at(largest, rows, weights[classes])
    bare = np.ones(labels.num_rows, bool)
    bare[rows] = False
    rest = spec.weights[-1]
    # the last clause is either of every sample or of those without a label
    largest[bare] = rest
    return float(np.maximum(largest, rest if spec.clauses[-1].expression == "True" else 0.0).sum())
