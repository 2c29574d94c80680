from __future__ import annotations

import http.server
import os
import pickle
import threading
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import cloudpickle
import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of
from penstock.errors import CredentialsError, DatasetError, LinkError, SampleError
from penstock.storage import Credentials, LinkReader, Location
from penstock.tensors import Link, decode_image, encode_image


def _png(value: int) -> bytes:
    return encode_image(np.full((2, 3), value, np.uint8), "png")


class _Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        self.server.seen.append(self.path)
        self.server.authorized.append(self.headers.get("Authorization"))
        parts = urlsplit(self.path)
        head = parts.path.split("/")[1]
        if head == "moved":
            self._answer(302, b"", Location="/image?id=7")
        elif head == "circle":
            self._answer(302, b"", Location="/circle")
        elif head == "private" and not self.headers.get("Authorization"):
            self._answer(403, b"")
        elif head == "tagged":
            known = self.headers.get("If-None-Match") == '"v1"'
            self._answer(304 if known else 200, b"" if known else _png(5), ETag='"v1"')
        elif head.isdigit():
            self._answer(int(head), b"")
        else:
            self._answer(200, _png(int(parse_qs(parts.query).get("id", ["1"])[0])))

    do_PUT = do_GET  # noqa: N815  the name the server looks for

    def _answer(self, status, body, **headers):
        self.server.sent.append(status)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def web():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.seen, server.authorized, server.sent = [], [], []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield server
    server.shutdown()
    server.server_close()


def _fetched(url: str, creds_key: str | None = None, credentials: Credentials | None = None) -> bytes | LinkError:
    return LinkReader([], credentials or Credentials()).fetch([Link(url, creds_key)])[0]


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("/image?id=10&sig=a%2Fb%3D", "/image?id=10&sig=a%2Fb%3D"),
        ("/a%2Fb/c%20d.png?id=2", "/a%2Fb/c%20d.png?id=2"),
        ("/a b.png", "/a%20b.png"),
        ("/ü.png?id=3#part", "/%C3%BC.png?id=3"),
        ("/%C3%BC.png", "/%C3%BC.png"),
        ("/x//y.png?", "/x//y.png"),
        ("/?id=4", "/?id=4"),
        ("/image?X-Amz-Signature=abc&X-Amz-Expires=60", "/image?X-Amz-Signature=abc&X-Amz-Expires=60"),
    ],
)
def test_a_web_link_is_asked_for_as_it_is_written(web, address, asked):
    assert isinstance(_fetched(web.url + address), bytes)
    assert web.seen == [asked]


def test_links_that_differ_in_their_query_are_different_images(web, tmp_path):
    ds = penstock.empty(tmp_path / "set")
    ds.create_tensor("images", htype="link[image]")
    for number in (10, 200):
        ds.append({"images": penstock.link(f"{web.url}/image?id={number}")})
    ds.commit("two")
    assert [int(ds.images[index].numpy()[0, 0, 0]) for index in range(2)] == [10, 200]


@pytest.mark.parametrize(
    ("address", "verify", "asked"),
    [("/image?id=9", True, 2), ("/tagged/x.png", False, 3), ("/image?id=9", False, 3)],
    ids=["digest", "tag", "neither"],
)
def test_a_web_image_is_sent_once_if_something_says_what_it_is(web, tmp_path, address, verify, asked):
    ds = penstock.empty(tmp_path / "set", cache=tmp_path / "cache")
    ds.create_tensor(
        "images", "link[image]", verify=verify, create_shape_tensor=verify, create_sample_info_tensor=verify
    )
    ds.append({"images": penstock.link(web.url + address)})
    ds.flush()
    images = [ds.images[0].numpy()[0, 0, 0] for _ in range(3)]
    assert images == [5 if "tagged" in address else 9] * 3
    assert len(web.seen) == asked
    assert web.sent.count(304) == (2 if "tagged" in address else 0)


