"""Sound as a page plays it: a 16-bit WAV file."""

from __future__ import annotations

import io
import wave

import numpy as np
import numpy.typing as npt


def wav_bytes(waveform: npt.NDArray[np.float32], sample_rate: int) -> bytes:
    """A WAV file of a sound.

    Args:
        waveform: (samples,) in [-1, 1]; what lies beyond is cut off.
        sample_rate: in Hz.
    """
    samples = np.round(np.clip(waveform, -1, 1) * 32767).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(sample_rate)
        writer.writeframes(samples.tobytes())
    return file.getvalue()
