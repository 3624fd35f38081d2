"""`python -m distill.training.worker RUN`: the process that trains.

It is fed by the run folder alone and resumes wherever that stands: a new request, a checkpoint.
Where the run asks for several devices it starts the other processes itself; under torchrun it is
one of several. The first alone writes.
Its exit code is 0 where the run has ended or was stopped, 3 where its folder was moved, deleted or
taken away, 1 where it failed otherwise; what happened is in the run folder, and the last line that
it prints is the error.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import torch

from distill.audio.decoded_sounds import forget, received
from distill.errors import ConfigError, RunFolderError, RunLostError, TrainingError
from distill.models.device import check_devices
from distill.time_slices import take_short_turns
from distill.training.engine.memory import keep_freed_memory
from distill.training.engine.placement import Placement
from distill.training.engine.waiting import FairWaiting
from distill.training.run import states
from distill.training.run.control import STOP, STOP_NOW, read_control
from distill.training.run.death_notice import FAILED, LOST, last_words
from distill.training.run.detach import when_parent_ends
from distill.training.run.request import RunRequest
from distill.training.run.writer import RunWriter, hold_run
from distill.training.session.replica import run_replica
from distill.training.session.replicas import Replicas, give_signs_of_life
from distill.training.session.session import run_session
from distill.training.session.signals import StopSignals, stopped_by_signals
from distill.training.trainers import SOUNDS, TIED, WORKER, sounds_option
from distill.training.watch.event_lines import TrainingFailedEvent

_log = logging.getLogger("distill.training.worker")


def main() -> int:
    """Trains the run named on the command line."""
    options = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    take_short_turns()
    keep_freed_memory()
    asks = "a signal asks to stop: the model is kept\n"
    with stopped_by_signals(asks) as signals, FairWaiting():
        placement = Placement.from_environment()
        if placement.rank > 0:  # stops when the first process does
            return _replica(options)
        if options.tied:
            when_parent_ends(lambda: signals.receive(signal.SIGTERM))
        return _train(options, signals, alone=placement.processes == 1)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:  # noqa: ARG002
        """Says how it is called, and no more."""
        self.print_usage(sys.stderr)
        raise SystemExit(2)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(usage=f"python -m {WORKER} RUN", allow_abbrev=False)
    parser.add_argument("run", type=Path)
    parser.add_argument(TIED, action="store_true")
    parser.add_argument(SOUNDS, type=Path)
    return parser


def _train(options: argparse.Namespace, signals: StopSignals, *, alone: bool) -> int:
    path = options.run
    _log.info("trainer for %s begins", path)
    try:
        with hold_run(path) as folder:
            devices = _devices_of(folder) if alone else 1
            with (
                received(options.sounds, keep=devices > 1) as decoded,
                _others(folder, devices, options.sounds, signals) as explain,
            ):
                result = run_session(folder, signals=signals, explain=explain, decoded=decoded)
    except Exception as error:
        _log.exception("the run failed")
        with contextlib.suppress(OSError):
            sys.stderr.write(last_words(error))
        return LOST if isinstance(error, RunLostError) else FAILED
    finally:
        forget(options.sounds)
    _log.info("ended: %s after %d steps", result.reason, result.steps)
    return 0


def _devices_of(folder: RunWriter) -> int:
    """How many processes a run asks for; 1 where that cannot be, which its session says."""
    try:
        request = RunRequest.from_dict(folder.read_request())
        check_devices(request.device, request.devices)
    except (RunFolderError, ConfigError):
        return 1
    return request.devices


@contextlib.contextmanager
def _others(
    folder: RunWriter, devices: int, sounds: Path | None, signals: StopSignals
) -> Iterator[Callable[[Exception], Exception]]:
    """Starts the other processes of a run; gives what explains an error by them."""
    if devices == 1:
        yield lambda error: error
        return

    def end_at_once() -> None:
        _end_at_once(folder, replicas.lost or TrainingError("another process of the run died"))

    def wants_stop() -> bool:
        with contextlib.suppress(OSError):
            return signals.is_set() or read_control(folder.files).wanted in (STOP, STOP_NOW)
        return False

    arguments = [str(folder.path), TIED, *sounds_option(sounds)]
    replicas = Replicas(WORKER, arguments, devices, end_at_once, wants_stop)
    try:
        os.environ.update(replicas.environment(0))
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        yield replicas.explain
    finally:
        replicas.close()


def _end_at_once(folder: RunWriter, error: TrainingError) -> None:
    """Ends a run whose training thread waits for another process that is dead, for ever."""
    status = folder.read_status()
    model = folder.model_path.name if folder.model_path.exists() else None
    with contextlib.suppress(OSError):
        folder.append(TrainingFailedEvent(type(error).__name__, str(error), model))
        if status is not None:
            folder.write_status(replace(status, state=states.FAILED))
        sys.stderr.write(last_words(error))
        _flush()
    os._exit(FAILED)


def _replica(options: argparse.Namespace) -> int:
    if options.tied:
        when_parent_ends(lambda: os._exit(FAILED))
        threading.Thread(target=give_signs_of_life, daemon=True).start()
    try:
        with received(options.sounds, keep=True) as decoded:
            run_replica(options.run, decoded)
    except Exception as error:
        _log.exception("the run failed")
        if options.tied:
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
