"""A reference to a file outside the dataset."""

from __future__ import annotations

import os
from dataclasses import dataclass

from penstock.errors import SampleError
from penstock.tensors._texts import storable_text
from penstock.tensors.links._urls import checked_url
from penstock.tensors.wording._showing import shown

__all__ = ["Link", "link"]


@dataclass(frozen=True, slots=True)
class Link:
    """The location of a linked sample's file, and the name of its credentials.

    Parameters
    ----------
    url : str
        Local path, ``file://``, ``s3://``, ``gs://``, ``az://`` or ``http(s)://``.
    creds_key : str, optional
        Name of credentials; never the credentials themselves.
    """

    url: str
    creds_key: str | None = None


def link(url: str | os.PathLike[str], creds_key: str | None = None) -> Link:
    """Refer to a file as the sample of a ``link[...]`` tensor.

    Parameters
    ----------
    url : str or path
        Local path, ``file://``, ``s3://``, ``gs://``, ``az://`` or ``http(s)://``.
    creds_key : str, optional
        Name of credentials added by ``ds.add_creds_key``.

    Returns
    -------
    Link
        The value to append.

    Raises
    ------
    SampleError
        If `url` is empty or neither text nor a path.
    LinkError
        If `url` is not a valid address, or contains a password or key: pass credentials
        by name, with `creds_key`.

    Examples
    --------
    >>> link("s3://bucket/coco/000000000009.jpg", creds_key="my_s3_creds")
    Link(url='s3://bucket/coco/000000000009.jpg', creds_key='my_s3_creds')
    """
    text = os.fspath(url) if isinstance(url, (str, os.PathLike)) else url
    if not isinstance(text, str) or not text:
        raise SampleError(f"{shown(url)} cannot be linked. Expected a path or URL")
    if creds_key is not None and not (isinstance(creds_key, str) and creds_key):
        raise SampleError(f"creds_key={shown(creds_key)} is not valid. Expected the name of credentials")
    if creds_key is not None:
        storable_text(creds_key, "the creds_key of a link")
    checked_url(text)
    return Link(text, creds_key)
