"""The credentials that links of a dataset refer to: names are stored, values stay in the session."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.dataset.opened._opened import OpenDataset
from penstock.dataset.writing import _head as head
from penstock.errors import CredentialsError
from penstock.storage import Provider
from penstock.tensors import storable_text

__all__ = ["CredentialKeys"]


class CredentialKeys:
    """The names of credentials of an open dataset.

    Parameters
    ----------
    opened : OpenDataset
        The dataset.
    """

    def __init__(self, opened: OpenDataset) -> None:
        self._opened = opened

    def add(self, name: str, *, managed: bool) -> None:
        """Add the name of credentials; only the name is stored."""
        if not name or not isinstance(name, str):
            raise CredentialsError(f"{name!r} is not a valid credentials key. Expected a name")
        storable_text(name, "the credentials key")
        opened = self._opened
        with opened.lock:
            opened.check_writable()
            opened.settle()
            head.set_creds_key(opened.working, name, managed=managed)

    def populate(self, name: str, values: Mapping[str, str] | Provider) -> None:
        """Take the values of a key into the memory of this session."""
        working = self._opened.working
        keys = working.meta.get("creds_keys", {})
        if name not in keys:
            raise CredentialsError(
                f"{name!r} is not a credentials key of this dataset. The keys are {', '.join(keys) or 'none'}",
                hint="add one with ds.add_creds_key",
            )
        if keys[name]:
            raise CredentialsError(
                f"the credentials of {name!r} are managed, so they cannot be set for the session",
                hint=f"set the environment variable PENSTOCK_CREDS_{name} to a JSON object",
            )
        working.credentials.populate(name, values)
