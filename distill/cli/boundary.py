"""The edge of the command line: whatever goes wrong becomes one line and an exit code."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import typer

from distill.errors import ConfigError, DistillError, TrainingError
from distill.memory import is_out_of_memory
from distill.names import printable

FAULT, BAD_INPUT, TRAINING_FAILED, SOME_FAILED, INTERRUPTED = 1, 2, 3, 4, 130
_READER_GONE = 141  # as of a program that the system ends for writing into a closed pipe
_GONE = "the folder that this was started in is gone; change to another one"
_DEBUG = "DISTILL_DEBUG"
_LAST_STREAM = 2  # stderr
_UsageError: Any = typer.BadParameter.__mro__[2]  # typer brings its own click from 0.26 on


def run(command: Callable[[], int | None]) -> int:
    """Runs a command; says in one line on stderr what stopped it.

    Returns:
        The exit code of the process.
    """
    fill_closed_descriptors()
    prepare_streams()
    if not _has_working_folder():  # torch's libraries end the process there
        _say(_GONE)
        return BAD_INPUT
    try:
        code = command() or 0
        _flush()
        return code
    except typer.Exit as exit_:
        return exit_.exit_code
    except _UsageError as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort, EOFError):
        _say("interrupted")
        return INTERRUPTED
    except BaseException as error:
        if isinstance(error, SystemExit) or os.environ.get(_DEBUG):
            raise
        words, code = judge(error)
        if words:
            _say(words)
        return code
    finally:
        _let_go_of_closed_streams()


def judge(error: BaseException) -> tuple[str, int]:
    """What is printed of an error, and the exit code."""
    if isinstance(error, TrainingError):
        return str(error), TRAINING_FAILED
    if isinstance(error, DistillError):
        return str(error), BAD_INPUT
    if isinstance(error, BrokenPipeError):
        return "", _READER_GONE
    if is_out_of_memory(error):
        return "the memory of this machine is not enough for this", BAD_INPUT
    if isinstance(error, OSError):
        return describe_os_error(error), BAD_INPUT
    if isinstance(error, UnicodeError):
        return f"a name or text that the language settings of this system lack: {error}", BAD_INPUT
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" ({Path(place[0].filename).name}, line {place[0].lineno})" if place else ""
    name, words = type(error).__name__, first_line(error)
    return (
        f"a fault of distill itself, please report it: {name}: {words}{where}; "
        f"with {_DEBUG}=1 in the environment the same command shows all of it",
        FAULT,
    )


def describe_os_error(error: OSError) -> str:
    """What the system refused, and where; every error of a file in the same form."""
    reason = error.strerror or first_line(error) or type(error).__name__
    if error.errno == errno.ENOENT and not _has_working_folder():
        return _GONE
    places = [printable(name) for name in (error.filename, error.filename2) if name is not None]
    if not places and error.errno in (errno.ENOSPC, errno.EIO):
        return f"cannot write what it has to say: {reason}"
    return ": ".join([*places, reason])


def first_line(error: BaseException) -> str:
    """The beginning of what an error of others says, without what they put below."""
    lines = str(error).splitlines()
    return printable(lines[0][:200]) if lines else ""


def echo(text: str, *, err: bool = False) -> None:
    """Prints a line, at once."""
    stream = sys.stderr if err else sys.stdout  # typer's echo takes ASCII streams for UTF-8
    if stream is not None:
        stream.write(f"{text}\n")
        stream.flush()


def echo_json(text: str) -> None:
    """Prints JSON; where the stream cannot take its letters, with JSON's own escapes for them."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(json.loads(text), indent=1)
    echo(text)


def fill_closed_descriptors() -> None:
    """Gives the three standard streams a place where a script has closed them (`2>&-`).

    Else the next file that is opened takes the number of one of them, and what a library prints
    lands in somebody's sound.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _LAST_STREAM:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def refuse_empty_words(words: Sequence[str]) -> None:
    """Refuses an argument without a letter: a variable of a script that is not set.

    As a path it would mean the folder one happens to be in.

    Raises:
        ConfigError: one of them is empty, or gives an option nothing (`--out=`).
    """
    for number, word in enumerate(words):
        before = words[number - 1] if number else ""
        what = word if re.fullmatch("--[^=]+=", word) else ""
        if not word:
            what = before if before.startswith("--") else f"word {number + 1} of the command"
        if what:
            raise ConfigError(f"{printable(what)}: empty, a variable that is not set? Give a value")


def prepare_streams() -> None:
    """Makes both streams take any text, and shows the log's warnings on stderr."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:  # what a terminal cannot show becomes an escape
            reconfigure(errors="backslashreplace")
    log = logging.getLogger("distill")
    if not log.handlers:
        log.addHandler(_ToStderr())


class _ToStderr(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        _say(record.getMessage())


def _say(words: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        echo(f"distill: {words}", err=True)


def _has_working_folder() -> bool:
    try:
        Path.cwd()
    except OSError:
        return False
    return True


def _streams() -> Iterator[Any]:
    yield from (stream for stream in (sys.stdout, sys.stderr) if stream is not None)


def _flush() -> None:
    for stream in _streams():
        stream.flush()


def _let_go_of_closed_streams() -> None:
    """What cannot be written is forgotten, so that Python does not complain of it at its end."""
    for stream in _streams():
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                nothing = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nothing, stream.fileno())
                os.close(nothing)
