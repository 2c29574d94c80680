"""A Ray cluster of two workers on this machine, started once."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_OWN = {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


@pytest.fixture(scope="session")
def cluster():
    """Address of a cluster; its ports are given, since Ray waits only 15 s for agents that choose their own."""
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # short: Ray's sockets lie below it
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _OWN.items():
            patch.setenv(name, value)
        try:
            process, address = _started(folder)
            yield address
            process.terminate()
            process.wait(60)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _started(folder):
    for _ in range(3):
        port, agent, listening, environment, metrics = free_ports(5)
        command = [
            Path(sys.executable).with_name("ray"), "start", "--head", "--block", f"--port={port}", "--num-cpus=2",
            "--include-dashboard=false", f"--dashboard-agent-grpc-port={agent}",
            f"--dashboard-agent-listen-port={listening}", f"--runtime-env-agent-port={environment}",
            f"--metrics-export-port={metrics}", "--object-store-memory=100000000", f"--temp-dir={folder}",
            "--disable-usage-stats", "--node-ip-address=127.0.0.1",
        ]  # fmt: skip
        # Ray imports jsonschema, which would compile the grammar of this package for two seconds in every process
        Path(folder, "rfc3987_syntax.py").write_text("raise ImportError")
        paths = os.pathsep.join([folder, str(ROOT), os.environ.get("PYTHONPATH", "")])
        process = subprocess.Popen(
            command, env={**os.environ, "PYTHONPATH": paths}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        if _has_workers(process, f"127.0.0.1:{port}"):
            return process, f"127.0.0.1:{port}"
        process.terminate()
        process.wait(60)
    raise RuntimeError("Ray did not start in three tries")


def _has_workers(process, address):
    """Wait until the cluster runs tasks, or has failed."""
    import ray

    host, port = address.split(":")
    for _ in range(600):
        if process.poll() is not None:
            return False
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
            break
        except OSError:
            time.sleep(0.1)
    try:
        ray.init(address, log_to_driver=False, logging_level="ERROR")
        return ray.get(ray.remote(abs).remote(-1), timeout=60) == 1
    except Exception:  # noqa: BLE001  whatever Ray raises when it has not started
        return False
    finally:
        ray.shutdown()


@pytest.fixture
def connected(cluster):
    """Ray, connected by the user."""
    import ray

    if not ray.is_initialized():
        ray.init(cluster, log_to_driver=False, logging_level="ERROR")
    yield ray
    assert ray.is_initialized()  # no engine ends what it did not begin


@pytest.fixture
def apart(cluster):
    """Address of a cluster this process is not connected to."""
    import ray

    ray.shutdown()
    return cluster