def test_redirects_are_followed(web):
    assert decode_image(_fetched(f"{web.url}/moved"))[0, 0, 0] == 7
    assert web.seen == ["/moved", "/image?id=7"]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/404/x.png", "does not exist"),
        ("/410", "does not exist"),
        ("/403", "access was denied"),
        ("/401", "access was denied"),
        ("/400", "returned status 400"),
        ("/circle", "redirects endlessly"),
    ],
)
def test_an_answer_that_is_no_file_is_named_in_words(web, address, words):
    error = _fetched(web.url + address)
    assert isinstance(error, LinkError)
    assert words in str(error)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:1/x.png", "no server is reachable at '127.0.0.1:1'"),
        ("http://no-such-host.invalid/x.png", "no-such-host.invalid"),
        ("ftp://host/x.png", "has scheme 'ftp'"),
        ("http://[::1", "not a valid URL"),
    ],
)
def test_what_cannot_be_reached_is_named_without_the_engines_text(url, words):
    text = str(_fetched(url))
    assert words in text
    for engine in ("Generic", "Debug", "retry", "HTTPConnectionPool", "0x"):
        assert engine not in text


SECRET = [
    "http://user:pw-of-the-test@host/x.png",
    "https://token-of-the-test@host/x.png",
    "s3://AKIA:pw-of-the-test@bucket/x.png",
    "https://host/x.png?id=1&password=pw-of-the-test",
    "https://host/x.png?API_KEY=pw-of-the-test",
    "abfss://box:pw-of-the-test@account.dfs.core.windows.net/x.png",
]


@pytest.mark.parametrize("url", SECRET)
def test_an_address_with_a_password_is_refused_without_repeating_it(url):
    with pytest.raises(LinkError, match=r"contains a password or key.*populate_creds") as caught:
        penstock.link(url)
    assert "of-the-test" not in str(caught.value)


@pytest.mark.parametrize("url", SECRET)
@pytest.mark.parametrize("form", [str, Link])
def test_an_address_with_a_password_is_not_added(url, form, tmp_path):
    ds = penstock.empty(tmp_path / "set")
    ds.create_tensor("images", htype="link[image]", verify=False)
    with pytest.raises(LinkError, match="contains a password or key"):
        ds.append({"images": form(url)})
    assert len(ds) == 0


@pytest.mark.parametrize("url", ["abfss://box@account.dfs.core.windows.net/x.png", "https://host/x.png?token=t&sig=s"])
def test_what_only_looks_like_a_password_is_taken(url):
    assert penstock.link(url).url == url


def test_a_dataset_address_with_a_password_is_refused_without_repeating_it():
    with pytest.raises(DatasetError, match=r"contains a password or key.*AWS_ACCESS_KEY_ID") as caught:
        Location("s3://AKIA:pw-of-the-test@bucket/set")
    assert "of-the-test" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("s3://", "does not name a bucket"),
        ("s3:///x", "does not name a bucket"),
        ("gs:////", "does not name a bucket"),
        ("s3://lake/a#b", "contains '#'"),
        ("s3://lake/a?b", r"contains '\?'"),
        ("s3://lake/a\\b", "contains"),
        ("s3://lake/a\nb", "contains"),
        ("s3://lake//a", "has a folder named ''"),
        ("s3://lake/a/../b", r"has a folder named '\.\.'"),
        ("s3://lake/./a", r"has a folder named '\.'"),
    ],
)
def test_a_dataset_address_that_stores_read_in_different_ways_is_refused(path, words):
    with pytest.raises(DatasetError, match=words):
        Location(path)


@pytest.mark.parametrize(
    ("path", "kept"),
    [("S3://Lake/Sets/", "s3://Lake/Sets"), ("s3://lake", "s3://lake"), ("s3://lake/a b@c/ü%", "s3://lake/a b@c/ü%")],
)
def test_a_dataset_address_keeps_its_names(path, kept):
    assert Location(path).path == kept


