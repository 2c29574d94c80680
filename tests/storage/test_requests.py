"""Time-outs, repetitions and credentials of requests to object stores."""

from __future__ import annotations

import socket
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

import penstock
from penstock.engines._messages import from_parts, public_parts
from penstock.errors import CredentialsError, LinkError, StorageError
from penstock.storage import Credentials, LinkReader
from penstock.storage._transfer import Transfer
from penstock.tensors import Link, encode_image

_PNG = encode_image(np.full((2, 3), 7, np.uint8), "png")
_SECRET = "secret-of-the-test"


@pytest.fixture
def silent():
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """Set variables; requests are given up soon."""

    def chosen(**variables):
        usual = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": _SECRET, "AWS_REGION": "us-east-1"}
        soon = {"PENSTOCK_READ_TIMEOUT": "0.3", "PENSTOCK_CONNECT_TIMEOUT": "0.3", "PENSTOCK_RETRIES": "1"}
        for name, value in {**usual, **soon, "AWS_ALLOW_HTTP": "1", **variables}.items():
            monkeypatch.setenv(name, value)

    return chosen


def test_the_environment_sets_the_limits(monkeypatch):
    for name, value in {"CONNECT_TIMEOUT": "2.5", "READ_TIMEOUT": "7", "TOTAL_TIMEOUT": "9", "RETRIES": "0"}.items():
        monkeypatch.setenv(f"PENSTOCK_{name}", value)
    assert Transfer.from_environment() == Transfer(connect=2.5, read=7, total=9, retries=0)


@pytest.mark.parametrize(
    ("name", "value"),
    [("READ_TIMEOUT", "soon"), ("READ_TIMEOUT", "0"), ("TOTAL_TIMEOUT", "-1"), ("CONNECT_TIMEOUT", "inf"),
     ("RETRIES", "1.5"), ("RETRIES", "-1"), ("RETRIES", "nan")],
)  # fmt: skip
def test_a_limit_that_is_no_number_is_refused_by_name(monkeypatch, name, value):
    monkeypatch.setenv(f"PENSTOCK_{name}", value)
    with pytest.raises(StorageError, match=rf"PENSTOCK_{name}='{value}' is not valid\. Expected"):
        Transfer.from_environment()
    error = LinkReader([], Credentials()).fetch([Link("http://127.0.0.1:1/x.png", None)])[0]
    assert f"PENSTOCK_{name}" in str(error)


@pytest.mark.parametrize("action", ["load", "empty"])
@pytest.mark.parametrize(
    ("endpoint", "words"),
    [("silent", "the storage does not respond"), ("http://127.0.0.1:9", "the storage is not reachable"),
     ("http://no-such-host.invalid", "the storage is not reachable")],
    ids=["silent", "refused", "unknown"],
)  # fmt: skip
def test_a_bad_endpoint_is_said_in_one_sentence_in_time(environment, silent, endpoint, words, action):
    environment(AWS_ENDPOINT=silent if endpoint == "silent" else endpoint)
    began = time.monotonic()
    with pytest.raises(StorageError, match=words) as caught:
        getattr(penstock, action)("s3://lake/set")
    assert time.monotonic() - began < 10
    assert "s3://lake/set" in str(caught.value)
    assert not {"Generic", "retries", "reqwest", "\n"} & set(str(caught.value).split())


def test_a_link_to_a_bad_endpoint_is_said_in_time(environment, silent):
    environment()
    credentials = Credentials()
    credentials.populate("mine", {"aws_access_key_id": "test", "aws_secret_access_key": _SECRET, "endpoint": silent})
    error = LinkReader([], credentials).fetch([Link("s3://lake/x.png", "mine")])[0]
    assert "does not respond" in str(error)
    assert _SECRET not in str(error)


def test_an_answer_that_says_later_is_asked_for_again(bucket):
    bucket.put("x.png", _PNG)
    bucket.server.set_rules({"asked": "GET", "status": 503, "code": "SlowDown", "times": 2})
    assert LinkReader([], Credentials()).fetch([Link(f"{bucket.url}/x.png", None)]) == [_PNG]
    bucket.server.set_rules({"asked": "GET", "status": 503, "code": "SlowDown", "times": 2})
    with pytest.raises(Exception, match="no dataset"):
        penstock.load(f"{bucket.url}/set")


# ---- credentials ---------------------------------------------------------------------------------


