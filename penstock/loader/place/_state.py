"""Where a loader is, and whether a saved place fits it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock.errors import LoaderStateError

__all__ = ["Identity", "Place", "check_form", "is_of_same_rows", "parts_of", "place_of", "state_of"]

_FORMAT = 2
_READ = (1, 2)
_FURTHEST = 1 << 48  # positions beyond overflow where draws are numbered


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the next batch comes from.

    Parameters
    ----------
    epoch : int
        The epoch under way, or the next one.
    start : int
        Stream position where it begins.
    consumed : int
        Draws of it handed out, over all ranks.
    turned : int, optional
        Draws within which it is rotated by the offset; None where the batch size says so.
    """

    epoch: int = 0
    start: int = 0
    consumed: int = 0
    turned: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a state is a place in: nothing here may differ when it is loaded.

    Parameters
    ----------
    version : str
        The dataset's version.
    query : str
        The queries and samplings of the chain.
    rows : str
        Hash of the rows drawn from.
    sampling : str
        Fingerprint of the stream.
    seed : int
        The loader's seed.
    offset : int
        The loader's offset.
    """

    version: str
    query: str
    rows: str
    sampling: str
    seed: int
    offset: int


_OF_ROWS = ("version", "rows", "seed", "offset")
_NAMES = {
    "version": "the dataset's version",
    "query": "the query",
    "rows": "the rows the view holds",
    "seed": "the seed",
    "offset": "the offset",
    "sampling": "the sampling (weights, mode, size, shuffle)",
}


def is_of_same_rows(state: Mapping[str, Any], identity: Identity) -> bool:
    """Tell whether a state is of the same rows, seed and offset, whatever the weights."""
    return all(state["fingerprint"].get(name) == getattr(identity, name) for name in _OF_ROWS)


def parts_of(place: Place, identity: Identity) -> dict[str, Any]:
    """Return what processes that share an epoch must have in common, by what it is called in a message."""
    return {
        **{shown: getattr(identity, name) for name, shown in _NAMES.items()},
        "the epoch": place.epoch,
        "the place in it": (place.start, place.consumed, place.turned),
    }


def state_of(place: Place, identity: Identity, weights: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a state that goes into JSON: integers, what they belong to, and the weights; `turned` with an offset."""
    return {
        "format": _FORMAT,
        "epoch": place.epoch,
        "start": place.start,
        "consumed": place.consumed,
        **({} if place.turned is None else {"turned": place.turned}),
        "fingerprint": {name: getattr(identity, name) for name in _NAMES},
        **(weights or {}),
    }


def place_of(state: Mapping[str, Any], identity: Identity) -> Place:
    """Return the place a state names.

    Raises
    ------
    LoaderStateError
        If it is not the state of a loader, or of another dataset version, query,
        sampling, seed or offset; the message names which.
    """
    check_form(state)
    saved = state["fingerprint"]
    for name, shown in _NAMES.items():
        mine = getattr(identity, name)
        if name == "query" and saved.get("sampling") == identity.sampling and _same_steps(saved.get(name), mine):
            continue  # weights that .sample_by gave there came by .with_weights here
        if saved.get(name) != mine:
            raise LoaderStateError(
                f"{shown} has changed: the state was taken at {saved.get(name)!r}, this loader has {mine!r}",
                hint="build the loader as it was; batch size, workers and world size may differ"
                + ("; call with_weights before load_state_dict" if name == "sampling" else ""),
            )
    return Place(epoch=state["epoch"], start=state["start"], consumed=state["consumed"], turned=state.get("turned"))


def _same_steps(one: object, other: object) -> bool:
    """Tell whether the queries of two chains differ at most in the text of the sampling that ends both."""
    steps = [str(text).rpartition("sample by ")[:2] for text in (one, other)]
    return steps[0] == steps[1] and steps[0][1] != ""


def check_form(state: Mapping[str, Any]) -> None:
    """Refuse what is not the state of a loader."""
    if not isinstance(state, Mapping):
        raise LoaderStateError(f"the state is a {type(state).__name__}. Expected the dict that state_dict() returned")
    if state.get("format") not in _READ:
        raise LoaderStateError(
            f"the state has format {state.get('format')!r}; this version reads formats {' and '.join(map(str, _READ))}"
        )
    numbers = [state.get(name) for name in ("epoch", "start", "consumed")]
    numbers += [state["turned"]] if state.get("turned") is not None else []
    if any(isinstance(one, bool) or not isinstance(one, int) or not 0 <= one < _FURTHEST for one in numbers):
        raise LoaderStateError(
            f"epoch, start, consumed (and turned) are {', '.join(map(repr, numbers))}. "
            "Expected whole numbers of at least 0, below 2**48"
        )
    if not isinstance(state.get("fingerprint"), Mapping):
        raise LoaderStateError("the state has no fingerprint. Expected the dict that state_dict() returned")
