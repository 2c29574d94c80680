"""Ray as an engine: whose it is, who ends it, and what is said when it fails."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time

import pytest

import penstock
from penstock.engines import ProcessEngine, RayEngine, engine_of
from penstock.engines._messages import from_parts, public_parts
from penstock.errors import CredentialsError, EngineError, MissingDependencyError
from penstock.storage import Credentials, Location

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("ray")]


def square(number):
    return number * number


def refused(number):
    raise CredentialsError(f"no {number}", hint="another")


def killed_once(marker):
    """Die without a word, the first time."""
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return marker.name


def killed(_):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(scope="module", params=["processes", "ray"])
def engine(request):
    if request.param == "ray":
        request.getfixturevalue("connected")
        yield RayEngine()
    else:
        with ProcessEngine() as made:
            yield made


def test_results_come_in_the_order_of_the_items(engine):
    assert list(engine.map(square, range(7), num_workers=2)) == [0, 1, 4, 9, 16, 25, 36]


def test_an_error_of_a_task_is_raised_as_it_is(engine):
    with pytest.raises(CredentialsError, match=r"no 0\. Hint: another") as raised:
        list(engine.map(refused, range(3)))
    assert raised.value.hint == "another"


def test_a_task_is_run_again_when_its_worker_was_killed(engine, tmp_path):
    (tmp_path / "b").touch()
    assert list(engine.map(killed_once, [tmp_path / "a", tmp_path / "b"])) == ["a", "b"]


@pytest.mark.exhaustive
def test_a_task_that_kills_every_worker_is_named(connected):
    with pytest.raises(EngineError, match="4 worker processes in a row ended while they ran the task for rows 0 to 9"):
        list(RayEngine().map(killed, [(0, 10)]))


def test_credentials_stay_here():
    sent = public_parts(Credentials({"key": {"aws_secret_access_key": "hush"}}))
    assert b"hush" not in sent[0]
    assert from_parts(sent).find("key") == {}


@pytest.mark.exhaustive
@pytest.mark.parametrize("place", ["folder", "bucket"])
def test_an_import_goes_on_when_a_worker_is_killed(connected, tmp_path, monkeypatch, request, place):
    import pandas as pd

    monkeypatch.setattr("penstock.importers.building._over._FEWEST", 400)
    marker = tmp_path / "killed"

    class Cells(list):
        def __getitem__(self, row):
            if row == 700 and not marker.exists():
                marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return super().__getitem__(row)

    monkeypatch.setattr("penstock.importers.columns._table.read_cells", _with_cells(Cells))
    frame = pd.DataFrame({"age": range(1000)})
    path = str(tmp_path / "ds") if place == "folder" else f"{request.getfixturevalue('bucket').url}/ds"
    ds = penstock.from_table(frame, path, tensors={"age": "age"}, keep=False, progress=False, engine="ray")
    assert marker.exists()
    assert ds.age.numpy().reshape(-1).tolist() == list(range(1000))
    files = Location(path).names("samples.lance/data")
    assert len(files) == 3  # the first 256 rows, then parts of 400: none of the part that died
    assert ds.verify().ok


def _with_cells(kind):
    from dataclasses import replace

    from penstock.importers.columns._cells import read_cells

    def read(*arguments, **options):
        found = read_cells(*arguments, **options)
        return replace(found, samples=kind(found.samples))

    return read


def test_ray_of_the_user_stays_connected(connected):
    with engine_of("ray") as engine:
        assert list(engine.map(square, [3])) == [9]
    assert connected.is_initialized()


def test_another_cluster_than_the_connected_one_is_refused(connected):
    with pytest.raises(EngineError, match=r"Ray is connected to '.*' and not to '203\.0\.113\.7:6379'"):
        list(RayEngine("203.0.113.7:6379").map(square, [3]))


def test_a_connection_of_the_engine_is_closed_by_it(apart):
    import ray

    with RayEngine(apart) as engine:
        with pytest.raises(EngineError, match="cannot be sent to or from a worker"):  # a task would take new workers
            list(engine.map((number for number in ()), [3]))
        assert ray.is_initialized()
    assert not ray.is_initialized()


def test_an_address_where_nobody_answers_is_said_at_once(apart):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    begun = time.monotonic()
    with pytest.raises(EngineError, match=f"^the Ray cluster at '{address}' cannot be reached: connection refused$"):
        list(RayEngine(address).map(square, [3]))
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("address", ["", 7, "head", "head:port", "ray://head:10001"], ids=repr)
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(EngineError, match="Expected 'host:port'"):
        RayEngine(address)


@pytest.mark.parametrize("num_workers", [0, -1, True, 2.0], ids=repr)
def test_a_number_of_workers_that_is_none_is_refused(num_workers):
    with pytest.raises(EngineError, match="Expected 1 or more"):
        RayEngine(num_workers=num_workers)


def test_without_ray_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with (
        pytest.raises(MissingDependencyError, match=r'Hint: pip install "penstock\[ray\]"'),
        engine_of("ray") as engine,
    ):
        list(engine.map(square, [3]))


@pytest.mark.parametrize(("engine", "hint"), [("rays", "'ray'"), (7, ""), (RayEngine, "")], ids=["rays", "7", "class"])
def test_an_engine_that_is_none_is_refused(engine, hint):
    with (
        pytest.raises(EngineError, match=f"Expected 'threads', 'processes', 'ray' or a RayEngine.*{hint}"),
        engine_of(engine),
    ):
        pass
