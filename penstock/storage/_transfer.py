"""How long requests to object stores and web servers may take, and how often they are repeated."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from penstock.errors import StorageError

__all__ = ["Transfer", "plain_http"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Limits of one request, read from the environment by `from_environment`.

    Parameters
    ----------
    connect : float
        Seconds until a connection is there (``PENSTOCK_CONNECT_TIMEOUT``).
    read : float
        Seconds until a request is answered completely (``PENSTOCK_READ_TIMEOUT``).
    total : float
        Seconds for a request and its retries (``PENSTOCK_TOTAL_TIMEOUT``).
    retries : int
        Most retries after an answer such as 503, or none (``PENSTOCK_RETRIES``).
    """

    connect: float = 5.0
    read: float = 30.0
    total: float = 60.0
    retries: int = 3

    @classmethod
    def from_environment(cls) -> Transfer:
        """Return the limits that the environment sets, and the usual ones for the rest.

        Raises
        ------
        StorageError
            If a variable is not a number that can be.
        """
        seconds = {
            name: _number(f"PENSTOCK_{name.upper()}_TIMEOUT", least=0.001) for name in ("connect", "read", "total")
        }
        found: dict[str, Any] = {name: value for name, value in seconds.items() if value is not None}
        retries = _number("PENSTOCK_RETRIES", least=0)
        return cls(**found) if retries is None else cls(**found, retries=int(retries))

    def client_options(self, *, allow_http: bool) -> dict[str, Any]:
        """Return them as obstore takes them, for each request."""
        return {
            "timeout": timedelta(seconds=self.read),
            "connect_timeout": timedelta(seconds=self.connect),
            "allow_http": allow_http,
        }

    def retry_config(self) -> dict[str, Any]:
        """Return them as obstore takes them, for retries."""
        return {"max_retries": self.retries, "retry_timeout": timedelta(seconds=self.total)}

    def engine_options(self) -> dict[str, str]:
        """Return them as the engine takes them."""
        return {
            "timeout": f"{self.read}s",
            "connect_timeout": f"{self.connect}s",
            "client_max_retries": str(self.retries),
            "client_retry_timeout": str(max(1, round(self.total))),
        }


def plain_http() -> bool:
    """Return whether the environment allows connections without encryption."""
    return os.environ.get("AWS_ALLOW_HTTP", "").lower() in {"1", "true"}


def _number(variable: str, *, least: float) -> float | None:
    text = os.environ.get(variable)
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not least <= number < math.inf or (least == 0 and number != int(number)):
        kind = "a whole number of retries" if least == 0 else "seconds, such as 10 or 2.5"
        raise StorageError(f"the environment variable {variable}={text!r} is not valid. Expected {kind}")
    return number
