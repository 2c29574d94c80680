"""Trait types the widgets sync."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import traitlets
from numpy.typing import NDArray

__all__ = ["PanelTrait", "SessionEnum", "SessionInt", "SessionUnicode", "WeightsTrait", "follow"]


class _SessionTrait(traitlets.TraitType[Any, Any]):
    """A trait whose value the widget's session keeps: an assignment asks the session, and the trait follows it."""

    def set(self, obj: Any, value: Any) -> None:
        """Ask the session for a value that fits; what the session has then becomes the trait's."""
        self.follow(obj, obj._assign(self.name, self._validate(obj, value)))  # noqa: SLF001  the widget's own trait

    def follow(self, obj: Any, value: Any) -> None:
        """Take the session's value, and notify where it differs."""
        super().set(obj, value)


class SessionUnicode(_SessionTrait, traitlets.Unicode):  # type: ignore[type-arg]  # traitlets types by what may be assigned
    """Text that the session keeps."""


class SessionInt(_SessionTrait, traitlets.Int):  # type: ignore[type-arg]  # traitlets cannot be subscripted when they run
    """A whole number that the session keeps."""


class SessionEnum(_SessionTrait, traitlets.Enum):  # type: ignore[type-arg]  # traitlets cannot be subscripted when they run
    """One of some words, which the session keeps."""


def follow(widget: Any, name: str, value: Any) -> None:
    """Set a trait to the value its session has, without asking the session."""
    trait: Any = widget.traits()[name]
    trait.follow(widget, value)


def _to_buffer(value: NDArray[np.float64], _widget: Any) -> memoryview:
    return memoryview(np.ascontiguousarray(value, "<f8").tobytes())


def _from_buffer(value: Any, _widget: Any) -> NDArray[np.float64]:
    if isinstance(value, (list, tuple)):
        return np.asarray(value, np.float64)
    raw = bytes(value) if value is not None else b""
    return np.frombuffer(raw[: len(raw) // 8 * 8], "<f8").astype(np.float64)


class WeightsTrait(_SessionTrait):
    """One weight for each clause of the query, float64; a buffer of little-endian doubles on the wire."""

    info_text = "a sequence of finite numbers >= 0, one for each weight clause"
    default_value = ()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tag(sync=True, to_json=_to_buffer, from_json=_from_buffer)

    def make_dynamic_default(self) -> NDArray[np.float64]:
        """Return no weights."""
        return np.empty(0)

    def validate(self, obj: Any, value: Any) -> NDArray[np.float64]:
        """Return the weights as an array of shape (num_clauses,) nobody can write to."""
        try:
            weights = np.array(value, np.float64)
        except (TypeError, ValueError):
            self.error(obj, value)
        if weights.ndim != 1 or not np.isfinite(weights).all() or (weights < 0).any():
            self.error(obj, value)
        weights.setflags(write=False)
        return weights

    def follow(self, obj: Any, value: Any) -> None:
        """Take the session's weights, and notify only where one differs: arrays have no truth for traitlets to test."""
        weights: Any = self._validate(obj, value)
        values: dict[str, Any] = obj._trait_values  # noqa: SLF001  traitlets keeps values there
        if self.name not in values or not np.array_equal(weights, values[str(self.name)]):
            super().follow(obj, weights)


_PANEL: dict[str, Callable[[Any], bool]] = {
    "tiles": lambda value: value in {"small", "medium", "large"},
    "boxes": lambda value: isinstance(value, bool),
    "hidden": lambda value: isinstance(value, list) and len(value) <= _MAX_HIDDEN and all(map(_is_index, value)),
    "opened": lambda value: isinstance(value, bool),
    "beside": lambda value: _is_index(value) and value <= _MAX_SIDE,
    "under": lambda value: _is_index(value) and value <= _MAX_SIDE,
    "uid": lambda value: isinstance(value, str) and len(value) <= _MAX_UID,
}
_MAX_HIDDEN = 3000
_MAX_UID = 20
_MAX_SIDE = 10_000


def _is_index(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


class PanelTrait(traitlets.TraitType[Any, Any]):
    """How the browser has set its panels; what is not of the contract is left out."""

    info_text = "settings of the panels"
    default_value = ()

    def make_dynamic_default(self) -> dict[str, Any]:
        """Return no settings."""
        return {}

    def validate(self, _obj: Any, value: Any) -> dict[str, Any]:
        """Return the known settings."""
        given = value if isinstance(value, dict) else {}
        return {name: given[name] for name, fits in _PANEL.items() if name in given and _fits(fits, given[name])}


def _fits(fits: Callable[[Any], bool], value: Any) -> bool:
    try:
        return fits(value)
    except TypeError:  # a list where a word belongs cannot be looked up
        return False
