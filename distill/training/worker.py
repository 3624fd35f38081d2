"""`python -m distill.training.worker RUN`: the process that trains.

It is fed by the run folder alone and goes on wherever that stands: a new request, a checkpoint.
Where the run asks for several devices it starts the other processes itself; under torchrun it is
one of several. The first alone writes.
Its exit code is 0 where the run has ended or was stopped, 3 where its folder was moved, deleted or
taken away, 1 where it failed otherwise; what happened is in the run folder, and the last line that
it prints is the error.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import torch

from distill.errors import RunFolderError, RunLostError, TrainingError
from distill.models.device import check_devices
from distill.time_slices import take_short_turns
from distill.training.engine.memory import keep_freed_memory
from distill.training.engine.placement import Placement
from distill.training.engine.waiting import FairWaiting
from distill.training.run import states
from distill.training.run.death_notice import FAILED, LOST, last_words
from distill.training.run.detach import when_parent_ends
from distill.training.run.request import RunRequest
from distill.training.run.writer import RunWriter, hold_run
from distill.training.session.replica import run_replica
from distill.training.session.replicas import Replicas
from distill.training.session.session import run_session
from distill.training.session.signals import StopSignals, stopped_by_signals
from distill.training.trainers import TIED, WORKER
from distill.training.watch.event_lines import TrainingFailedEvent

_log = logging.getLogger("distill.training.worker")


def main() -> int:
    """Trains the run named on the command line."""
    arguments = sys.argv[1:]
    tied = TIED in arguments
    if tied:
        arguments.remove(TIED)
    if len(arguments) != 1:
        sys.stderr.write(f"usage: python -m {WORKER} RUN [{TIED}]\n")
        return 2
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    take_short_turns()
    keep_freed_memory()
    path = Path(arguments[0])
    asks = "a signal asks to stop: the model is kept\n"
    with stopped_by_signals(asks) as signals, FairWaiting():
        placement = Placement.from_environment()
        if placement.rank > 0:  # stops when the first process does
            return _replica(path, tied=tied)
        if tied:
            when_parent_ends(lambda: signals.receive(signal.SIGTERM))
        return _train(path, signals, alone=placement.processes == 1)


def _train(path: Path, signals: StopSignals, *, alone: bool) -> int:
    _log.info("trainer for %s begins", path)
    try:
        with hold_run(path) as folder, _others(folder, alone=alone) as explain:
            result = run_session(folder, signals=signals, explain=explain)
    except Exception as error:
        _log.exception("the run failed")
        with contextlib.suppress(OSError):
            sys.stderr.write(last_words(error))
        return LOST if isinstance(error, RunLostError) else FAILED
    _log.info("ended: %s after %d steps", result.reason, result.steps)
    return 0


@contextlib.contextmanager
def _others(folder: RunWriter, *, alone: bool) -> Iterator[Callable[[Exception], Exception]]:
    """Starts the other processes that a run asks for; gives what explains an error by them."""
    request = None
    with contextlib.suppress(RunFolderError):  # the session says so, in the run
        request = RunRequest.from_dict(folder.read_request())
    if not alone or request is None or request.devices == 1:
        yield lambda error: error
        return
    check_devices(request.device, request.devices)

    def end_at_once() -> None:
        _end_at_once(folder, replicas.lost or TrainingError("another process of the run died"))

    replicas = Replicas(WORKER, [str(folder.path), TIED], request.devices, end_at_once)
    try:
        os.environ.update(replicas.environment(0))
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        yield replicas.explain
    finally:
        replicas.close()


def _end_at_once(folder: RunWriter, error: TrainingError) -> None:
    """Ends a run whose training thread waits for another process that is dead, for ever."""
    status = folder.read_status()
    kept = folder.model_path.name if folder.model_path.exists() else None
    with contextlib.suppress(OSError):
        folder.append(TrainingFailedEvent(type(error).__name__, str(error), kept))
        if status is not None:
            folder.write_status(replace(status, state=states.FAILED))
        sys.stderr.write(last_words(error))
        _flush()
    os._exit(FAILED)


def _replica(path: Path, *, tied: bool) -> int:
    if tied:
        when_parent_ends(lambda: os._exit(FAILED))
    try:
        run_replica(path)
    except Exception as error:
        _log.exception("the run failed")
        if tied:
            with contextlib.suppress(OSError):
                sys.stdout.write(last_words(error))
        return FAILED
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
