"""What is to be sampled: clauses with weights, how they combine, how draws are made."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

import numpy as np

from penstock._wording import nearest
from penstock.errors import SamplingError
from penstock.sampling.pool._normalized import set_normalized
from penstock.sampling.random._philox import check_seed
from penstock.sampling.spec._number_text import number_text

__all__ = [
    "Clause",
    "Combine",
    "Interleave",
    "Mode",
    "SamplingSpec",
    "is_number",
    "read_json",
    "shortened",
    "spec_of",
]

Combine = Literal["max", "sum", "product"]
Mode = Literal["iid", "deck", "once"]
Interleave = Literal["shuffled", "smooth"]


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in choices:
        like = nearest(str(value), choices)
        raise SamplingError(
            f"{name} is {value!r}. Expected one of {', '.join(choices)}",
            hint=f"did you mean {like!r}?" if like else None,
        )


def is_number(value: object) -> bool:
    """Return whether a value is one number: not a truth value, and not an array of several."""
    plain = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    return plain or (isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iuf")


@dataclass(frozen=True, slots=True)
class Clause:
    """A condition on a sample and the weight it asks for.

    Parameters
    ----------
    expression : str
        Source of the condition; opaque here, TQL everywhere else.
    weight : float
        Unnormalized, finite and at least 0.

    Raises
    ------
    SamplingError
        If the weight is negative, infinite or not a number, or the expression is not text.
    """

    expression: str
    weight: float

    def __post_init__(self) -> None:
        if not isinstance(self.expression, str):
            raise SamplingError(f"the expression of a clause is {self.expression!r}. Expected a condition as text")
        try:
            weight = float(self.weight)
        except (TypeError, ValueError):
            weight = math.nan
        if not (math.isfinite(weight) and weight >= 0):
            raise SamplingError(
                f"weight of {self.expression!r} is {self.weight!r}. Expected a finite number >= 0",
                hint="weight 0 leaves the samples out",
            )
        set_normalized(self, weight=weight)


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingSpec:
    """How often each sample is to be drawn, whatever the data.

    Parameters
    ----------
    clauses : tuple of Clause
        Conditions with weights. Empty: every sample weighs the same, or what an array of weights says.
    combine : {"max", "sum", "product"}
        Weight of a sample that several clauses match. Where none match, "max" and "sum" give 0, "product" gives 1.
    replace : bool
        False is the same as ``mode="once"``; setting one sets the other.
    size : int, optional
        Draws per epoch; None means as many as there are samples.
    seed : int
        In ``[0, 2**128)``.
    mode : {"iid", "deck", "once"}
        Independent draws; each stratum dealt out before it repeats; without replacement.
    cap : float, optional
        Upper limit of a combined weight; with "product" only.
    interleave : {"shuffled", "smooth"}
        Order of a deck's draws in an epoch; "smooth" keeps every batch near the epoch's composition.
    expression : str, optional
        Source of a weight that differs from row to row, in place of clauses; its strata are `Strata.from_weights`.
    tables : tuple of (str, tuple of float)
        Weights by class index of each ``$name`` that `expression` mentions.

    Raises
    ------
    SamplingError
        If a value is out of range, or `mode` and `replace` contradict.

    Examples
    --------
    >>> spec = SamplingSpec(clauses=(Clause("contains(labels, 'bus')", 20), Clause("True", 1)), mode="deck")
    >>> spec.to_tql()
    "max_weight(contains(labels, 'bus'): 20, True: 1)"
    >>> SamplingSpec.from_json(spec.to_json()) == spec
    True
    """

    clauses: tuple[Clause, ...] = ()
    combine: Combine = "max"
    replace: bool = True
    size: int | None = None
    seed: int = 0
    mode: Mode = "iid"
    cap: float | None = None
    interleave: Interleave = "shuffled"
    expression: str | None = None
    tables: tuple[tuple[str, tuple[float, ...]], ...] = ()

    def __post_init__(self) -> None:
        _check_choice("combine", self.combine, get_args(Combine))
        _check_choice("mode", self.mode, get_args(Mode))
        _check_choice("interleave", self.interleave, get_args(Interleave))
        set_normalized(self, clauses=_checked_clauses(self.clauses), seed=check_seed(self.seed))
        self._agree_on_replacement()
        if self.size is not None and not (is_number(self.size) and self.size >= 1 and self.size % 1 == 0):
            raise SamplingError(f"size is {self.size!r}. Expected draws per epoch, at least 1, or None")
        if self.size is not None:
            set_normalized(self, size=int(self.size))
        if self.cap is not None and not (is_number(self.cap) and math.isfinite(self.cap) and self.cap > 0):
            raise SamplingError(f"cap is {self.cap!r}. Expected a finite number > 0, or None")
        if self.cap is not None and self.combine != "product":
            raise SamplingError(f"cap is set with combine={self.combine!r}. Expected combine='product'")
        if not isinstance(self.expression, str | None):
            raise SamplingError(f"expression is {self.expression!r}. Expected the text of a weight, or None")

    def _agree_on_replacement(self) -> None:
        if not isinstance(self.replace, bool | np.bool_):
            raise SamplingError(f"replace is {self.replace!r}. Expected True or False")
        if not self.replace and self.mode == "deck":
            raise SamplingError(
                "mode 'deck' repeats samples once all are dealt; it cannot be combined with replace=False",
                hint="mode='once' draws without replacement",
            )
        if not self.replace:
            set_normalized(self, mode="once")
        elif self.mode == "once":
            set_normalized(self, replace=False)

    @property
    def weights(self) -> tuple[float, ...]:
        """Weight of each clause."""
        return tuple(clause.weight for clause in self.clauses)

    def with_options(self, **changes: Any) -> SamplingSpec:
        """Return a copy with some fields changed; a new mode sets `replace`, and the other way round."""
        if "mode" in changes and "replace" not in changes:
            changes["replace"] = changes["mode"] != "once"
        elif "replace" in changes and "mode" not in changes:
            changes["mode"] = ("iid" if self.mode == "once" else self.mode) if changes["replace"] else "once"
        return replace(self, **changes)

    def replace_weights(self, weights: Mapping[str | int, float]) -> SamplingSpec:
        """Return a copy with other weights.

        Parameters
        ----------
        weights : mapping of str or int to float
            New weight by expression, or by the number of the clause; the rest stays.

        Returns
        -------
        SamplingSpec

        Raises
        ------
        SamplingError
            If there is no such clause, or a weight is not a finite number of at least 0.

        Examples
        --------
        >>> SamplingSpec(clauses=(Clause("True", 1),)).replace_weights({"True": 2}).weights
        (2.0,)
        """
        known = [clause.expression for clause in self.clauses]
        clauses = list(self.clauses)
        for key, weight in weights.items():
            for number in self._matching(key, known):
                clauses[number] = Clause(clauses[number].expression, weight)
        return replace(self, clauses=tuple(clauses))

    @staticmethod
    def _matching(key: str | int, known: list[str]) -> list[int]:
        if isinstance(key, int):
            found = [key] if 0 <= key < len(known) else []
        else:
            found = [number for number, expression in enumerate(known) if expression == key]
        if not found:
            like = nearest(key, known) if isinstance(key, str) else None
            raise SamplingError(
                f"there is no clause {key!r}; the clauses are {', '.join(map(repr, known)) or 'none'}",
                hint=f"did you mean {like!r}?" if like else None,
            )
        return found

    def to_tql(self) -> str:
        """Return the text after ``sample by``; mode and seed live beside the text.

        Returns
        -------
        str
            Empty if there are no clauses.
        """
        if not self.clauses and self.expression is None:
            return ""
        text = self.expression or self._clauses_text()
        text += "" if self.replace else " replace False"
        return text + (f" limit {self.size}" if self.size is not None else "")

    def _clauses_text(self) -> str:
        terms = [f"{clause.expression}: {number_text(clause.weight)}" for clause in self.clauses]
        if self.cap is not None:
            terms.append(f"cap => {number_text(self.cap)}")
        return f"{self.combine}_weight({', '.join(terms)})"

    def to_json(self) -> str:
        """Return the spec as JSON with sorted keys; equal specs give equal text."""
        return json.dumps(self.as_fields(), sort_keys=True, separators=(",", ":"), allow_nan=False)

    def as_fields(self) -> dict[str, Any]:
        """Return the fields as numbers, texts, lists and dictionaries, ready for JSON; for `from_fields`."""
        clauses = [{"expression": clause.expression, "weight": clause.weight} for clause in self.clauses]
        return {**{name: getattr(self, name) for name in _FIELDS}, "clauses": clauses}

    @classmethod
    def from_json(cls, text: str) -> SamplingSpec:
        """Return the spec that `to_json` wrote.

        Raises
        ------
        SamplingError
            If the text is not such a spec.
        """
        return cls.from_fields(read_json(text, "sampling spec"))

    @classmethod
    def from_fields(cls, read: Any) -> SamplingSpec:
        """Return the spec of fields that JSON was read into.

        Raises
        ------
        SamplingError
            If they are not those of a spec.
        """
        if not isinstance(read, Mapping):
            raise SamplingError(f"{shortened(read)} is not a sampling spec", hint="use the text of to_json()")
        try:
            known = dict(read)
            known["clauses"] = tuple(Clause(**clause) for clause in known.get("clauses", ()))
            known["tables"] = tuple((str(name), _numbers(weights)) for name, weights in known.get("tables", ()))
            return cls(**known)
        except SamplingError:
            raise
        except (TypeError, AttributeError, ValueError, OverflowError) as error:
            raise SamplingError(
                f"{shortened(read)} is not a sampling spec ({error})", hint="use the text of to_json()"
            ) from error


_FIELDS = [field.name for field in fields(SamplingSpec)]


def _checked_clauses(clauses: Any) -> tuple[Clause, ...]:
    found = tuple(clauses) if isinstance(clauses, Iterable) else (clauses,)
    for clause in found:
        if not isinstance(clause, Clause):
            raise SamplingError(
                f"{shortened(clause)} is not a clause. Expected a condition and its weight", hint="Clause('True', 1)"
            )
    return found


def _numbers(weights: Any) -> tuple[float, ...]:
    """Return weights of classes as finite numbers of at least 0."""
    found = tuple(float(weight) for weight in weights)
    for weight in found:
        if not (math.isfinite(weight) and weight >= 0):
            raise SamplingError(f"the weight of a class is {weight!r}. Expected a finite number >= 0")
    return found


def shortened(value: object, longest: int = 80) -> str:
    """Return the beginning of how a value is written, for an error."""
    text = repr(value)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def read_json(text: Any, what: str) -> Any:
    """Return what JSON text says, or say that it is not JSON.

    Examples
    --------
    >>> read_json("[1, 2]", "list")
    [1, 2]
    """
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise SamplingError(
            f"the text is not a {what}: {shortened(text)} ({error})", hint="use the text of to_json()"
        ) from error


def spec_of(clauses: tuple[Clause, ...], options: Mapping[str, Any]) -> SamplingSpec:
    """Return the spec of some clauses and of other fields by name, or say which fields there are."""
    known = [field.name for field in fields(SamplingSpec) if field.name != "clauses"]
    for name in options:
        if name not in known:
            like = nearest(name, known)
            raise SamplingError(
                f"there is no option {name!r}. Expected one of {', '.join(known)}",
                hint=f"did you mean {like!r}?" if like else None,
            )
    return SamplingSpec(clauses=clauses, **options)
