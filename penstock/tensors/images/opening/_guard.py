"""One place where a broken image turns into one error."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

from penstock.errors import ImageDecodeError, PenstockError

__all__ = ["guarded"]

_P = ParamSpec("_P")
_R = TypeVar("_R")


def guarded(function: Callable[Concatenate[bytes, _P], _R]) -> Callable[Concatenate[bytes, _P], _R]:
    """Raise any error of a codec as an ImageDecodeError with the reason; a sample that is an error is raised."""

    @wraps(function)
    def checked(encoded: bytes | PenstockError, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        if isinstance(encoded, PenstockError):
            raise encoded
        if not encoded:
            raise ImageDecodeError("the image has no bytes. Expected an encoded image such as JPEG or PNG")
        try:
            return function(encoded, *args, **kwargs)
        except PenstockError:
            raise
        except Exception as error:  # broken files raise OSError, SyntaxError, ValueError, struct.error, ...
            raise ImageDecodeError(_reason(error)) from error

    return cast("Callable[Concatenate[bytes, _P], _R]", checked)


def _reason(error: Exception) -> str:
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return "the bytes are not a readable image. Expected JPEG, PNG, WebP, GIF, BMP or TIFF"
    text = " ".join(str(error).split()) or type(error).__name__
    return f"the image cannot be decoded: {text[:200]}"
