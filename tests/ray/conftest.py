"""A Ray cluster of two workers on this machine, started once."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
_OWN = {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}


_CONNECTED = {"log_to_driver": False, "logging_level": "ERROR"}


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


_ENDS = pytest.StashKey[ExitStack]()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item, nextitem):
    """End the cluster after the last of its tests: it would keep a core busy during all others."""
    if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
        item.config.stash.get(_ENDS, ExitStack()).close()


@pytest.fixture(scope="session")
def cluster(request):
    """Address of a cluster; its ports are given, since Ray waits only 15 s for agents to choose some."""
    ends = request.config.stash[_ENDS] = ExitStack()
    if os.environ.get("PENSTOCK_TEST_RAY"):  # one that runs already: it takes ten seconds to start
        yield os.environ["PENSTOCK_TEST_RAY"]
        return
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # short: Ray's sockets lie below it
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _OWN.items():
            patch.setenv(name, value)
        try:
            process, address = _started(folder)
            ends.callback(_end, process)
            yield address
            ends.close()
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _end(process):
    """End a cluster at once: asked to end, it would wait half a minute for its workers."""
    ours = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    for one in ours:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    process.wait(60)
    psutil.wait_procs(ours[:-1], timeout=60)


def _started(folder):
    # Ray imports jsonschema, which would compile the grammar of this package for two seconds in every process
    Path(folder, "rfc3987_syntax.py").write_text("raise ImportError")
    paths = os.pathsep.join([folder, str(ROOT), os.environ.get("PYTHONPATH", "")])
    for attempt in range(3):
        port, agent, listening, environment, metrics = free_ports(5)
        command = [
            Path(sys.executable).with_name("ray"), "start", "--head", "--block", f"--port={port}", "--num-cpus=2",
            "--include-dashboard=false", f"--dashboard-agent-grpc-port={agent}",
            f"--dashboard-agent-listen-port={listening}", f"--runtime-env-agent-port={environment}",
            f"--metrics-export-port={metrics}", "--object-store-memory=100000000", f"--temp-dir={folder}",
            "--disable-usage-stats", "--node-ip-address=127.0.0.1",
        ]  # fmt: skip
        told = Path(folder, f"told{attempt}")
        with told.open("wb") as output:
            process = subprocess.Popen(
                command, env={**os.environ, "PYTHONPATH": paths}, stdout=output, stderr=subprocess.STDOUT
            )
        while process.poll() is None and b"Ray runtime started" not in told.read_bytes():
            time.sleep(0.1)
        if process.poll() is None:
            return process, f"127.0.0.1:{port}"
    raise RuntimeError(f"Ray did not start: {told.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def connected(cluster, request):
    """Ray, connected by the user."""
    import ray

    ray.init(cluster, **_CONNECTED)
    request.config.stash[_ENDS].callback(ray.shutdown)  # before the cluster ends
    return ray


@pytest.fixture
def apart(cluster):
    """Address of the cluster, to which this process is not connected for the time of the test."""
    import ray

    was_connected = ray.is_initialized()
    ray.shutdown()
    yield cluster
    if was_connected:
        ray.init(cluster, **_CONNECTED)
