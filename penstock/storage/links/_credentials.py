"""Credentials by name: where they are looked for, and never a word of them in the store."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from penstock.errors import CredentialsError

__all__ = ["Credentials"]


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

    def __init__(self, given: Mapping[str, dict[str, str]] | None = None) -> None:
        self._given = dict(given or {})

    def populate(self, name: str, values: Mapping[str, str]) -> None:
        """Keep credentials for this session, in memory alone."""
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
        return self._given.get(name) or _from_environment(name) or _from_keyring(name)

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave the values out of every pickle; worker processes of ours get them by `reduce_for_worker`."""
        return Credentials, ()

    def reduce_for_worker(self) -> tuple[Any, ...]:
        """Travel whole to a process of ours, through memory that nobody else reads."""
        return Credentials, (self._given,)

    def __repr__(self) -> str:
        return f"Credentials({', '.join(sorted(self._given))})"


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
