"""Starting a process that outlives the one that started it, or one that never does: the one place
where systems differ.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import distill
from distill.gathering import never_gathered
from distill.threads import own_environment

# `python -m` would put the working folder first among the places where modules are looked for, and
# a musician's queue.py or distill.py there would run in place of what is meant; -P came with Python
# 3.11 only. This distill itself is given by its file, wherever it was found.
_BOOTSTRAP = """
import sys
if sys.path and sys.path[0] == "":
    del sys.path[0]
import importlib.util, os, runpy
_, init, module, *arguments = sys.argv
found = importlib.util.spec_from_file_location(
    "distill", init, submodule_search_locations=[os.path.dirname(init)]
)
package = sys.modules["distill"] = importlib.util.module_from_spec(found)
found.loader.exec_module(package)
sys.argv = [module, *arguments]
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""

# Python complains of a child that is forgotten while it runs; ours are meant to be.
_started: list[subprocess.Popen[bytes]] = []


def has_ended(pid: int) -> bool:
    """Whether a process started here is over; False for every other."""
    return any(process.pid == pid and process.poll() is not None for process in _started)


def start_detached(
    module: str, arguments: list[str], log: Path | BinaryIO
) -> subprocess.Popen[bytes]:
    """Starts a module of distill as a program, in a session of its own.

    It imports nothing from the working folder. An interrupt of a notebook's cell goes to the
    kernel's whole process group: the new process is in none of its groups and reads nothing from
    its terminal.

    Args:
        module: what to run.
        arguments: for it.
        log: gets everything it prints; a file, or one that is open to append to.

    Raises:
        OSError: the process cannot be started, or the log not written.
    """
    with log.open("ab") if isinstance(log, Path) else contextlib.nullcontext(log) as output:
        return _start(
            _command(module, arguments),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=own_environment(),
        )


def start_tied(
    module: str,
    arguments: list[str],
    *,
    environment: Mapping[str, str] | None = None,
    log: BinaryIO | None = None,
) -> subprocess.Popen[bytes]:
    """Starts a module of distill as `start_detached` does, but one that is not to outlive us.

    Its standard input is a pipe that nothing is written to: it ends when we close it, or die,
    however. See `when_parent_ends`.

    Args:
        module: what to run.
        arguments: for it.
        environment: variables to add to ours.
        log: gets everything it prints; without it, its standard output is a pipe to us, and what it
            complains of goes where ours does.

    Raises:
        OSError: the process cannot be started.
    """
    return _start(
        _command(module, arguments),
        stdin=subprocess.PIPE,
        stdout=log or subprocess.PIPE,
        stderr=subprocess.STDOUT if log else None,
        env={**own_environment(), **(environment or {})},
    )


def _start(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
    with never_gathered():
        process = subprocess.Popen(command, close_fds=True, **options, **_own_session())
    _started.append(process)
    return process


def when_parent_ends(act: Callable[[], None]) -> None:
    """Does something once whoever started this process with `start_tied` lets go of it, or dies."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1 << 10):
                pass
        act()

    threading.Thread(target=wait, name="distill-parent", daemon=True).start()


def _command(module: str, arguments: list[str]) -> list[str]:
    return [sys.executable, "-c", _BOOTSTRAP, _init_file(), module, *arguments]


def _own_session() -> dict[str, Any]:
    """An interrupt of who starts a process, and of all in its group, does not reach it then."""
    if os.name != "nt":
        return {"start_new_session": True}
    flags = (
        subprocess.DETACHED_PROCESS  # type: ignore[attr-defined,unused-ignore]
        | subprocess.CREATE_NEW_PROCESS_GROUP  # type: ignore[attr-defined,unused-ignore]
    )
    return {"creationflags": flags}


def _init_file() -> str:
    return str(Path(distill.__path__[0], "__init__.py").resolve())
