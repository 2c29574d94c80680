"""Standard datasets on the command line, with small files in MNIST's format on loopback."""

from __future__ import annotations

import pytest

import penstock
from penstock.batchup.datasets import mnist
from penstock.cli import main
from tests.batchup.datasets import published


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "home"


@pytest.fixture
def small_mnist(monkeypatch):
    contents = published.mnist_files()
    with published.served(published.at_root(contents)) as (address, asked):
        monkeypatch.setattr(mnist.MNIST, "files", published.small(mnist.MNIST, contents, address).files)
        yield asked


def test_import_makes_a_standard_dataset(small_mnist, tmp_path, capsys):
    assert main(["import", "standard", "mnist", str(tmp_path / "out")]) == 0
    ds = penstock.load(tmp_path / "out")
    assert capsys.readouterr().out == f"{len(ds)} samples in {tmp_path / 'out'}\n"
    assert list(ds.tensors) == ["images", "labels", "subset"]
    assert len(small_mnist) == 4


def test_import_without_a_destination_keeps_it_in_the_data_folder(small_mnist, home, capsys):
    for _ in range(2):
        assert main(["import", "standard", "MNIST"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == second
    assert str(home / "data" / "mnist") in first
    assert len(small_mnist) == 4


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(["minst"], "did you mean 'mnist'?"), (["mnist", "--extra"], "no extra samples"), (["mnist", "."], "already")],
    ids=["name", "extra", "destination"],
)
def test_what_cannot_be_imported_is_one_line(arguments, told, home, capsys):
    assert main(["import", "standard", *arguments]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert told in printed.err
    assert len(printed.err.splitlines()) == 1
    assert not home.exists()
