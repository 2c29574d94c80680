"""Where data is kept: environment variables, configuration files, the user's cache."""

from __future__ import annotations

import os

import pytest
from platformdirs import user_cache_dir

from penstock.batchup import config
from penstock.errors import ImporterError


@pytest.fixture(autouse=True)
def user(tmp_path, monkeypatch):
    """Home folder of a user without any setting."""
    for name in ("PENSTOCK_HOME", "BATCHUP_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    return tmp_path


def test_data_is_in_the_cache_of_the_user_when_nothing_is_set():
    assert config.get_batchup_path() == user_cache_dir("penstock")


def test_settings_come_in_their_order(user, monkeypatch):
    monkeypatch.setenv("BATCHUP_HOME", "/four")
    assert config.get_batchup_path() == "/four"
    (user / ".batchup.cfg").write_text("[paths]\ndata_dir = /three\n")
    assert config.get_batchup_path() == "/three"
    (user / ".penstock.cfg").write_text("[paths]\ndata_dir = /two\n")
    assert config.get_batchup_path() == "/two"
    monkeypatch.setenv("PENSTOCK_HOME", "/one")
    assert config.get_batchup_path() == "/one"
    assert config.get_data_dir() == "/one/data"
    assert config.get_data_path("mnist") == "/one/data/mnist"
    assert config.get_data_path("/elsewhere/mnist") == "/elsewhere/mnist"


@pytest.mark.parametrize("text", ["", "[paths]\n", "[paths]\ndata_dir =\n", "[other]\ndata_dir = /x\n"])
def test_file_without_the_setting_is_passed_over(text, user, monkeypatch):
    monkeypatch.setenv("BATCHUP_HOME", "/four")
    (user / ".batchup.cfg").write_text(text)
    assert config.get_batchup_path() == "/four"


@pytest.mark.parametrize("value", ["~/big", "big", "./big"])
def test_path_in_a_file_starts_at_its_folder(value, user):
    (user / ".batchup.cfg").write_text(f"\ufeff[paths]\r\ndata_dir: {value}\r\n", "utf-8")
    assert config.get_batchup_path() == str(user / "big")


def test_home_folder_in_a_variable_is_expanded(user, monkeypatch):
    monkeypatch.setenv("PENSTOCK_HOME", "~/100% of it")
    assert config.get_batchup_path() == str(user / "100% of it")


@pytest.mark.parametrize("content", [b"data_dir = /x\n", b"[paths\n", b"\xff\xfe\x00", b"[paths]\n[paths]\n"])
def test_damaged_file_is_named(content, user):
    (user / ".penstock.cfg").write_bytes(content)
    with pytest.raises(ImporterError, match=r"\.penstock\.cfg'"):
        config.get_data_dir()


def test_nothing_is_made_by_asking(user):
    config.get_data_path("mnist")
    assert list(user.iterdir()) == []


@pytest.mark.parametrize("value", ["/" + "a" * 300, "a\0b"], ids=["too long", "null"])
def test_path_that_no_system_takes_is_refused(value, user):
    (user / ".penstock.cfg").write_text(f"[paths]\ndata_dir = {value}\n")
    with pytest.raises(ImporterError, match="data path"):
        config.get_batchup_path()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_pipe_in_place_of_a_file_is_refused_rather_than_waited_for(user):
    os.mkfifo(user / ".batchup.cfg")
    with pytest.raises(ImporterError, match="not a file"):
        config.get_batchup_path()


@pytest.mark.parametrize(
    "name", [None, 3, b"x", object(), "a\0b"], ids=["None", "a number", "bytes", "an object", "NUL"]
)
def test_name_of_a_file_is_text_or_a_path(name):
    with pytest.raises(ImporterError, match="filename"):
        config.get_data_path(name)
