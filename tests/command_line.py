"""`distill` as a person or a script runs it: a process of its own, with a real exit code.

All are forks of one process that has loaded the libraries, which takes most of the time of a short
command. What concerns the start of the program itself starts it from nothing, by `subprocess`.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

_HAS_FORKSERVER = "forkserver" in multiprocessing.get_all_start_methods()
_LOADED = [
    "torch._dynamo", "lightning_fabric", "vector_quantize_pytorch", "distill.cli.app",
    "distill.cli.training", "distill.cli.files", "distill.cli.info", "distill.cli.prior",
    "distill.families.vqvae", "distill.families.vae", "distill.training.session.session",
]  # fmt: skip


def distill(*arguments: object, timeout: float = 240) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end; raises `subprocess.TimeoutExpired` where it does not come."""
    words = [*map(str, arguments)]
    if not _HAS_FORKSERVER:
        command = [sys.executable, "-m", "distill.cli", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LOADED)
    with tempfile.TemporaryDirectory() as scratch:
        out, err = Path(scratch, "out"), Path(scratch, "err")
        given = (words, out, err, dict(os.environ), Path.cwd())
        process = context.Process(target=_command, args=given)
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(words, timeout)
        return subprocess.CompletedProcess(
            words, process.exitcode, out.read_text("utf-8"), err.read_text("utf-8")
        )


def _command(
    words: list[str], out: Path, err: Path, environment: dict[str, str], folder: Path
) -> None:
    sys.stdout, sys.stderr = (path.open("w", encoding="utf-8") for path in (out, err))
    os.dup2(sys.stdout.fileno(), 1)  # what libraries print past Python
    os.dup2(sys.stderr.fileno(), 2)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["distill", *words]
    from distill.cli.app import main

    main()
