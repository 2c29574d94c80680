"""What data may hold never reaches a terminal as a command, and no traceback reaches anybody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

import penstock
from penstock._wording import escaped
from penstock.cli import main
from penstock.dataset import Log, Report
from penstock.dataset.shown._report import Problem
from penstock.errors import PenstockError, QuerySyntaxError, TensorNotFoundError
from penstock.importers import ImportReport

HOSTILE = {
    "escape": "\x1b[2J",
    "title": "\x1b]0;owned\x07",
    "clipboard": "\x1b]52;c;ZXZpbA==\x07",
    "newline": "a\nb",
    "carriage return": "a\rb",
    "nul": "a\x00b",
    "c1": "\x9b31m",
    "delete": "\x7f",
    "bidi": "a\u202eb",
    "isolate": "a\u2066b",
    "line separator": "a\u2028b",
    "no width": "a\u200bb",
    "surrogate": "a\udc80b",
}
COMMANDS = {chr(code) for code in [*range(9), *range(11, 32), *range(127, 160), *range(0x202A, 0x202F), 0x2066, 0x2028]}


def is_safe(text: str) -> bool:
    return not COMMANDS & set(text)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_escaped_text_is_printable(text):
    assert escaped(text).isprintable()


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_escaped_text_shows_the_code(text):
    assert "\\" in escaped(text)


@pytest.mark.parametrize("text", ["cat", "Katze süß", "猫", "👩\u200d👧", "a b", "x\\n", "é"])
def test_harmless_text_stays_as_it_is(text):
    assert escaped(text) == text


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    ds = penstock.empty(tmp_path_factory.mktemp("hostile") / "ds")
    ds.create_tensor("labels", htype="class_label")
    ds.create_tensor("both", htype="class_label")
    ds.create_tensor("note", htype="text")
    ds.create_tensor("meta", htype="json")
    evil = [text for name, text in HOSTILE.items() if name != "surrogate"]
    ds.extend(
        {
            "labels": [[text] for text in evil],
            "both": [[text, "x"] for text in evil],
            "note": evil,
            "meta": [{text: [text]} for text in evil],
        }
    )
    ds.commit("fine\x1b]52;c;ZXZpbA==\x07\nffffffffffffffffffffffff  2020-01-01 00:00:00  root  forged")
    ds.query("select * limit 1").save_view("a\x1b[2Jb\nc", id="v")
    ds.labels.rename_class("\x1b[2J", "\x1b[3J")
    return ds


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("log",),
        ("verify",),
        ("query", "select *"),
        ("query", "select note || '\x1b[2J' as n, labels"),
        ("query", 'select note as "a\x1b[2J\nb"'),
        ("query", "select * where contains(labels, 'x')"),
        ("query", "select * where note = '\x1b]0;a\x07' and"),
        ("query", "select * where \x1b[2J"),
        ("query", "select labels, count(*) as n group by labels[0]"),
    ],
    ids=lambda arguments: " ".join(arguments)[:30].encode("unicode_escape").decode(),
)
def test_commands_print_data_as_text(hostile, capsys, arguments):
    _, out, err = run(capsys, arguments[0], hostile.path, *arguments[1:])
    assert is_safe(out + err)
    assert "Traceback" not in err


def test_a_message_cannot_forge_a_line_of_the_log(hostile, capsys):
    _, out, _ = run(capsys, "log", hostile.path)
    assert len(out.splitlines()) == 2 + len(hostile.log())


def test_a_path_of_a_wrong_command_is_printed_as_text(tmp_path, capsys):
    status, out, err = run(capsys, "log", tmp_path / "no\x1b[2J\nne")
    assert (status, out, len(err.splitlines())) == (1, "", 1)
    assert is_safe(err)


def test_a_wrong_argument_is_printed_as_text(capsys):
    with pytest.raises(SystemExit):
        main(["log", "a", "b\x1b[2J"])
    assert is_safe(capsys.readouterr().err)


def test_what_python_shows_of_a_dataset_is_text(hostile, capsys):
    ds = hostile
    hostile.summary()
    shown = [repr(each) for each in (ds, ds[:2], ds[0], ds.labels, ds.labels.info, ds.log(), ds.diff(), ds.get_views())]
    shown += [each._repr_html_() for each in (ds, ds.log(), ds.diff(), ds.get_views())]
    shown += [str(ds.explain("select * where note = 'a\x1b[2J'")), capsys.readouterr().out]
    assert all(is_safe(text) for text in shown)
    assert len(repr(ds.log()).splitlines()) == 2 + len(ds.log())


SHOWN = {
    "report": lambda text: repr(Report(problems=(Problem(tensor=text, row=1, reason=text),), num_samples=2)),
    "import report": lambda text: str(ImportReport(source=text, num_samples=1)),
    "missing tensor": lambda text: str(TensorNotFoundError(text, [text, "a"])),
    "hint": lambda text: str(PenstockError(text, hint=text)),
    "query": lambda text: str(QuerySyntaxError(text, text=text, start=1, end=2)),
    "log": lambda _: repr(Log([])),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("show", SHOWN.values(), ids=SHOWN)
def test_what_shows_text_of_others_is_safe_to_print(show, text):
    assert is_safe(show(text))


def test_the_caret_stands_under_what_is_shown_of_the_text():
    line, caret = str(QuerySyntaxError("no", text="a\x1bb oops", start=4, end=8)).splitlines()[-2:]
    assert line == "  a\\x1bb oops"
    assert caret == "         ^^^^"


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


@pytest.mark.parametrize(
    ("tail", "status"),
    [("| head -n 1", 0), (">&-", 0), ("> /dev/full", 1), ("2>&-", 0)],
    ids=["closed pipe", "no output", "disk full", "no errors"],
)
def test_output_that_cannot_be_written_is_no_traceback(hostile, tail, status):
    done = shell(f'"{sys.executable}" -m penstock.cli log "{hostile.path}" {tail}')
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert done.returncode == status


def test_a_terminal_of_ascii_gets_escapes(hostile):
    done = shell(f'"{sys.executable}" -m penstock.cli log "{hostile.path}"', PYTHONIOENCODING="ascii", LC_ALL="C")
    assert done.returncode == 0
    assert "\\u2500" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("query", "PATH", "select *", "--rows", "-1"),
        ("query", "PATH", "select *", "--rows", "x"),
        ("query", "PATH", "select *", "--rows", "1e9"),
        ("explore", "--port", "-5"),
        ("import", "folder", "a", "b", "--num-workers", "-2"),
        ("import", "nothing"),
        ("--rows",),
    ],
    ids=" ".join,
)
def test_wrong_arguments_are_explained_with_status_2(capsys, arguments):
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert ended.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("command", ["log", "verify", "query"])
@pytest.mark.parametrize("kind", ["missing", "file", "empty folder", "broken", "nul", "long", "slash", "not utf-8"])
def test_a_path_that_is_no_dataset_is_one_line(tmp_path, capsys, command, kind):
    paths = {
        "missing": tmp_path / "none", "file": tmp_path / "file", "empty folder": tmp_path / "empty",
        "broken": tmp_path / "broken", "nul": "a\0b", "long": "x" * 5000, "slash": "/", "not utf-8": b"\xff\xfe".decode(
            "utf-8", "surrogateescape"
        ),
    }  # fmt: skip
    (tmp_path / "file").write_text("no dataset")
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken" / "samples.lance" / "_versions").mkdir(parents=True)
    (tmp_path / "broken" / "samples.lance" / "_versions" / "1.manifest").write_bytes(b"garbage")
    status, out, err = run(capsys, command, paths[kind], *(["select *"] if command == "query" else []))
    assert (status, out, len(err.splitlines())) == (1, "", 1)
    assert "internal error" not in err


def test_an_interrupt_ends_without_traceback(hostile, tmp_path):
    code = (
        "import signal, sys, time, penstock.cli._commands as commands\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from penstock.cli import main\n"
        "def wait(options):\n"
        "    print('waiting', flush=True)\n"
        "    time.sleep(60)\n"
        "commands.log = wait\n"
        f"sys.exit(main(['log', {str(hostile.path)!r}]))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (130, "penstock: interrupted\n")


def test_an_unforeseen_error_is_one_line(hostile, capsys, monkeypatch):
    def fail(_options):
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr("penstock.cli._commands.log", fail)
    status, _, err = run(capsys, "log", hostile.path)
    assert status == 1
    assert err == (
        "penstock: internal error, please report it together with the command: ZeroDivisionError: division by zero\n"
    )