def _reader(bucket, monkeypatch, provider):
    """Return a reader of links whose key is provided, and a link."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    bucket.put("x.png", _PNG)
    credentials = Credentials()
    credentials.populate("mine", provider)
    return LinkReader([], credentials), Link(f"{bucket.url}/x.png", "mine")


def _keys(bucket, name, **more):
    return {**bucket.server.keys, "aws_access_key_id": name, **more}


_EXPIRED = {"asked": "GET /lake", "given": "Credential=old/", "status": 400, "code": "ExpiredToken"}


def test_credentials_that_expire_amid_an_epoch_are_provided_again(bucket, monkeypatch):
    asked = []

    def provider():
        asked.append("old" if not asked else "new")
        return _keys(bucket, asked[-1])

    reader, link = _reader(bucket, monkeypatch, provider)
    assert reader.fetch([link] * 20) == [_PNG] * 20
    assert asked == ["old"]
    bucket.server.set_rules(_EXPIRED)
    assert reader.fetch([link] * 20) == [_PNG] * 20
    assert asked == ["old", "new"]


def test_credentials_are_provided_again_before_they_expire(bucket, monkeypatch):
    times = iter([datetime.now(UTC) + timedelta(seconds=5), (datetime.now(UTC) + timedelta(hours=1)).isoformat(), None])
    asked = []

    def provider():
        asked.append(1)
        return _keys(bucket, "new", expires_at=next(times))

    reader, link = _reader(bucket, monkeypatch, provider)
    for _ in range(4):
        assert reader.fetch([link]) == [_PNG]
    assert len(asked) == 2


@pytest.mark.parametrize("provided", [False, True], ids=["given", "provided"])
def test_credentials_that_have_expired_are_named_by_their_key(bucket, monkeypatch, provided):
    keys = _keys(bucket, "old", aws_session_token="token-of-the-test")
    reader, link = _reader(bucket, monkeypatch, (lambda: keys) if provided else keys)
    bucket.server.set_rules(_EXPIRED)
    error = reader.fetch([link])[0]
    assert isinstance(error, LinkError)
    assert "the credentials of 'mine' have expired" in str(error)
    assert "populate_creds('mine'" in str(error)
    assert "of-the-test" not in str(error)


@pytest.mark.parametrize("code", ["AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"])
def test_credentials_that_are_refused_are_named_by_their_key(bucket, monkeypatch, code):
    reader, link = _reader(bucket, monkeypatch, _keys(bucket, "mallory"))
    bucket.server.set_rules({"asked": "GET /lake", "given": "Credential=mallory/", "status": 403, "code": code})
    error = reader.fetch([link])[0]
    assert "access was denied with the credentials of 'mine'" in str(error)
    assert "of-the-test" not in str(error)


@pytest.mark.parametrize(
    "provider",
    [lambda: 1 / 0, lambda: None, lambda: {"expires_at": "yesterday"}, lambda: [1]],
    ids=["fails", "none", "time", "list"],
)
def test_a_provider_that_fails_is_named_by_its_key(provider):
    credentials = Credentials()
    credentials.populate("mine", provider)
    with pytest.raises(CredentialsError, match="the function that provides the credentials of 'mine' failed with"):
        credentials.find("mine")
    error = LinkReader([], credentials).fetch([Link("s3://lake/x.png", "mine")])[0]
    assert isinstance(error, LinkError)
    assert "'mine' failed with" in str(error)


def test_a_dataset_says_that_credentials_have_expired(bucket):
    bucket.server.set_rules({"asked": "GET /lake", "status": 400, "code": "ExpiredToken"})
    with pytest.raises(StorageError, match="the credentials have expired"):
        penstock.load(f"{bucket.url}/set")


def test_a_loader_says_once_which_key_was_refused(bucket, tmp_path):
    ds = penstock.empty(tmp_path / "set")
    ds.create_tensor("images", htype="link[image]")
    ds.add_creds_key("mine")
    ds.populate_creds("mine", lambda: _keys(bucket, "old"))
    for number in range(6):
        bucket.put(f"{number}.png", _PNG)
        ds.append({"images": penstock.link(f"{bucket.url}/{number}.png", creds_key="mine")})
    ds.commit("links")
    bucket.server.set_rules(_EXPIRED)
    loader = ds.dataloader().batch(2).numpy()
    with loader, pytest.raises(LinkError, match=r"'images' of row 0 .*the credentials of 'mine' have expired"):
        list(loader)


class Sent:
    """An engine whose tasks travel, as to a worker elsewhere."""

    def map(self, task, items, *, num_workers=0):
        yield from map(from_parts(public_parts(task)), items)


def test_a_worker_that_verifies_opens_the_dataset_once(bucket):
    opened = []
    for count in (1, 5):
        path = f"{bucket.url}/{count}"
        ds = penstock.from_arrays({f"t{number}": np.arange(9) for number in range(count)}, path, progress=False)
        bucket.server.asked()
        assert ds.verify(engine=Sent()).ok
        opened.append(sum("_versions" in one["path"] + one["query"] for one in bucket.server.asked()))
    assert opened[0] == opened[1] > 0
