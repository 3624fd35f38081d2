"""Where training runs: a name from a person, a Fabric for the engine."""

from __future__ import annotations

import logging
import os
import warnings
from datetime import timedelta
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy

from distill.errors import ConfigError

_LONGEST_PAUSE = timedelta(days=30)  # the other processes wait while one is paused
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


def make_fabric(device: torch.device) -> Fabric:
    """Fabric on one device, or, started by torchrun, on one of this kind for each process.

    Computes in bfloat16 where a GPU does so in hardware, else in float32.
    """
    bf16 = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)
    options: dict[str, Any] = {
        "accelerator": device.type,
        "devices": 1,
        "precision": "bf16-mixed" if bf16 else "32-true",
    }
    if processes > 1:
        local = int(os.environ.get("LOCAL_WORLD_SIZE", str(processes)))
        options["devices"], options["num_nodes"] = local, processes // local
        options["strategy"] = DDPStrategy(timeout=_LONGEST_PAUSE)
    elif device.type == "cuda" and device.index is not None:
        options["devices"] = [device.index]
    with warnings.catch_warnings():
        # Fabric advises on clusters it finds itself in; a notebook is none.
        warnings.filterwarnings("ignore", message="The `srun` command is available")
        fabric = Fabric(**options)
        fabric.launch()
    return fabric
