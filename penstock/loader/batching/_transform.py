"""Applying a transform to samples, each with its own randomness."""

from __future__ import annotations

import contextlib
import inspect
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from penstock.errors import TransformError
from penstock.loader.batching._batch import Draw
from penstock.loader.place._seeding import generator_of, global_state_kept, seed_global_state, words_of

__all__ = ["SeededCollate", "Transform"]

Step = Callable[[Any, np.random.Generator | None], Any]


class Transform:
    """A transform ready to run on samples; travels to worker processes.

    Parameters
    ----------
    transform : callable or mapping of str to callable or None
        Of a sample dict, or of single tensors; a mapping drops what it does not name.
    arguments : mapping
        Keyword arguments of a callable.
    seed : int
        The loader's seed.
    images, boxes : tuple of str
        Tensors handed to an Albumentations pipeline as its image and its boxes.
    """

    def __init__(
        self,
        transform: Callable[..., Any] | Mapping[str, Callable[..., Any] | None],
        arguments: Mapping[str, Any],
        *,
        seed: int,
        images: tuple[str, ...] = (),
        boxes: tuple[str, ...] = (),
    ) -> None:
        self._seed = seed
        if isinstance(transform, Mapping):
            self._steps = {name: None if step is None else _of_value(step) for name, step in transform.items()}
            self._function: Step | None = None
            parts = [part for part in transform.values() if part is not None]
        else:
            self._steps = {}
            self._function = _of_sample(transform, dict(arguments), images, boxes)
            parts = [transform]
        self._reseeded: list[Any] = [part for part in parts if _is_albumentations(part)]
        self._takes_rng = [_takes_rng(part, arguments) for part in parts]

    def __call__(self, sample: dict[str, Any], epoch: int, position: int) -> Any:
        """Return the transformed sample of one draw."""
        # Albumentations keeps a generator of its own, which the global state does not reach
        for pipeline in self._reseeded:
            pipeline.set_random_seed(words_of(self._seed, epoch, position)[0] & 0x7FFF_FFFF)
        rng = generator_of(self._seed, epoch, position) if any(self._takes_rng) else None
        if not all(self._takes_rng) and len(self._reseeded) < len(self._takes_rng):
            seed_global_state(self._seed, epoch, position)
        if self._function is not None:
            return self._function(sample, rng)
        return {name: sample[name] if step is None else step(sample[name], rng) for name, step in self._steps.items()}

    def all(self, samples: list[dict[str, Any]], draw: Draw, uids: list[int], *, keep_state: bool) -> list[Any]:
        """Return the transformed samples of a batch.

        Raises
        ------
        TransformError
            With the row and uid of the sample, and the transform's own traceback.
        """
        done = []
        with global_state_kept() if keep_state else contextlib.nullcontext():
            for place, sample in enumerate(samples):
                try:
                    done.append(self(sample, draw.epoch, int(draw.positions[place])))
                except Exception as error:
                    raise _located(error, int(draw.rows[place]), uids[place]) from error
        return done


class SeededCollate:
    """A collate_fn with randomness of the batch's own; travels to worker processes.

    Parameters
    ----------
    collate_fn : callable
        Of a list of samples; one with a parameter `rng` gets a generator.
    seed : int
        The loader's seed.
    """

    def __init__(self, collate_fn: Callable[..., Any], *, seed: int) -> None:
        self._collate_fn = collate_fn
        self._seed = seed
        self._takes_rng = _takes_rng(collate_fn, {})

    def __call__(self, samples: list[Any], draw: Draw, *, keep_state: bool) -> Any:
        """Return the batch; its randomness depends on the seed, the epoch and the place of its first draw alone."""
        position = int(draw.positions[0]) if len(draw) else 0
        if self._takes_rng:
            return self._collate_fn(samples, rng=generator_of(self._seed, draw.epoch, position, purpose="collate"))
        with global_state_kept() if keep_state else contextlib.nullcontext():
            seed_global_state(self._seed, draw.epoch, position, purpose="collate")
            return self._collate_fn(samples)


def _located(error: Exception, row: int, uid: int) -> TransformError:
    frames = traceback.format_exception(type(error), error, _own_frames(error))
    return TransformError(
        f"the transform failed on row {row} (uid {uid}): {type(error).__name__}: {error}\n\n{''.join(frames)}",
        row=row,
        uid=uid,
    )


def _own_frames(error: Exception) -> Any:
    """Leave out the loader's own frames at the head of a traceback."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    return frames or error.__traceback__


def _takes_rng(function: Callable[..., Any], arguments: Mapping[str, Any]) -> bool:
    if "rng" in arguments:
        return False
    try:
        return "rng" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False


def _of_value(function: Callable[..., Any]) -> Step:
    if _is_albumentations(function):
        return lambda value, _: function(image=value)["image"]
    if _takes_rng(function, {}):
        return lambda value, rng: function(value, rng=rng)
    return lambda value, _: function(value)


def _of_sample(
    function: Callable[..., Any], arguments: dict[str, Any], images: tuple[str, ...], boxes: tuple[str, ...]
) -> Step:
    if _is_albumentations(function):
        names = _albumentations_names(images, boxes)
        return lambda sample, _: _through_albumentations(function, sample, names)
    if _takes_rng(function, arguments):
        return lambda sample, rng: function(sample, rng=rng, **arguments)
    return lambda sample, _: function(sample, **arguments)


def _is_albumentations(function: Any) -> bool:
    """Tell whether a transform is an Albumentations pipeline passed directly."""
    library = sys.modules.get("albumentations")
    return library is not None and isinstance(function, library.BaseCompose | library.BasicTransform)


def _albumentations_names(images: tuple[str, ...], boxes: tuple[str, ...]) -> dict[str, str]:
    """Return what Albumentations calls the image and the boxes of a sample."""
    names = {}
    if len(images) == 1:
        names[images[0]] = "image"
    if len(boxes) == 1:
        names[boxes[0]] = "bboxes"
    return names


def _through_albumentations(function: Callable[..., Any], sample: dict[str, Any], names: dict[str, str]) -> Any:
    ours = {theirs: name for name, theirs in names.items()}
    done = function(**{names.get(name, name): value for name, value in sample.items()})
    return {ours.get(name, name): value for name, value in done.items()}
