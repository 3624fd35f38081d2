"""`python -m distill.training.worker RUN`: the process that trains.

It is fed by the run folder alone and goes on wherever that stands: a new request, a checkpoint.
Under torchrun it is one of several; the first alone writes.
Its exit code is 0 where the run has ended or was stopped, 3 where its folder was moved, deleted or
taken away, 1 where it failed otherwise; what happened is in the run folder, and the last line that
it prints is the error.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from pathlib import Path

from distill.errors import RunLostError
from distill.training.engine.memory import keep_freed_memory
from distill.training.run.death_notice import FAILED, LOST, last_words
from distill.training.run.writer import hold_run
from distill.training.session.replica import run_replica
from distill.training.session.session import run_session
from distill.training.session.signals import StopSignals, stopped_by_signals
from distill.turns import take_short_turns

_log = logging.getLogger("distill.training.worker")


def main() -> int:
    """Trains the run named on the command line."""
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m distill.training.worker RUN\n")
        return 2
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    take_short_turns()
    keep_freed_memory()
    path = Path(sys.argv[1])
    with stopped_by_signals("a signal asks to stop: the model is kept\n") as signals:
        if int(os.environ.get("RANK", "0")) > 0:  # stops when the first process does
            return _replica(path)
        return _train(path, signals)


def _train(path: Path, signals: StopSignals) -> int:
    _log.info("trainer for %s begins", path)
    try:
        with hold_run(path) as folder:
            result = run_session(folder, signals=signals)
    except Exception as error:
        _log.exception("the run failed")
        with contextlib.suppress(OSError):
            sys.stderr.write(last_words(error))
        return LOST if isinstance(error, RunLostError) else FAILED
    _log.info("ended: %s after %d steps", result.reason, result.steps)
    return 0


def _replica(path: Path) -> int:
    try:
        run_replica(path)
    except Exception:
        _log.exception("the run failed")
        return 1
    return 0


def _flush() -> None:
    """Or Python ends with a code of its own where the log's disk is full."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


if __name__ == "__main__":
    code = main()
    _flush()
    sys.exit(code)