@pytest.mark.parametrize("path", ["/tmp/caf\udce9", "/tmp/a\0b", "s3://[::1/x"], ids=["surrogate", "nul", "brackets"])
def test_a_dataset_address_that_nothing_can_be_named_by_is_refused(path):
    with pytest.raises(DatasetError, match="not a valid dataset path"):
        Location(path)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://[::1", "not a valid URL"),
        ("http://host:99999/x", "not a valid URL"),
        ("http://host:x/x", "not a valid URL"),
        ("http://", "does not name a file"),
        ("http:///x", "does not name a file"),
        ("s3://", "does not name a file"),
        ("s3://bucket", "does not name a file"),
        ("s3:///key", "does not name a file"),
        ("ftp://host/x", "has scheme 'ftp'"),
        ("file://host/x.png", "names the host 'host'"),
        ("file:///", "does not name a file"),
        ("http://host/\ud800", "lone surrogate"),
        ("\ud800.png", "lone surrogate"),
        ("a\0b", "a NUL"),
        ("http://host/a\nb", "control character"),
        ("http://host/" + "x" * 10_000, "10,012 characters"),
    ],
    ids=lambda value: ascii(value)[:24],
)
def test_an_address_that_is_none_is_refused_before_it_is_stored(url, words, tmp_path):
    ds = penstock.empty(tmp_path / "set")
    ds.create_tensor("images", htype="link[image]", verify=False, create_shape_tensor=False)
    with pytest.raises(LinkError, match=words):
        ds.append({"images": url})
    assert len(ds) == 0


@pytest.mark.parametrize("value", [b"bytes", 5, "", ["x"]], ids=repr)
def test_a_link_to_what_is_no_text_is_refused(value):
    with pytest.raises(SampleError, match="Expected a path or URL"):
        penstock.link(value)


@pytest.mark.parametrize(
    "spelled",
    [
        lambda path: str(path),
        lambda path: path,
        lambda path: f"file://{path}",
        lambda path: f"file://localhost{path}",
        lambda path: f"file:{path}",
        lambda path: f"FILE://{path}",
        lambda path: f"file://{path}".replace("image", "im%61ge"),
    ],
    ids=["text", "path", "url", "localhost", "one slash", "capitals", "percent"],
)
def test_a_local_file_is_linked_however_it_is_spelled(spelled, tmp_path):
    (tmp_path / "image.png").write_bytes(_png(9))
    ds = penstock.empty(tmp_path / "set")
    ds.create_tensor("images", htype="link[image]")
    ds.append({"images": spelled(tmp_path / "image.png")})
    ds.flush()
    assert penstock.load(ds.path).images[0].numpy()[0, 0, 0] == 9


@pytest.fixture
def file_of_bytes(tmp_path):
    path = os.fsencode(tmp_path) + b"/caf\xe9.png"
    try:
        Path(os.fsdecode(path)).write_bytes(_png(9))
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    return os.fsdecode(path)


def test_a_file_whose_name_is_not_utf8_is_read_again(tmp_path, file_of_bytes):
    ds = penstock.empty(tmp_path / "set")
    ds.create_tensor("images", htype="link[image]")
    ds.append({"images": file_of_bytes})
    ds.commit("one")
    again = penstock.load(ds.path)
    assert again.images[0].numpy()[0, 0, 0] == 9
    assert again.images.links()[0].url.endswith("/caf%E9.png")


@pytest.mark.parametrize("name", ["pipe", ""], ids=["pipe", "folder"])
def test_what_is_not_a_file_is_refused_without_waiting(tmp_path, name):
    os.mkfifo(tmp_path / "pipe")
    error = LinkReader([str(tmp_path.parent), str(tmp_path)], Credentials()).fetch([Link(str(tmp_path / name))])[0]
    assert "a folder or a device" in str(error)


# ---- credentials ---------------------------------------------------------------------------


