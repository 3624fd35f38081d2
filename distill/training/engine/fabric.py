"""Fabric: device, precision and number of processes of a training."""

from __future__ import annotations

import atexit
import logging
import warnings
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from distill.training.engine.placement import Placement

if TYPE_CHECKING:
    from lightning_fabric import Fabric

_LONGEST_PAUSE = timedelta(days=30)  # the other processes wait while one is paused


def make_fabric(device: torch.device) -> Fabric:
    """Fabric on one device, or, in one of several processes, on one of this kind for each.

    Computes in bfloat16 where a GPU does so in hardware, else in float32.
    """
    # Imported by who trains: with it comes torch.compile, as much to load as torch itself, which
    # whoever opens a model or looks at a run does without.
    from lightning_fabric import Fabric
    from lightning_fabric.strategies.ddp import DDPStrategy

    bf16 = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    placement = Placement.from_environment()
    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)
    options: dict[str, Any] = {
        "accelerator": device.type,
        "devices": 1,
        "precision": "bf16-mixed" if bf16 else "32-true",
    }
    if placement.processes > 1:
        _meet(placement, device)
        options["devices"] = placement.local_processes
        options["num_nodes"] = placement.processes // placement.local_processes
        options["strategy"] = DDPStrategy(timeout=_LONGEST_PAUSE)
    elif device.type == "cuda" and device.index is not None:
        options["devices"] = [device.index]
    with warnings.catch_warnings():
        # Fabric advises on clusters it finds itself in; a notebook is none.
        warnings.filterwarnings("ignore", message="The `srun` command is available")
        fabric = Fabric(**options)
        fabric.launch()
    return fabric


def _meet(placement: Placement, device: torch.device) -> None:
    """Waits for the other processes where distill started them; those of torchrun Fabric awaits."""
    if not placement.meeting_file or torch.distributed.is_initialized():
        return
    torch.distributed.init_process_group(
        "nccl" if device.type == "cuda" else "gloo",
        init_method=Path(placement.meeting_file).as_uri(),
        rank=placement.rank,
        world_size=placement.processes,
        timeout=_LONGEST_PAUSE,
    )
    if device.type == "cuda":  # or PyTorch complains at the end
        atexit.register(torch.distributed.destroy_process_group)
