"""Groups that are alike under every entry of a schedule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.plan._strata import Strata
from penstock.sampling.pool._grouping import compact, dense_codes

__all__ = ["Refined"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Refined:
    """A pool in groups that no entry tells apart further.

    Parameters
    ----------
    strata : Strata
        The groups.
    owners : tuple of ndarray of int64, shape (num_strata,)
        For each entry, its own stratum that each group is part of.
    """

    strata: Strata
    owners: tuple[Ints, ...]

    @classmethod
    def of(cls, entries: Sequence[Strata], expressions: tuple[str, ...]) -> Refined:
        """Refine the strata of all entries.

        Parameters
        ----------
        entries : sequence of Strata
            Of the same rows; entries of equal clauses have the same object.
        expressions : tuple of str
            The clauses of all entries.
        """
        distinct = list({id(strata): strata for strata in entries}.values())
        if len(distinct) == 1:
            return cls(strata=distinct[0], owners=(np.arange(distinct[0].num_strata),) * len(entries))
        codes, count = distinct[0].ids.astype(np.int64), distinct[0].num_strata
        for strata in distinct[1:]:
            # both groups as one number
            found, codes_used = dense_codes(codes * strata.num_strata + strata.ids, count * strata.num_strata)
            codes, count = found.astype(np.int64), len(codes_used)
        first = np.full(count, -1)
        first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
        owners = {id(strata): strata.ids[first].astype(np.int64) for strata in distinct}
        matches = _matches(distinct, [owners[id(strata)] for strata in distinct], expressions)
        joint = replace(
            distinct[0],
            ids=compact(codes, count),
            sizes=np.bincount(codes, minlength=count),
            matches=matches,
            expressions=expressions,
            level="clauses",
            row_weights=None,
        )
        return cls(strata=joint, owners=tuple(owners[id(strata)] for strata in entries))


def _matches(distinct: Sequence[Strata], owners: Sequence[Ints], expressions: tuple[str, ...]) -> NDArray[np.bool_]:
    """Return which clauses match each group, as some entry knows."""
    known: dict[str, NDArray[np.bool_]] = {}
    for strata, owner in zip(distinct, owners, strict=True):
        for expression, match in zip(strata.expressions or (), strata.matches, strict=False):
            known.setdefault(expression, match[owner])
    none = np.zeros(len(owners[0]), bool)
    found = [known.get(expression, none) for expression in expressions]
    return np.array(found, bool).reshape(len(expressions), len(none))
