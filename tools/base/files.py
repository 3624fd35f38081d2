"""Sound files of the material: read at any speed, written whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import soundfile
import torch
import torchaudio

from distill.atomic import write_atomically
from tools.base.signals import RATE, Sound


def read_sound(path: Path, *, speed: float = 1.0) -> Sound:
    """A file's channels averaged, at `RATE`, played `speed` times as fast."""
    data, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = torch.from_numpy(data.mean(axis=1))
    as_rate = round(rate * speed / 100) * 100  # a ratio of small numbers is quick to resample
    return torchaudio.functional.resample(mono, as_rate, RATE).double().numpy()


def write_sound(path: Path, sound: Sound) -> None:
    """Writes 16-bit FLAC; a file that is there is whole."""
    memory = io.BytesIO()
    clipped = np.clip(sound, -1.0, 1.0).astype(np.float32)
    soundfile.write(memory, clipped, RATE, format="FLAC", subtype="PCM_16")
    with write_atomically(path, durable=False) as file:
        file.write(memory.getvalue())