@pytest.fixture
def store(web, monkeypatch):
    """The web server as an object store that serves whoever signs; without credentials the store asks it for some."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT", web.url)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", f"{web.url}/404")
    return web


KEYS = '{"aws_access_key_id": "AKIA", "aws_secret_access_key": "secret-of-the-test"}'


def test_missing_credentials_are_named_with_their_key(store):
    text = str(_fetched("s3://private/x.png", "mine"))
    assert "no credentials were found under the key 'mine'" in text
    assert "PENSTOCK_CREDS_mine" in text
    assert "http" not in text


def test_link_that_needs_credentials_says_how_to_name_them(store):
    assert "add_creds_key" in str(_fetched("s3://private/x.png"))


@pytest.mark.parametrize("where", ["session", "variable", "environment"])
def test_credentials_that_appear_after_a_failed_read_are_used(store, where, monkeypatch, tmp_path):
    ds = penstock.empty(tmp_path / "set")
    ds.create_tensor(
        "images", htype="link[image]", verify=False, create_shape_tensor=False, create_sample_info_tensor=False
    )
    ds.add_creds_key("mine")
    ds.append({"images": penstock.link("s3://private/x.png", creds_key="mine")})
    with pytest.raises(LinkError, match="no credentials were found"):
        ds.images[0].numpy()
    if where == "session":
        ds.populate_creds("mine", {"aws_access_key_id": "AKIA", "aws_secret_access_key": "secret-of-the-test"})
    elif where == "variable":
        monkeypatch.setenv("PENSTOCK_CREDS_mine", KEYS)
    else:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-test")
    assert ds.images[0].numpy().shape == (2, 3, 1)


def test_named_credentials_open_a_web_link(web):
    credentials = Credentials()
    credentials.populate("mine", {"username": "ann", "password": "secret-of-the-test"})
    assert isinstance(_fetched(f"{web.url}/private/x.png", "mine", credentials), bytes)
    credentials.populate("mine", {"token": "abc"})
    assert isinstance(_fetched(f"{web.url}/private/x.png", "mine", credentials), bytes)
    assert web.authorized[-1] == "Bearer abc"
    error = _fetched(f"{web.url}/private/x.png", "other", credentials)
    assert "access was denied with the credentials of 'other'" in str(error)


def test_an_unknown_entry_of_credentials_is_named(store):
    credentials = Credentials()
    credentials.populate("mine", {"aws_bogus": "secret-of-the-test"})
    text = str(_fetched("s3://private/x.png", "mine", credentials))
    assert "aws_bogus" in text
    assert "Debug" not in text
    assert "secret-of-the-test" not in text


@pytest.mark.parametrize("dumps", [pickle.dumps, cloudpickle.dumps], ids=["pickle", "cloudpickle"])
def test_no_pickle_holds_credentials(dumps, tmp_path):
    ds = penstock.empty(tmp_path / "set")
    ds.create_tensor("labels", htype="class_label")
    ds.extend({"labels": [["a"], ["b"]]})
    ds.add_creds_key("mine")
    ds.commit("two")
    ds.populate_creds("mine", {"aws_secret_access_key": "secret-of-the-test"})
    view = ds.query("select * where labels == 'a'")
    for value in (ds, ds.labels, ds[0], view, content_of(ds).table, content_of(view).table, content_of(ds).credentials):
        content = dumps(value)
        assert b"secret-of-the-test" not in content
        pickle.loads(content)


def test_workers_of_the_loader_are_handed_credentials(web, tmp_path):
    ds = penstock.empty(tmp_path / "set")
    ds.create_tensor("images", htype="link[image]", verify=False)
    ds.add_creds_key("mine")
    ds.populate_creds("mine", {"username": "ann", "password": "secret-of-the-test"})
    ds.extend(
        {"images": [penstock.link(f"{web.url}/private/{index}?id={index}", creds_key="mine") for index in (3, 4)]}
    )
    ds.commit("two")
    loader = ds.dataloader().batch(2).numpy(num_workers=1)
    batch = next(iter(loader))
    assert sorted(int(image[0, 0, 0]) for image in batch["images"]) == [3, 4]


def test_an_unknown_key_is_refused_when_the_link_is_added(tmp_path):
    ds = penstock.empty(tmp_path / "set")
    ds.create_tensor("images", htype="link[image]", verify=False)
    with pytest.raises(CredentialsError, match=r"'mine' is not a credentials key.*add_creds_key"):
        ds.append({"images": penstock.link("s3://bucket/x.png", creds_key="mine")})
