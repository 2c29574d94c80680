"""A Ray cluster of two workers on this machine, started once."""

from __future__ import annotations

import json
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
CREDS_KEY = "of_the_store"  # its credentials are in the environment of the workers
_OWN = {
    "RAY_AUTH_MODE": "disabled",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_worker_register_timeout_seconds": "280",  # after the usual 60 s the first connection would wait for ever
    "RAY_raylet_start_wait_time_s": "30",  # it ends itself where its agents take 15 s, and is then started again
}


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


def pytest_collection_modifyitems(items):
    """Let tests that disconnect come last: the workers of a connection end with it, and others take seconds."""
    places = [place for place, item in enumerate(items) if Path(__file__).parent in item.path.parents]
    ordered = sorted((items[place] for place in places), key=lambda item: "apart" in item.fixturenames)
    for place, item in zip(places, ordered, strict=True):
        items[place] = item


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item, nextitem):
    """End the cluster after the last of its tests: it would keep a core busy during all others."""
    if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
        item.config.stash.get(_ENDS, ExitStack()).close()


@pytest.fixture(scope="session")
def cluster(request, object_store):
    """Address of a cluster whose workers may use the object store."""
    ends = request.config.stash[_ENDS] = ExitStack()
    if os.environ.get("PENSTOCK_TEST_RAY"):  # one that runs already: it takes ten seconds to start
        yield os.environ["PENSTOCK_TEST_RAY"]
        return
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # short: Ray's sockets lie below it
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _OWN.items():
            patch.setenv(name, value)
        try:
            keys = {f"PENSTOCK_CREDS_{CREDS_KEY}": json.dumps(object_store.keys)}
            process, address = _started(folder, {**object_store.environment, **keys})
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


def _tell_ports(folder, environments):
    """Write the ports of a node's agents where it waits for them to: it ends if they take 15 s to start."""
    for file in Path(folder).glob("session_2*/gcs_server_port_*"):  # written before the node starts
        node = file.name.rpartition("_")[2]
        for name in ("dashboard_agent_listen_port", "metrics_agent_port", "metrics_export_port"):
            _write_once(file.with_name(f"{name}_{node}"), "-1")  # none
        _write_once(file.with_name(f"runtime_env_agent_port_{node}"), str(environments))


def _write_once(file, text):
    if not file.exists():
        file.with_suffix(".part").write_text(text)
        file.with_suffix(".part").rename(file)


def _started(folder, environment):
    # Ray imports jsonschema, which would compile the grammar of this package for two seconds in every process
    Path(folder, "rfc3987_syntax.py").write_text("raise ImportError")
    paths = os.pathsep.join([folder, str(ROOT), os.environ.get("PYTHONPATH", "")])
    for attempt in range(5):
        port, agent, listening, environments, metrics = free_ports(5)
        command = [
            Path(sys.executable).with_name("ray"), "start", "--head", "--block", f"--port={port}", "--num-cpus=2",
            "--include-dashboard=false", f"--dashboard-agent-grpc-port={agent}",
            f"--dashboard-agent-listen-port={listening}", f"--runtime-env-agent-port={environments}",
            f"--metrics-export-port={metrics}", "--object-store-memory=100000000", f"--temp-dir={folder}",
            "--disable-usage-stats", "--node-ip-address=127.0.0.1", "--no-monitor", "--include-log-monitor=false",
        ]  # fmt: skip
        told = Path(folder, f"told{attempt}")
        with told.open("wb") as output:
            process = subprocess.Popen(
                command,
                env={**os.environ, **environment, "PYTHONPATH": paths},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        while process.poll() is None and b"Ray runtime started" not in told.read_bytes():
            _tell_ports(folder, environments)
            time.sleep(0.1)
        if process.poll() is None:
            return process, f"127.0.0.1:{port}"
    raise RuntimeError(f"Ray did not start: {told.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def connected(cluster, request):
    """Ray, connected by an engine that was told the address."""
    import ray

    from penstock.engines import RayEngine

    engine = RayEngine(cluster)
    assert list(engine.map(abs, [-1])) == [1]
    request.config.stash[_ENDS].callback(engine.close)  # before the cluster ends
    return ray


@pytest.fixture
def apart(cluster):
    """Address of the cluster, to which this process is no longer connected."""
    import ray

    ray.shutdown()
    return cluster
