"""Fabric: device, precision and number of processes of a training."""

from __future__ import annotations

import logging
import os
import warnings
from datetime import timedelta
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy

_LONGEST_PAUSE = timedelta(days=30)  # the other processes wait while one is paused


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
