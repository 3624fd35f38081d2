"""RunStatus: where a run is, as its trainer last reported; and whether that trainer lives."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import time
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from distill.checked import Count, Name, UnixTime, parse_json
from distill.training.run import states
from distill.training.run.detach import has_ended
from distill.training.run.heartbeat import STALE_S
from distill.training.run.layout import STATUS

HEARTBEAT_PERIOD_S = 0.25
LARGEST_STATUS = 1 << 16
_SLOW_START_S = 60.0  # a cold disk takes its time to read torch


@dataclass(frozen=True)
class RunStatus:
    """Where a run is, as its trainer last reported."""

    state: str
    """See `distill.training.run.states`."""
    pid: int
    host: str
    heartbeat: float
    """Unix time of the last sign of life."""
    epoch: int
    step: int
    session: int
    """Counts how often the run was started or resumed, from 1."""
    acknowledged: int
    """Serial number of the last command the trainer has seen."""
    seen_before: float = 0.0
    """Unix time of the last sign of life of the session before, while another tries to begin."""

    @classmethod
    def now(
        cls, state: str, *, pid: int, epoch: int, step: int, session: int, acknowledged: int = 0
    ) -> RunStatus:
        """A sign of life, from this machine and moment."""
        return cls(state, pid, platform.node(), time.time(), epoch, step, session, acknowledged)


class _Status(msgspec.Struct):
    state: Literal[
        "starting", "running", "paused", "stopping", "finished", "stopped", "failed", "gone"
    ]
    pid: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    host: Name
    heartbeat: UnixTime
    epoch: Count
    step: Count
    session: Count
    acknowledged: Count
    seen_before: UnixTime = 0.0


def status_from_json(data: bytes) -> RunStatus:
    """Reads a status.

    Raises:
        OutsideDataError: it is damaged, or none.
    """
    values: _Status = parse_json(data, _Status, name=STATUS, limit=LARGEST_STATUS)
    return RunStatus(**msgspec.structs.asdict(values))


def status_to_json(status: RunStatus) -> bytes:
    """What `status_from_json` reads."""
    return json.dumps(dataclasses.asdict(status), indent=1).encode()


def trainer_is_starting(status: RunStatus) -> bool:
    """Whether a trainer of this machine is on its way to the run that it was started for."""
    return (
        status.state == states.STARTING
        and status.host == platform.node()
        and process_exists(status.pid)
        and -STALE_S < time.time() - status.heartbeat < _SLOW_START_S
    )


def process_exists(pid: int) -> bool:
    """Whether a process of this machine lives; True where that cannot be asked."""
    if os.name == "nt":
        return True  # sending a signal would end it there; heartbeat and lock decide
    if pid <= 0 or has_ended(pid):  # a child of ours would else be there until we ask for its end
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
