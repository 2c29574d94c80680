from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.errors import LinkError, SampleError
from penstock.tensors import has_password, link, local_path, scheme_of, shown_url, split_url
from penstock.tensors.links._urls import checked_url


@pytest.mark.parametrize(
    ("url", "scheme"),
    [
        ("S3://Bucket/x.png", "s3"),
        ("file:/data/x.png", "file"),
        ("FILE:///data/x.png", "file"),
        ("/data/x.png", ""),
        ("C:\\data\\x.png", ""),
        ("a:b/x.png", ""),
        ("1http://x", ""),
        ("git+ssh://host/x", "git+ssh"),
    ],
)
def test_scheme_is_what_stands_before_the_slashes(url, scheme):
    assert scheme_of(url) == scheme


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("/data/a b.png", "/data/a b.png"),
        ("file:///data/a%20b.png", "/data/a b.png"),
        ("file://localhost/data/a.png", "/data/a.png"),
        ("file:/data/a.png", "/data/a.png"),
        ("file:///caf%E9.png", os.fsdecode(b"/caf\xe9.png")),
    ],
    ids=["path", "quoted", "localhost", "one slash", "not UTF-8"],
)
def test_local_path_of_an_address_of_this_machine(url, path):
    assert local_path(url) == Path(path)


@pytest.mark.parametrize("url", ["s3://bucket/x", "https://host/x", "az://box/x"])
def test_local_path_of_a_remote_address_is_none(url):
    assert local_path(url) is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://bucket/x.png", "'s3://bucket/x.png'"),
        ("http://user:pw@host/x", "'http://…@host/x'"),
        ("https://host/x?id=3&Password=pw&n=1", "'https://host/x?id=3&Password=…&n=1'"),
        ("https://host/x?X-Amz-Signature=abc#top", "'https://host/x?X-Amz-Signature=…#top'"),
        ("https://host/x?my_password=pw", "'https://host/x?my_password=pw'"),
    ],
    ids=["plain", "user", "password", "signature", "another name"],
)
def test_shown_url_hides_secrets(url, shown):
    assert shown_url(url) == shown


def test_shown_url_is_cut_after_200_characters():
    assert shown_url("s3://bucket/" + "x" * 500) == repr("s3://bucket/" + "x" * 188 + "…")


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://host/x", False),
        ("https://user@host/x", True),
        ("https://user:pw@host/x", True),
        ("az://box@account/x", False),
        ("az://box:pw@account/x", True),
        ("https://host/x?API_KEY=k", True),
        ("https://host/x?api_key=", False),
        ("https://host/x?sig=abc", False),
    ],
    ids=["none", "token", "password", "container", "container with password", "key", "empty key", "signature"],
)
def test_has_password_finds_what_would_be_stored(url, found):
    assert has_password(url) is found


@pytest.mark.parametrize("url", ["http://host:port/x", "http://host:99999/x", "http://[::1/x"])
def test_split_url_refuses_what_is_not_an_address(url):
    with pytest.raises(LinkError, match=r"is not a valid URL[;.] .xpected scheme://host/path"):
        split_url(url)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("/data/\0.png", "has a NUL"),
        ("x" * 8193, r"8,193 characters, more than 8,192"),
        ("ftp://host/x", "has scheme 'ftp'.*file, s3"),
        ("s3://bucket", r"file[;.] .xpected s3://bucket/path"),
        ("s3://bucket/", r"file[;.] .xpected s3://bucket/path"),
        ("https:///x", r"file[;.] .xpected https://host/path"),
        ("file:///", r"file[;.] .xpected file:///path"),
        ("file:///a%00b", r"file[;.] .xpected file:///path"),
        ("file://server/x", "names the host 'server'"),
        ("https://host/a\nb", "has a control character"),
        ("https://host/\ud800", "has a lone surrogate"),
        ("/data/\ud800", "has a lone surrogate"),
    ],
    ids=[
        "NUL", "long", "scheme", "bucket", "bucket and slash", "no host", "no path", "NUL in path", "host", "newline",
        "surrogate", "surrogate in a path",
    ],
)  # fmt: skip
def test_address_that_names_no_file_is_refused(url, message):
    with pytest.raises(LinkError, match=message):
        checked_url(url)


def test_checked_url_makes_a_path_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert checked_url("sub/x.png") == str(tmp_path / "sub/x.png")


def test_checked_url_expands_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert checked_url("~/x.png") == str(tmp_path / "x.png")


def test_checked_url_keeps_a_web_address_without_a_path():
    assert checked_url("https://host") == "https://host"


@pytest.mark.parametrize("value", ["", None, 3, b"x.png"], ids=["empty", "None", "number", "bytes"])
def test_link_to_what_is_not_text_is_refused(value):
    with pytest.raises(SampleError, match="xpected a path or URL"):
        link(value)


@pytest.mark.parametrize("key", ["", 3], ids=["empty", "number"])
def test_link_refuses_credentials_that_are_not_a_name(key):
    with pytest.raises(SampleError, match="xpected the name of credentials"):
        link("s3://bucket/x", creds_key=key)
