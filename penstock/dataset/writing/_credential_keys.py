"""The credentials that links of a dataset refer to: names are stored, values stay in the session."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.dataset.writing import _head as head
from penstock.dataset.writing._opened import OpenDataset
from penstock.errors import CredentialsError
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
        """Name credentials; the name alone is stored."""
        if not name or not isinstance(name, str):
            raise CredentialsError(f"a credentials key named {name!r}; expected a name")
        storable_text(name, "a credentials key")
        opened = self._opened
        with opened.lock:
            opened.check_writable()
            opened.settle()
            head.set_creds_key(opened.working, name, managed=managed)

    def populate(self, name: str, values: Mapping[str, str]) -> None:
        """Take the values of a key into the memory of this session."""
        working = self._opened.working
        keys = working.meta.get("creds_keys", {})
        if name not in keys:
            raise CredentialsError(
                f"no credentials key {name!r}; the dataset has {', '.join(keys) or 'none'}",
                hint="ds.add_creds_key adds one",
            )
        if keys[name]:
            raise CredentialsError(
                f"credentials of {name!r} are managed and so not kept in the session",
                hint=f"set the environment variable PENSTOCK_CREDS_{name} to a JSON object",
            )
        working.credentials.populate(name, values)
