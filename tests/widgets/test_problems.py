"""Images that cannot be shown: a kind and a sentence for each, whatever the reason, and none of an engine's words."""

from __future__ import annotations

import http.server
import threading
from pathlib import Path

import numpy as np
import pytest

import penstock
from penstock.errors import ImageDecodeError, LinkError, StorageError
from penstock.tensors import encode_image
from penstock.widgets.operations.images._thumbnails import THUMBNAILS
from penstock.widgets.requests._failures import in_short, problem_of
from tests.widgets.conftest import FrontEnd, RpcError

PNG = encode_image(np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8), "png")
RAW = ("Lance", ".rs", "panick", "unwrap", "Traceback", "::", "urllib3", "HTTPConnection", "Errno")


class _Statuses(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        status = int(self.path.split("/")[1]) if self.server.broken else 200
        body = (b"<html>no image</html>" if self.server.broken else PNG) if status == 200 else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def serve():
    """Start servers whose images are good until they are `broken`."""
    servers = []

    def start():
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Statuses)
        server.broken = False
        server.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def opened(folder, links):
    ds = penstock.empty(folder)
    ds.create_tensor("images", htype="link[image]")
    ds.extend({"images": [penstock.link(link) for link in links]})
    ds.commit("links")
    return FrontEnd(penstock.explore(ds))


def test_each_tile_says_what_kind_of_problem_it_has(tmp_path, serve):
    server, gone = serve(), serve()
    links = [f"{server.url}/{status}/a.png" for status in (403, 404, 500, 200)] + [f"{gone.url}/200/a.png"]
    front = opened(tmp_path / "links", links)
    server.broken = True
    gone.shutdown()
    gone.server_close()
    THUMBNAILS.clear()
    tiles = front.ask("grid.page", start=0, stop=5, size=64)[0]["tiles"]
    assert [tile["problem"] for tile in tiles] == ["refused", "missing", "unreachable", "damaged", "unreachable"]
    assert not any(word in tile["error"] for tile in tiles for word in RAW)
    detail = front.ask("sample.get", position=0)[0]["sample"]
    assert "access was denied" in detail["error"]


@pytest.mark.parametrize("damage", ["missing", "truncated", "overwritten"])
def test_a_damaged_file_of_the_dataset_is_a_problem_of_its_tiles(tmp_path, damage):
    ds = penstock.empty(tmp_path / "set")
    ds.create_tensor("images", htype="image", sample_compression="png")
    ds.extend({"images": [np.full((9, 9, 3), i, np.uint8) for i in range(4)]})
    ds.commit("images")
    front = FrontEnd(penstock.explore(penstock.load(ds.path)))
    for file in Path(ds.path).glob("samples.lance/data/*"):
        content = file.read_bytes()
        if damage == "missing":
            file.unlink()
        else:
            file.write_bytes(content[:100] if damage == "truncated" else b"x" * len(content))
    try:
        said = [tile["error"] or "" for tile in front.ask("grid.page", start=0, stop=4, size=64)[0]["tiles"]]
    except RpcError as error:
        said = [str(error)]
    assert not any(word in one for one in said for word in RAW)


def test_a_truncated_image_and_a_missing_one(tmp_path):
    files = [tmp_path / "cut.png", tmp_path / "gone.png"]
    for file in files:
        file.write_bytes(PNG)
    front = opened(tmp_path / "set", [str(file) for file in files])
    files[0].write_bytes(PNG[:60])
    files[1].unlink()
    tiles = front.ask("grid.page", start=0, stop=2, size=64)[0]["tiles"]
    assert [tile["problem"] for tile in tiles] == ["damaged", "missing"]


@pytest.mark.parametrize(
    ("error", "problem", "said"),
    [
        (ImageDecodeError("the image cannot be decoded"), "damaged", "the image cannot be decoded"),
        (LinkError("the linked file 'a' cannot be read: access was denied"), "refused", None),
        (LinkError("the linked file 'a' cannot be read: 'h' does not respond"), "unreachable", None),
        (StorageError("cannot read images: the storage is not reachable"), "unreachable", None),
        (StorageError("cannot read images: a file of the dataset is damaged"), "damaged", None),
        (MemoryError(), "other", "there is not enough memory"),
        (OSError(24, "Too many open files"), "other", "too many open files"),
        (
            RuntimeError("LanceError(IO): x.rs:1"),
            "other",
            "penstock failed (RuntimeError); the log of the kernel has the details",
        ),
    ],
)
def test_an_error_is_a_kind_and_a_sentence(error, problem, said):
    assert problem_of(error) == problem
    assert in_short(error) == (said or error.message)
