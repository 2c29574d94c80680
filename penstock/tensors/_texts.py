"""Text and JSON that can be stored, and read back equal."""

from __future__ import annotations

import json
import re
from typing import Any, Self

import numpy as np

from penstock.errors import SampleError
from penstock.tensors._spec import TensorSpec
from penstock.tensors.wording._showing import plain_reason, shown

__all__ = ["JsonText", "decode_json", "encode_json", "storable_text"]

_MOST_BYTES = 2**31 - 1
_MOST_NESTED = 500  # half of what Python reads by default
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_OPENING, _CLOSING = tuple(b"[{"), tuple(b"]}")


def storable_text(text: str, what: str) -> str:
    """Return text that UTF-8 can store.

    Parameters
    ----------
    text : str
        The text.
    what : str
        What it is, for the message.

    Returns
    -------
    str
        The text itself.

    Raises
    ------
    SampleError
        If it has a lone surrogate, like a file name that is not UTF-8, or is too long.

    Examples
    --------
    >>> storable_text("café", "the name")
    'café'
    """
    if text.isascii():
        num_bytes = len(text)
    else:
        try:
            num_bytes = len(text.encode())
        except UnicodeEncodeError as error:
            raise SampleError(
                f"{what} is {shown(text)}, with the lone surrogate {text[error.start]!r}. Expected text that UTF-8 "
                "can store",
                hint="Python reads file names that are not UTF-8 this way; text.encode('utf-8', 'surrogateescape')"
                ".decode('latin-1') is one way to convert it",
            ) from error
    if num_bytes > _MOST_BYTES:
        raise SampleError(f"{what} has {num_bytes:,} bytes. Expected less than 2 GiB")
    return text


class JsonText(str):
    """The JSON text of a list whose entries were read as JSON, so that it is read back equal; for importers.

    Parameters
    ----------
    text : str
        The text.
    num_entries : int
        Of the list.
    """

    __slots__ = ("num_entries",)
    num_entries: int

    def __new__(cls, text: str, num_entries: int) -> Self:
        """Return the text, which knows its number of entries."""
        made = super().__new__(cls, text)
        made.num_entries = num_entries
        return made


def encode_json(spec: TensorSpec, value: Any) -> str:
    """Return the JSON text of a value, refused where it would not be read back equal."""
    try:
        if isinstance(value, JsonText):
            _check_nesting(value)
            return storable_text(str(value), f"the JSON for {spec.name!r}")
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=_plain)
        _check_nesting(text)
        json.loads(text, object_pairs_hook=_unique)
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        raise SampleError(
            f"{shown(value)} is not a valid value of {spec.name!r} ({spec.shown_htype}). Expected a JSON value "
            f"({plain_reason(error)})"
        ) from error
    return storable_text(text, f"the JSON for {spec.name!r}")


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.floating):
        return float(value)
    if isinstance(value, np.generic) and not isinstance(value.item(), np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def _check_nesting(text: str) -> None:
    """Refuse what is nested so deep that readers with less stack than this one fail."""
    if text.count("[") + text.count("{") <= _MOST_NESTED:
        return
    bare = np.frombuffer(_STRING.sub("", text).encode(), np.uint8)
    steps = np.isin(bare, _OPENING).astype(np.int64) - np.isin(bare, _CLOSING)
    deepest = int(np.cumsum(steps).max())
    if deepest > _MOST_NESTED:
        raise ValueError(f"it is nested {deepest} levels deep, more than {_MOST_NESTED}")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("two keys of an object are equal")
    return found


def decode_json(spec: TensorSpec, text: str) -> Any:
    """Return the value of a stored JSON text.

    Parameters
    ----------
    spec : TensorSpec
        The JSON tensor.
    text : str
        What is stored.

    Returns
    -------
    object
        The value.

    Raises
    ------
    SampleError
        If the text is damaged, or nested too deep to read.

    Examples
    --------
    >>> decode_json(TensorSpec(name="notes", htype="json"), '{"a": [1]}')
    {'a': [1]}
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SampleError(f"a stored JSON value of {spec.name!r} cannot be read: {plain_reason(error)}") from error
