"""One generator per sample, the same for any number of workers."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Iterator

import numpy as np

__all__ = ["generator_of", "global_state_kept", "seed_global_state", "words_of"]

_TRANSFORM = 0x7472616E73666F72
_SUBSTITUTE = 0x7375627374697475
_COLLATE = 0x636F6C6C61746500
_WORD = (1 << 64) - 1
_PURPOSES = {"transform": _TRANSFORM, "substitute": _SUBSTITUTE, "collate": _COLLATE}


def _bits(seed: int, epoch: int, position: int, purpose: str) -> np.random.Philox:
    """Return Philox keyed by seed and purpose, its counter set to (epoch, position)."""
    key = np.array([(seed ^ seed >> 64) & _WORD, _PURPOSES[purpose]], np.uint64)
    return np.random.Philox(key=key, counter=np.array([0, position & _WORD, epoch & _WORD, 0], np.uint64))


def generator_of(seed: int, epoch: int, position: int, *, purpose: str = "transform") -> np.random.Generator:
    """Return the generator of one sample's transform, or of the collating of the batch it begins.

    Parameters
    ----------
    seed : int
        The loader's seed.
    epoch : int
        The epoch.
    position : int
        Place of the draw in the epoch, over all ranks.
    purpose : {"transform", "collate"}
        What it is for.

    Returns
    -------
    Generator
        A function of these alone.

    Examples
    --------
    >>> generator_of(0, 1, 2).integers(1000) == generator_of(0, 1, 2).integers(1000)
    np.True_
    """
    return np.random.Generator(_bits(seed, epoch, position, purpose))


def words_of(seed: int, epoch: int, position: int, *, purpose: str = "transform", count: int = 3) -> list[int]:
    """Return 64-bit words of one sample, for seeding what takes a number."""
    words: list[int] = _bits(seed, epoch, position, purpose).random_raw(count).tolist()
    return words


def seed_global_state(seed: int, epoch: int, position: int, *, purpose: str = "transform") -> None:
    """Set the global generators of random, numpy and, where it is loaded, torch to the sample's."""
    first, second, third = words_of(seed, epoch, position, purpose=purpose)
    random.seed(first)
    np.random.seed(second & 0xFFFF_FFFF)  # noqa: NPY002  transforms of others read the global state
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.default_generator.manual_seed(third >> 1)  # torch.manual_seed looks at every device, 50 times as slow


@contextlib.contextmanager
def global_state_kept() -> Iterator[None]:
    """Give the global generators back the state they had."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002  the state of others is put back
    torch = sys.modules.get("torch")
    drawn = torch.get_rng_state() if torch is not None else None
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002  the state of others is put back
        if torch is not None and drawn is not None:
            torch.set_rng_state(drawn)
