"""Class weights by rules from the literature, as specs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from penstock.errors import InfeasibleTargetsError, SamplingError, UnknownClassError
from penstock.sampling.pool._label_input import Labels, class_counts
from penstock.sampling.pool._labels import ClassCounts
from penstock.sampling.spec._spec import Clause, SamplingSpec, is_number, spec_of

__all__ = [
    "REFERENCES",
    "effective_number",
    "inverse_frequency",
    "repeat_factor",
    "square_root",
    "target_proportions",
]

_ROUNDING = 1e-9

REFERENCES: Final[Mapping[str, str]] = {
    "inverse_frequency": "M. Buda, A. Maki, M. A. Mazurowski, A systematic study of the class imbalance problem in "
    "convolutional neural networks, 2018",
    "square_root": "D. Mahajan et al., Exploring the limits of weakly supervised pretraining, 2018",
    "effective_number": "Y. Cui et al., Class-balanced loss based on effective number of samples, 2019",
    "repeat_factor": "A. Gupta, P. Dollar, R. Girshick, LVIS: a dataset for large vocabulary instance segmentation, "
    "2019",
}


def inverse_frequency(labels: Labels, *, background: float | None = None, **options: Any) -> SamplingSpec:
    """Weigh each class by one over the samples that have it.

    The commonest class has weight 1, and so have samples without a class. Of several classes of a sample the largest
    weight counts. One label per sample: every class is drawn equally often.

    Parameters
    ----------
    labels : ClassCounts, Tensor, View or array_like
        Labels of the pool; classes without samples are left out.
    background : float, optional
        Share of the draws that have no label, in [0, 1); by default samples without a label weigh 1.
    **options
        Other fields of the spec: seed, mode, size.

    Returns
    -------
    SamplingSpec

    References
    ----------
    M. Buda, A. Maki, M. A. Mazurowski, A systematic study of the class imbalance problem in convolutional neural
    networks, 2018.

    Examples
    --------
    >>> spec = inverse_frequency(ClassCounts.from_labels([0, 0, 0, 1], class_names=("cat", "dog")))
    >>> spec.to_tql()
    "max_weight(contains(labels, 'cat'): 1, contains(labels, 'dog'): 3, True: 1)"
    >>> inverse_frequency(["cat", "cat", "cat", "dog"]) == spec
    True
    """
    labels = class_counts(labels)
    return _spec(labels, _from_one(1 / _present(labels)), background, options)


def square_root(labels: Labels, *, background: float | None = None, **options: Any) -> SamplingSpec:
    """Weigh each class by one over the square root of the samples that have it.

    Parameters
    ----------
    labels : ClassCounts, Tensor, View or array_like
        Labels of the pool.
    background : float, optional
        Share of the draws that have no label, in [0, 1); by default samples without a label weigh 1.
    **options
        Other fields of the spec: seed, mode, size.

    Returns
    -------
    SamplingSpec

    References
    ----------
    D. Mahajan et al., Exploring the limits of weakly supervised pretraining, 2018.

    Examples
    --------
    >>> square_root(ClassCounts.from_labels([0, 0, 0, 0, 1])).weights
    (1.0, 2.0, 1.0)
    """
    labels = class_counts(labels)
    return _spec(labels, _from_one(1 / np.sqrt(_present(labels))), background, options)


def effective_number(
    labels: Labels,
    beta: float = 0.999,
    *,
    background: float | None = None,
    **options: Any,
) -> SamplingSpec:
    """Weigh each class by one over its effective number of samples, ``(1 - beta**n) / (1 - beta)``.

    Parameters
    ----------
    labels : ClassCounts, Tensor, View or array_like
        Labels of the pool.
    beta : float
        In [0, 1): 0 leaves the classes as they are, values near 1 approach the inverse frequency.
    background : float, optional
        Share of the draws that have no label, in [0, 1); by default samples without a label weigh 1.
    **options
        Other fields of the spec: seed, mode, size.

    Returns
    -------
    SamplingSpec

    Raises
    ------
    SamplingError
        If `beta` is out of range.

    References
    ----------
    Y. Cui et al., Class-balanced loss based on effective number of samples, 2019.

    Examples
    --------
    >>> effective_number(ClassCounts.from_labels([0, 0, 1]), beta=0.5).weights
    (1.0, 1.5, 1.0)
    """
    if not (is_number(beta) and 0 <= beta < 1):
        raise SamplingError(
            f"beta is {beta!r}. Expected a number in [0, 1)", hint="0.9, 0.99, 0.999 or 0.9999 are usual"
        )
    labels = class_counts(labels)
    number = -np.expm1(_present(labels) * np.log1p(beta - 1)) if beta > 0 else np.ones(len(_present(labels)))
    return _spec(labels, _from_one(1 / number), background, options)


def repeat_factor(
    labels: Labels,
    threshold: float = 0.001,
    *,
    background: float | None = None,
    **options: Any,
) -> SamplingSpec:
    """Weigh each class by its repeat factor, ``max(1, sqrt(threshold / share))``.

    A sample's factor is the largest of its classes'. LVIS sees every sample at least once per epoch; ``mode="deck"``
    guarantees that within the plan's certificate.

    Parameters
    ----------
    labels : ClassCounts, Tensor, View or array_like
        Labels of the pool.
    threshold : float
        Share of samples below which a class is repeated, in (0, 1].
    background : float, optional
        Share of the draws that have no label, in [0, 1); by default samples without a label weigh 1.
    **options
        Other fields of the spec: seed, mode, size.

    Returns
    -------
    SamplingSpec

    Raises
    ------
    SamplingError
        If `threshold` is out of range.

    References
    ----------
    A. Gupta, P. Dollar, R. Girshick, LVIS: a dataset for large vocabulary instance segmentation, 2019.

    Examples
    --------
    >>> repeat_factor(ClassCounts.from_labels([0] * 99 + [1]), threshold=0.04).weights
    (1.0, 2.0, 1.0)
    """
    if not (is_number(threshold) and 0 < threshold <= 1):
        raise SamplingError(
            f"threshold is {threshold!r}. Expected a share of samples in (0, 1]", hint="LVIS uses 0.001"
        )
    labels = class_counts(labels)
    share = _present(labels) / max(labels.num_rows, 1)
    return _spec(labels, np.maximum(1.0, np.sqrt(threshold / share)), background, options)


def target_proportions(
    labels: Labels,
    shares: Mapping[str | None, float],
    **options: Any,
) -> SamplingSpec:
    """Weigh each class by its share over its samples; one label per sample.

    Parameters
    ----------
    labels : ClassCounts, Tensor, View or array_like
        Labels of the pool, exactly one per sample; or at most one, where None is among the shares.
    shares : mapping of str or None to float
        Share of the draws by class, None for samples without a label, summing to at most 1; what is left goes to
        the other classes as they are.
    **options
        Other fields of the spec: seed, mode, size.

    Returns
    -------
    SamplingSpec

    Raises
    ------
    SamplingError
        If samples have several labels, a share is out of range, or they do not add up.
    UnknownClassError
        If there is no such class.

    Examples
    --------
    >>> labels = ClassCounts.from_labels([0] * 165 + [1] * 10, class_names=("Siamese", "Birman"))
    >>> spec = target_proportions(labels, {"Birman": 0.75})
    >>> [round(weight, 3) for weight in spec.weights]
    [1.0, 49.5]
    """
    labels = class_counts(labels)
    if not isinstance(shares, Mapping):
        raise SamplingError(
            f"shares are {shares!r}. Expected a share for each class named", hint="{'bus': 0.2, 'car': 0.8}"
        )
    lengths = np.diff(labels.offsets)
    if lengths.max(initial=0) > 1 or (lengths.min(initial=1) < 1 and None not in shares):
        raise SamplingError(
            "some samples have no label or several; proportions of classes then depend on one another",
            hint="plan.solve_targets(...) finds weights for several labels; {None: 0.2} is a share without a label",
        )
    counts = np.append(labels.samples, labels.num_unlabeled).astype(np.float64)
    wanted = np.full(labels.num_classes + 1, np.nan)
    for name, share in shares.items():
        if name is not None and name not in labels.class_names:
            raise UnknownClassError(name, labels.class_names, tensor=labels.tensor)
        number = labels.num_classes if name is None else labels.class_names.index(name)
        if not (is_number(share) and 0 <= share <= 1) or (share > 0 and counts[number] == 0):
            raise SamplingError(
                f"share of {name!r} is {share!r} with {int(counts[number])} samples. Expected 0 to 1, 0 without any"
            )
        wanted[number] = share
    wanted = _with_the_rest(wanted, counts)
    used = np.flatnonzero(counts)
    weights = wanted[used] / counts[used]
    weights /= weights[weights > 0].min()
    clauses = [
        Clause(labels.condition(int(number) if number < labels.num_classes else None), float(weight))
        for number, weight in zip(used, weights, strict=True)
    ]
    return spec_of(tuple(clauses), options)


def _with_the_rest(wanted: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    total = float(np.nansum(wanted))
    others = np.where(np.isnan(wanted), counts, 0.0)
    left = 1 - total
    if left < -_ROUNDING or (left > _ROUNDING and others.sum() == 0):
        raise SamplingError(
            f"the shares add up to {total:.6g}. Expected " + ("at most 1" if others.sum() else "1"),
            hint="divide each by their sum",
        )
    return np.where(np.isnan(wanted), others / max(others.sum(), 1) * max(left, 0.0), wanted)


def _present(labels: ClassCounts) -> NDArray[np.float64]:
    """Return the samples of each class that has any."""
    counts = labels.samples[labels.samples > 0]
    if len(counts) == 0:
        raise SamplingError("no sample has a class; there is nothing to weigh")
    return counts.astype(np.float64)


def _from_one(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weights in units of the smallest."""
    return np.asarray(weights / weights.min())


