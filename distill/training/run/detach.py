"""Starting a process that outlives the one that started it: the one place where systems differ."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, BinaryIO

import distill

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
    options: dict[str, Any] = {}
    if os.name == "nt":
        options["creationflags"] = (
            subprocess.DETACHED_PROCESS  # type: ignore[attr-defined,unused-ignore]
            | subprocess.CREATE_NEW_PROCESS_GROUP  # type: ignore[attr-defined,unused-ignore]
        )
    else:
        options["start_new_session"] = True
    with log.open("ab") if isinstance(log, Path) else contextlib.nullcontext(log) as output:
        process = subprocess.Popen(
            [sys.executable, "-c", _BOOTSTRAP, _init_file(), module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            close_fds=True,
            **options,
        )
    _started.append(process)
    return process


def _init_file() -> str:
    return str(Path(distill.__path__[0], "__init__.py").resolve())
