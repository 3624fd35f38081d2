from __future__ import annotations

import signal
import subprocess
import sys
from importlib import metadata

import pytest

from distill.cli.program import main

# Interrupts its own process as a module begins to load.
_INTERRUPTED = """
import os, signal, sys

class Interrupting:
    def find_spec(self, name, *_):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
from distill.cli.program import main
main()
"""


def test_the_installed_command_is_ours() -> None:
    scripts = metadata.entry_points(group="console_scripts", name="distill")
    assert [script.load() for script in scripts] == [main]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no signals between processes")
@pytest.mark.parametrize("moment", ["typer", "distill.cli.boundary", "distill.time_slices"])
def test_an_interrupt_while_it_loads_ends_it_without_a_traceback(moment: str) -> None:
    command = [sys.executable, "-c", _INTERRUPTED, moment]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    assert done.returncode == -signal.SIGINT
