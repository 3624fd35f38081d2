"""Starting a process that outlives the one that started it: the one place where systems differ."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

# Python complains of a child that is forgotten while it runs; ours are meant to be.
_started: list[subprocess.Popen[bytes]] = []


def has_ended(pid: int) -> bool:
    """Whether a process started here is over; False for every other."""
    return any(process.pid == pid and process.poll() is not None for process in _started)


def start_detached(module: str, arguments: list[str], log: Path) -> subprocess.Popen[bytes]:
    """Starts `python -m module` in a session of its own.

    An interrupt of a notebook's cell goes to the kernel's whole process group: the new process is
    in none of its groups and reads nothing from its terminal.

    Args:
        module: what to run.
        arguments: for it.
        log: gets everything it prints.

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
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            close_fds=True,
            **options,
        )
    _started.append(process)
    return process
