"""Where a model computes: a name from a person, a device of this machine."""

from __future__ import annotations

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
