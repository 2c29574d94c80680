from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

import penstock
from penstock.errors import DatasetExistsError, ImporterError
from penstock.importers import from_arrays
from penstock.importers.building._staging import staged, sweep

MAKE = """
import sys, penstock
from penstock.importers.building._staging import staged
from pathlib import Path
with staged(Path(sys.argv[1])) as staging:
    staging.mkdir()
    (staging / "half").write_text("made")
    print("ready", flush=True)
    sys.stdin.read()
"""


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def importing(tmp_path):
    """Start an import in another process that waits in its midst; give the process."""
    started = []

    def start(name):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        process = subprocess.Popen(
            [sys.executable, "-c", MAKE, str(tmp_path / name)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_what_a_killed_import_left_is_swept_by_the_next_one(importing, tmp_path):
    process = importing("out")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(left_in(tmp_path)) == 2  # the half-made folder and its lock
    from_arrays({"x": [1]}, tmp_path / "other", progress=False)
    assert left_in(tmp_path) == ["other"]


@pytest.mark.slow
def test_an_import_that_still_runs_is_left_alone(importing, tmp_path):
    process = importing("out")
    from_arrays({"x": [1]}, tmp_path / "other", progress=False)
    sweep(tmp_path)
    assert len(left_in(tmp_path)) == 3
    process.communicate()
    assert process.returncode == 0
    assert left_in(tmp_path) == ["other", "out"]


@pytest.mark.slow
def test_an_interrupt_leaves_nothing_half(importing, tmp_path):
    process = importing("out")
    process.send_signal(signal.SIGINT)
    process.wait()
    assert left_in(tmp_path) == []


def test_parts_of_older_versions_without_a_lock_are_swept(tmp_path):
    (tmp_path / ".out.0123abcd.part/samples.lance").mkdir(parents=True)
    (tmp_path / ".out.0123abce.part.lock").touch()
    (tmp_path / ".mine.part").mkdir()
    (tmp_path / ".out.0123abcd.part.txt").touch()
    sweep(tmp_path)
    assert left_in(tmp_path) == [".mine.part", ".out.0123abcd.part.txt"]


def test_of_two_imports_at_once_the_later_is_refused(tmp_path):
    first_is_in, second_is_done = threading.Event(), threading.Event()

    def first():
        with staged(tmp_path / "out") as staging:
            staging.mkdir()
            first_is_in.set()
            second_is_done.wait(60)

    def second():
        first_is_in.wait(60)
        from_arrays({"x": [2]}, tmp_path / "out", progress=False)
        second_is_done.set()

    thread = threading.Thread(target=second)
    thread.start()
    with pytest.raises(DatasetExistsError, match="already exists"):
        first()
    thread.join()
    assert penstock.load(tmp_path / "out").x[0].numpy().tolist() == 2
    assert left_in(tmp_path) == ["out"]


@pytest.mark.parametrize("samples", ["samples.lance", ".new-samples.lance"])
def test_a_dataset_of_which_no_version_was_written_is_made_anew(tmp_path, samples):
    (tmp_path / "out" / samples / "_versions").mkdir(parents=True)
    (tmp_path / "out" / samples / "data").mkdir()
    from_arrays({"x": [1]}, tmp_path / "out", progress=False)
    assert penstock.load(tmp_path / "out").x[0].numpy().tolist() == 1


@pytest.mark.parametrize("name", ["thesis.txt", "samples.lance/_versions/1.manifest"])
def test_what_is_not_half_made_is_left_alone(tmp_path, name):
    (tmp_path / "out/samples.lance/_versions").mkdir(parents=True)
    (tmp_path / "out" / name).write_text("mine")
    with pytest.raises(DatasetExistsError, match="choose another destination"):
        from_arrays({"x": [1]}, tmp_path / "out", progress=False)
    assert (tmp_path / "out" / name).read_text() == "mine"


def test_a_link_that_leads_nowhere_is_left_alone(tmp_path):
    (tmp_path / "out").symlink_to(tmp_path / "gone")
    with pytest.raises(DatasetExistsError, match="is a broken symbolic link"):
        from_arrays({"x": [1]}, tmp_path / "out", progress=False)


def test_an_address_of_a_local_file_is_a_path(tmp_path):
    from_arrays({"x": [1]}, f"file://{tmp_path}/out", progress=False)
    assert left_in(tmp_path) == ["out"]


def test_a_name_that_is_too_long_says_so(tmp_path):
    with pytest.raises(ImporterError, match="cannot be written"):
        from_arrays({"x": [1]}, tmp_path / ("a" * 300), progress=False)
