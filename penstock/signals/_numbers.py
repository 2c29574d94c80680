"""Numbers that a training loop hands over: checked, and copied without waiting for a device."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SignalError

__all__ = ["MAX_POSITION", "Copy", "check_signal_name", "device_copy", "is_on_device", "local_array", "one_each"]

MAX_POSITION = 2**40 - 1
_LONGEST = 100
_PART = r"[^\W_](?:[\w. -]*\w)?"
_NAME = re.compile(f"{_PART}(?:/{_PART})*")
_TAKEN = ("row", "stale", "uid")
_KINDS = "biuf"


def check_signal_name(name: object) -> None:
    """Refuse a name that no signal can have: the rules are those of tensors.

    Raises
    ------
    SignalError
        If the name is not valid.
    """
    if isinstance(name, str) and _NAME.fullmatch(name) and len(name) <= _LONGEST and name not in _TAKEN:
        return
    plain = re.sub(r"\W+", "_", str(name))[:_LONGEST].strip("_")
    raise SignalError(
        f"{str(name)[: 2 * _LONGEST]!r} is not a valid signal name. Expected letters, digits and underscores, inside "
        f"also '/', '.', '-' and spaces, and none of {', '.join(_TAKEN)}",
        hint=f"use {plain!r}" if plain and plain not in _TAKEN else None,
    )


def is_on_device(values: Any) -> bool:
    """Return whether values are a tensor in the memory of a device, whose reading would wait for it."""
    if isinstance(values, np.ndarray):
        return False
    device = getattr(values, "device", None)
    return hasattr(values, "detach") and getattr(device, "type", "cpu") != "cpu"


def local_array(values: Any, what: str) -> NDArray[Any]:
    """Return numbers in the computer's memory as an array, not copied where that is possible.

    Raises
    ------
    SignalError
        If they are no numbers.
    """
    try:
        found = values if isinstance(values, np.ndarray) else _as_array(values)
    except Exception as error:
        raise SignalError(f"{what} cannot be read as an array of numbers: {error}") from error
    if found.dtype.kind not in _KINDS:
        raise SignalError(f"{what} has dtype {found.dtype}. Expected integers, floats or bool")
    return found


def _as_array(values: Any) -> NDArray[Any]:
    if not hasattr(values, "detach"):
        return np.asarray(values)
    values = values.detach()
    try:
        found: NDArray[Any] = values.numpy()
    except TypeError:  # numpy has no bfloat16
        found = values.float().numpy()
    return found


def one_each(shape: tuple[int, ...], count: int, what: str) -> None:
    """Refuse values that are not one for each sample; sides of length 1 may follow, as in (64, 1).

    Raises
    ------
    SignalError
        With what to do about a mean over the batch, the usual mistake.
    """
    if shape and shape[0] == count and all(side == 1 for side in shape[1:]):
        return
    hint = None
    if not shape or shape == (1,):
        hint = "a loss is one number for each sample with reduction='none'; take the mean for the backward pass after"
    elif shape[0] == count:
        hint = "reduce it to one number for each sample, such as values.mean(axis=1)"
    raise SignalError(
        f"{what} has shape {tuple(shape)}. Expected one number for each of the {count} samples, shape ({count},)",
        hint=hint,
    )


# ---- devices -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy from a device that was started.

    Parameters
    ----------
    tensor : tensor
        What will hold the numbers.
    event : event, optional
        What tells that they are there; where there is none, reading the tensor waits for the device.
    """

    tensor: Any
    event: Any

    def is_done(self) -> bool:
        """Return whether the numbers are known to be there, without waiting."""
        return self.event is not None and bool(self.event.query())

    def result(self) -> NDArray[Any]:
        """Return the numbers; waits where they are not there yet."""
        if self.event is not None:
            self.event.synchronize()
            return np.asarray(self.tensor)
        return np.asarray(self.tensor.to("cpu"))


def device_copy(tensor: Any, *, as_float: bool) -> Copy:
    """Start to copy a tensor from its device; nothing is waited for.

    `as_float` rounds there to what is kept, float32.
    """
    if getattr(tensor.device, "type", None) == "meta":
        raise SignalError("a tensor of the device 'meta' holds no numbers. Expected one with values")
    tensor = tensor.detach().reshape(-1)
    if as_float:
        tensor = tensor.float()
    event = _event(tensor.device)
    if event is None:
        return Copy(tensor, None)
    here = tensor.to("cpu", non_blocking=True)
    event.record()
    return Copy(here, event)


def _event(device: Any) -> Any:
    """Return an event of a device; None where its library has none."""
    torch = sys.modules.get("torch")
    try:
        return None if torch is None else torch.Event(device=device)
    except (AttributeError, RuntimeError, TypeError, ValueError):
        return None