def _spec(
    labels: ClassCounts, weights_of_classes: NDArray[np.float64], background: float | None, options: dict[str, Any]
) -> SamplingSpec:
    present = np.flatnonzero(labels.samples)
    clauses = [
        Clause(labels.condition(int(number)), float(weight))
        for number, weight in zip(present, weights_of_classes, strict=True)
    ]
    rest = Clause("True", 1.0)
    if background is not None:
        rest = Clause(labels.condition(None), _background_weight(labels, present, weights_of_classes, background))
    return spec_of((*clauses, rest), options)


def _background_weight(
    labels: ClassCounts, present: NDArray[np.int64], weights_of_classes: NDArray[np.float64], share: float
) -> float:
    """Return the weight of samples without a label that gives them a share of the draws, all others being weighed."""
    if not (is_number(share) and 0 <= share < 1):
        raise SamplingError(
            f"background is {share!r}. Expected a share of the draws in [0, 1)", hint="0.2 means 20 % without a label"
        )
    count = labels.num_unlabeled
    if share == 0 or count == 0:
        if share > 0:
            raise InfeasibleTargetsError(
                f"every sample has a label, so the share of those without is 0 %; {100 * share:.3g} % was asked for",
                classes=(),
            )
        return 0.0
    weights = np.zeros(labels.num_classes)
    weights[present] = weights_of_classes
    rows, classes, _ = labels.entries
    largest = np.zeros(labels.num_rows)
    np.maximum.at(largest, rows, weights[classes])
    return float(share / (1 - share) * largest.sum() / count)
