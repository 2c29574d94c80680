"""Credentials by name: where they are looked for, and never a word of them in the store."""

from __future__ import annotations

import json
import math
import os
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from penstock.errors import CredentialsError
from penstock.storage._fork import renewed_lock

__all__ = ["Credentials", "Provider"]

Provider = Callable[[], Mapping[str, Any]]
"""Returns credentials; ``expires_at`` among them, a datetime or its ISO form, is when they do."""

_EARLY = 30  # seconds before they expire that new ones are asked for


class Credentials:
    """Named credentials of one session.

    A key K is looked for in what `populate` was given, in the environment variable
    ``PENSTOCK_CREDS_K`` (JSON), and in the keyring (service ``penstock``); where all
    are silent the store's own chain decides (environment, profile, instance role).

    Parameters
    ----------
    given : mapping of str to dict, optional
        Values by key, as `populate` takes them one by one.
    """

    def __init__(self, given: Mapping[str, dict[str, str] | Provider] | None = None) -> None:
        self._given = dict(given or {})
        self._provided: dict[str, tuple[dict[str, str], float]] = {}
        self._lock = renewed_lock(threading.Lock())

    def populate(self, name: str, values: Mapping[str, str] | Provider) -> None:
        """Keep credentials for this session, in memory alone; a function is called for them whenever they expire."""
        if callable(values):
            self._given[name] = values
            self._provided.pop(name, None)
            return
        if not isinstance(values, Mapping) or not all(isinstance(value, str) for value in values.values()):
            raise CredentialsError(
                f"the credentials for {name!r} are of type {type(values).__name__}. Expected a dict of text, such as "
                "{'aws_access_key_id': …, 'aws_secret_access_key': …}"
            )
        self._given[name] = dict(values)

    def find(self, name: str | None) -> dict[str, str]:
        """Return the credentials of a name, empty where the store's own chain decides."""
        if name is None:
            return {}
        given = self._given.get(name)
        if callable(given):
            return self._from_provider(name, given, None)
        return given or _from_environment(name) or _from_keyring(name)

    def renewed(self, name: str | None, refused: Mapping[str, str]) -> dict[str, str] | None:
        """Return other credentials of a name than those that a store has refused; None if there are none."""
        given = None if name is None else self._given.get(name)
        if name is None or given is None or not callable(given):
            found = self.find(name)
        else:
            found = self._from_provider(name, given, refused)
        return None if found == refused else found

    def _from_provider(self, name: str, provider: Provider, refused: Mapping[str, str] | None) -> dict[str, str]:
        """Return what a provider gave, and ask it again where that has expired or was refused."""
        with self._lock:
            values, expires = self._provided.get(name, ({}, 0.0))
            if name in self._provided and values != refused and time.time() < expires - _EARLY:
                return values
            try:
                answer = dict(provider())
                until = _seconds(answer.pop("expires_at", None))
                values = {str(key): str(value) for key, value in answer.items() if value is not None}
            except Exception as error:
                raise CredentialsError(
                    f"the function that provides the credentials of {name!r} failed with {type(error).__name__}. "
                    "Expected a dict of text, such as {'aws_access_key_id': …, 'expires_at': …}"
                ) from error
            self._provided[name] = values, until
            return values

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave the values out of every pickle; worker processes of ours get them by `__reduce_for_worker__`."""
        return Credentials, ()

    def __reduce_for_worker__(self) -> tuple[Any, ...]:
        """Travel whole to a process of ours, through memory that nobody else reads."""
        return Credentials, (self._given,)

    def __repr__(self) -> str:
        return f"Credentials({', '.join(sorted(self._given))})"


def _seconds(expires: Any) -> float:
    """Return a time in seconds since 1970; without a time zone it is UTC, and none is never."""
    if expires is None:
        return math.inf
    when = expires if isinstance(expires, datetime) else datetime.fromisoformat(str(expires))
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _from_environment(name: str) -> dict[str, str]:
    variable = f"PENSTOCK_CREDS_{name}"
    text = os.environ.get(variable) or os.environ.get(variable.upper())
    return _parsed(text, variable) if text else {}


def _from_keyring(name: str) -> dict[str, str]:
    try:
        import keyring
    except ImportError:
        return {}
    try:
        text = keyring.get_password("penstock", name)
    except Exception:  # noqa: BLE001  a keyring without a backend is no keyring
        return {}
    return _parsed(text, f"the keyring entry {name!r}") if text else {}


def _parsed(text: str, origin: str) -> dict[str, str]:
    try:
        values: Any = json.loads(text)
    except json.JSONDecodeError:
        values = None
    if not isinstance(values, dict):
        raise CredentialsError(f'{origin} does not contain a JSON object. Expected {{"aws_access_key_id": …}}')
    return {str(key): str(value) for key, value in values.items()}
