"""Whatever goes wrong is one line on stderr and an exit code, never somebody else's traceback."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer

from distill.cli import boundary
from distill.cli.app import _invoke, app
from distill.cli.boundary import first_line, judge, refuse_empty_words, run
from distill.errors import CodesError, NonFiniteError
from distill.training import TrainingResult


def raising(error: BaseException) -> Callable[[], None]:
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (CodesError("a.npz: no such file"), 2, "distill: a.npz: no such file\n"),
        (NonFiniteError("the loss is NaN"), 3, "distill: the loss is NaN\n"),
        (
            PermissionError(13, "Permission denied", "/root/take.wav"), 2,
            "distill: /root/take.wav: Permission denied\n",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"), 2,
            "distill: cannot write what it has to say: No space left on device\n",
        ),
        (
            OSError(errno.EXDEV, "Invalid cross-device link", "a\nb", None, "c"), 2,
            "distill: a\\nb: c: Invalid cross-device link\n",
        ),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 141, ""),
        (KeyboardInterrupt(), 130, "distill: interrupted\n"),
        (typer.Abort(), 130, "distill: interrupted\n"),
        (typer.Exit(4), 4, ""),
        (MemoryError(), 2, "distill: the memory of this machine is not enough for this\n"),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), 2,
            "distill: the memory of this machine is not enough for this\n",
        ),
        (
            UnicodeEncodeError("latin-1", "音", 0, 1, "ordinal not in range"), 2,
            "distill: a name or text that the language settings of this system lack: 'latin-1' "
            "codec can't encode character '\\u97f3' in position 0: ordinal not in range\n",
        ),
    ],
)  # fmt: skip
def test_an_error_is_a_line_and_a_code(
    error: BaseException, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(raising(error)) == code
    assert capsys.readouterr() == ("", words)


def test_a_fault_of_ours_is_one_line_that_says_how_to_see_more(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    error = KeyError("einx generated code:\n  def op0(i0):\n    x1 = ...")
    assert run(raising(error)) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("distill: a fault of distill itself, please report it: KeyError: ")
    assert "(test_boundary.py, line " in line
    assert line.endswith("with DISTILL_DEBUG=1 in the environment the same command shows all of it")
    monkeypatch.setenv("DISTILL_DEBUG", "1")
    with pytest.raises(KeyError):
        run(raising(error))


def test_a_working_folder_that_is_gone_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> Path:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(boundary.Path, "cwd", gone)
    words, code = judge(FileNotFoundError(2, "No such file or directory"))
    assert (words, code) == (
        "the folder that this was started in is gone; change to another one", 2,
    )  # fmt: skip


def test_only_the_first_line_of_others_is_shown() -> None:
    assert first_line(ValueError("one\ntwo")) == "one"
    assert first_line(ValueError("x" * 1000)) == "x" * 200
    assert first_line(ValueError()) == ""


def process(
    *arguments: object, code: str = "", **options: object
) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, *(["-c", code] if code else ["-m", "distill.cli"])]
    return subprocess.run(
        [*command, *map(os.fsencode, map(str, arguments))], capture_output=True, timeout=200,
        **options,  # type: ignore[call-overload]
    )  # fmt: skip


def test_nobody_reads_what_it_prints() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "distill.cli", "--help"], stdout=writing, stderr=subprocess.PIPE
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_what_it_prints_goes_to_a_full_disk() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "distill.cli", "--help"], stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 2
    assert done.stderr == (b"distill: cannot write what it has to say: No space left on device\n")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no /proc on this system")
@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)], ids=str)
def test_no_file_takes_the_place_of_a_stream_that_is_closed(
    closed: tuple[int, ...], tmp_path: Path
) -> None:
    """What a library prints would land in it, be it a sound, a lock or a log."""
    code = (
        f"import os\nfor number in {closed}: os.close(number)\n"
        "from distill.cli.boundary import run\n"
        "def command():\n"
        "    opened = open('written', 'wb')\n"
        "    for number in (1, 2): os.write(number, b'of a library')\n"
        "    opened.write(b'ours'); opened.close()\n"
        "raise SystemExit(run(command))"
    )
    assert process(code=code, cwd=tmp_path).returncode == 0
    assert (tmp_path / "written").read_bytes() == b"ours"


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["encode", "m.distill", ""], "word 3 of the command"),
        (["encode", "", "kick.wav"], "word 2 of the command"),
        (["train", "sounds", "--out", ""], "--out"),
        (["train", "sounds", "--out="], "--out="),
        (["generate", "m.distill", "--class", "drums", "--loudness="], "--loudness="),
        (["runs", ""], "word 2 of the command"),
        (["stop", "--", ""], "--"),
    ],
)
def test_a_variable_that_is_not_set_is_no_folder(
    words: list[str], named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["distill", *words])
    assert run(_invoke) == 2
    said = f"distill: {named}: empty, a variable that is not set? Give a value\n"
    assert capsys.readouterr() == ("", said)
    assert not list(tmp_path.iterdir())


def test_values_may_end_as_they_like() -> None:
    refuse_empty_words(["train", "a=", "--out=take=", "--name", "b==", "--=", "="])


def test_a_terminal_of_another_language(trained: TrainingResult, tmp_path: Path) -> None:
    """ASCII, where no umlaut exists: texts are escaped, JSON stays JSON."""
    runs = tmp_path / "Läufe"
    (runs / "größe 音").mkdir(parents=True)
    (runs / "größe 音" / "run.json").write_text("{}")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = process("runs", runs, env=environment)
    assert done.returncode == 0, done.stderr
    assert b"gr\\xf6\\xdfe \\u97f3" in done.stdout
    done = process("runs", runs, "--json", env=environment)
    assert json.loads(done.stdout)[0]["name"] == "größe 音"
    done = process("info", tmp_path / "fehlt ö", env=environment)
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)


def test_names_that_are_no_utf8_are_said(tmp_path: Path) -> None:
    name = os.fsdecode(b"Caf\xe9\x1b[31m.distill")
    (tmp_path / name).write_bytes(b"no model")
    done = process("info", tmp_path / name)
    assert done.returncode == 2
    assert b"Caf\\xe9\\x1b[31m.distill" in done.stderr and b"\x1b" not in done.stderr


def test_the_folder_it_was_started_in_is_gone(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    code = (
        "import os, sys; os.rmdir(os.getcwd()); from distill.cli.app import main; "
        "sys.argv = ['distill', 'encode', 'm.distill', 'kick.wav']; main()"
    )
    done = process(code=code, cwd=tmp_path / "gone")
    assert done.returncode == 2
    expected = b"distill: the folder that this was started in is gone; change to another one\n"
    assert done.stderr == expected


def test_ctrl_c_outside_training(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "signal")
    code = (
        "import sys, time; from distill.cli import app; "
        f"app.json.dumps = lambda *a, **k: (open({str(tmp_path / 'signal')!r}, 'w').close(), "
        f"time.sleep(60)); sys.argv = ['distill', 'runs', {str(tmp_path)!r}, '--json']; app.main()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as started:
        (tmp_path / "signal").read_bytes()  # it is where it waits
        started.send_signal(signal.SIGINT)
        out, err = started.communicate(timeout=60)
    assert (started.returncode, out, err) == (130, b"", b"distill: interrupted\n")


@pytest.mark.parametrize(("reason", "code"), [("stopped", 130), ("max_seconds", 0)])
def test_a_demo_that_was_stopped_says_so_by_its_code(
    reason: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = SimpleNamespace(reason=reason)
    monkeypatch.setattr("distill.cli.training.demo_command", lambda *_, **__: ended)
    monkeypatch.setattr("sys.argv", ["distill", "demo"])
    assert run(_invoke) == code


def test_every_command_explains_itself() -> None:
    for command in app.registered_commands:
        assert command.callback is not None and command.callback.__doc__
