"""Placement: which of several processes this one is, and where they meet."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from distill.checked import brief
from distill.errors import ConfigError

_MEETING_FILE = "DISTILL_MEETING_FILE"


@dataclass(frozen=True)
class Placement:
    """One process of a training: alone, or one of several that torchrun or a runner started."""

    rank: int = 0
    """From 0; the first alone touches the run folder."""
    processes: int = 1
    local_processes: int = 1
    """How many of them are on this machine."""
    meeting_file: str = ""
    """Where those that distill started find one another: in a folder that is this user's alone.
    Empty for those of torchrun, which meet at MASTER_ADDR and MASTER_PORT."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Placement:
        """What torchrun, or `environment` of another placement, says.

        Raises:
            ConfigError: it says something that is no placement.
        """
        processes = _number(environment, "WORLD_SIZE", 1)
        placement = cls(
            rank=_number(environment, "RANK", 0),
            processes=processes,
            local_processes=_number(environment, "LOCAL_WORLD_SIZE", processes),
            meeting_file=environment.get(_MEETING_FILE, ""),
        )
        if not placement.rank < processes or not 1 <= placement.local_processes <= processes:
            raise ConfigError(
                f"process {placement.rank} of {processes}, {placement.local_processes} on this "
                "machine: expected RANK below WORLD_SIZE and LOCAL_WORLD_SIZE within it; torchrun "
                "sets them"
            )
        return placement

    def environment(self) -> dict[str, str]:
        """The variables that give a process this placement, on one machine."""
        return {
            "RANK": str(self.rank),
            "LOCAL_RANK": str(self.rank),
            "WORLD_SIZE": str(self.processes),
            "LOCAL_WORLD_SIZE": str(self.local_processes),
            _MEETING_FILE: self.meeting_file,
            **_loopback(),
        }


def _loopback() -> dict[str, str]:
    """Keeps what the processes say to one another on this machine: by default they go by its name,
    which may lead anywhere.
    """
    for _, name in socket.if_nameindex():
        if name in ("lo", "lo0"):
            return {"GLOO_SOCKET_IFNAME": name, "NCCL_SOCKET_IFNAME": name}
    return {}


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ConfigError(f"{name}={brief(text)!r}: expected a whole number; torchrun sets it")
    return int(text)
