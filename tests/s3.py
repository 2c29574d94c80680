"""A bucket on a local S3 server, and what the server was asked for."""

from __future__ import annotations

import itertools
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SECRET = "secret-of-the-test"


class Server:
    """A running server.

    Parameters
    ----------
    endpoint : str
        Its address.
    """

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._number = itertools.count()

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to know to use it."""
        return {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": _SECRET,
            "AWS_ENDPOINT": self.endpoint,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    @property
    def keys(self) -> dict[str, str]:
        """Credentials for it, as `populate_creds` takes them."""
        return {
            "aws_access_key_id": "test",
            "aws_secret_access_key": _SECRET,
            "endpoint_url": self.endpoint,
            "region": "us-east-1",
        }

    def new_bucket(self, name: str | None = None) -> Bucket:
        """Make a bucket, by default one that nothing else uses."""
        name = name or f"lake-{os.getpid()}-{next(self._number)}"
        urllib.request.urlopen(urllib.request.Request(f"{self.endpoint}/{name}", method="PUT"), timeout=10).close()
        return Bucket(self, name)

    def asked(self) -> list[dict[str, Any]]:
        """Return the requests since this was called before, each with method, path, query, status and bytes."""
        return self._control("reset")

    def held(self) -> int:
        """Return the number of requests that a rule delays at this moment."""
        return int(self._control("held"))

    def set_rules(self, *rules: dict[str, Any]) -> None:
        """Delay or refuse requests from now on; see `tests.s3_server`."""
        self._control("rules", json.dumps(rules).encode())

    def _control(self, what: str, body: bytes | None = None) -> Any:
        with urllib.request.urlopen(f"{self.endpoint}/-control/{what}", body, timeout=30) as answer:
            return json.loads(answer.read())


class Bucket:
    """A bucket.

    Parameters
    ----------
    server : Server
        Where it is.
    name : str
        Its name.
    """

    def __init__(self, server: Server, name: str) -> None:
        from obstore.store import S3Store

        self.server = server
        self.url = f"s3://{name}"
        options: dict[str, Any] = {"allow_http": True}
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": _SECRET, "region": "us-east-1"}
        self._store = S3Store(name, endpoint=server.endpoint, client_options=options, config=keys)

    def put(self, key: str, content: bytes) -> None:
        """Write an object."""
        self._store.put(key, content)

    def get(self, key: str) -> bytes:
        """Return an object."""
        return bytes(self._store.get(key).bytes())

    def delete(self, key: str) -> None:
        """Delete an object."""
        self._store.delete(key)

    def names(self, prefix: str = "") -> list[str]:
        """Return the keys of all objects, sorted."""
        return sorted(str(entry["path"]) for batch in self._store.list(prefix or None) for entry in batch)


@contextmanager
def running_server() -> Iterator[Server]:
    """Start a server in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = Path(__file__).with_name("s3_server.py")
    process = subprocess.Popen([sys.executable, str(script), str(port)], stderr=subprocess.DEVNULL)
    try:
        server = Server(f"http://127.0.0.1:{port}")
        _wait_for(server)
        yield server
    finally:
        process.kill()
        process.wait(10)


def _wait_for(server: Server) -> None:
    for _ in range(600):
        try:
            server.asked()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(server.endpoint)
