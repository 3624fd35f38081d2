"""Where a model computes: a name from a person, a device of this machine."""

from __future__ import annotations

import os

import torch

from distill.errors import ConfigError

_KINDS = ("auto", "cpu", "cuda", "mps")


def available_devices() -> list[str]:
    """The devices this machine has, best first."""
    found = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append("mps")
    return [*found, "cpu"]


def choose_device(name: str) -> torch.device:
    """The device a person means.

    Args:
        name: auto (the best there is), cpu, cuda, cuda:1 or mps.

    Raises:
        ConfigError: no such device on this machine; the message lists those there are.
    """
    found = available_devices()
    if name == "auto":
        name = found[0]
    kind, _, index = name.partition(":")
    wanted = f"{kind}:{index or 0}" if kind == "cuda" else name
    if wanted not in found:
        known = "" if kind in _KINDS else f"; expected {', '.join(_KINDS)}"
        raise ConfigError(
            f"device={name!r}: not on this machine, which has {', '.join(found)}{known}"
        )
    return torch.device(wanted)


def check_devices(name: str, devices: int) -> None:
    """Checks that this machine has so many devices of one kind to train on together.

    Args:
        name: of the kind; see `choose_device`.
        devices: how many processes are wanted, each with a device of its own; on a CPU, with at
            least one core.

    Raises:
        ConfigError: no such device, or not so many.
    """
    kind = choose_device(name).type
    if devices < 1:
        raise ConfigError(f"devices={devices}: expected 1 or more")
    if devices == 1:
        return
    if kind == "cuda" and ":" in name:
        raise ConfigError(
            f"device={name!r} with devices={devices}: expected 'cuda', of which the first "
            f"{devices} are taken"
        )
    there = {"cuda": torch.cuda.device_count(), "cpu": max(2, os.cpu_count() or 1)}.get(kind, 1)
    if devices > there:
        what = {"cuda": "GPU", "cpu": "CPU core"}.get(kind, kind)
        raise ConfigError(
            f"devices={devices}: this machine has {there} {what}{'s' * (there > 1)}; "
            f"give at most {there}, or another device"
        )
