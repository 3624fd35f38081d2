"""SoundSurvey: what one pass over a sound finds out before it is used; and its mono blocks."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from distill.audio.containers.layout import CHANGED
from distill.audio.level_meter import IMPOSSIBLE, LONE, LOUD, Levels, Meter
from distill.audio.sound_file import OpenSound
from distill.errors import AudioFileError


@dataclass(frozen=True)
class SoundSurvey:
    """What one pass over a sound finds out, and has to be known before it is used."""

    frames: int
    sha256: str
    channel: int | None
    """The one channel that is used; None: their mix."""
    offset: float
    notes: tuple[str, ...]

    @classmethod
    def of(cls, sound: OpenSound, keep: deque[Tensor] | None) -> SoundSurvey:
        """Decodes a sound once; the mono blocks go into `keep`.

        Raises:
            AudioFileError: it holds no samples, or some that cannot be sound.
        """
        info = sound.info
        digest = hashlib.sha256(f"{info.sample_rate}:{info.channels}:".encode())
        meter, frames = Meter(info.sample_rate, info.channels), 0
        for block in sound.blocks():
            digest.update(block.data)
            mono = mix_down(block)
            _refuse_impossible(sound, block, frames)
            meter.add(block, mono)
            if keep is not None:
                keep.append(torch.from_numpy(mono))
            frames += len(block)
        if not frames:
            raise AudioFileError(f"{sound.name}: 0 samples after decoding; copy or export it again")
        levels = meter.levels()
        _refuse_lone_peak(sound, levels)
        channel, offset = None, levels.offset
        if levels.cancels:
            channel = levels.best_channel
            sound.note(_which_channel(channel, info.channels))
            offset = _offset_of(sound, channel)
        if offset:
            sound.note(f"a constant offset of {offset:.2g} was taken away")
        return cls(frames, digest.hexdigest(), channel, offset, tuple(sound.notes))


def mix_down(block: np.ndarray) -> np.ndarray:
    """(frames, channels) as the mean of its channels, (frames,)."""
    mono: np.ndarray = block[:, 0]
    with np.errstate(all="ignore"):  # Inf - Inf: refused afterwards, with its place
        if block.shape[1] == 2:  # the same bits as a mean, without numpy's short inner loops
            mono = (mono + block[:, 1]) * np.float32(0.5)
        elif block.shape[1] > 2:
            mono = block.mean(axis=1)
    return mono


def mono_blocks(sound: OpenSound, survey: SoundSurvey) -> Iterator[np.ndarray]:
    """Decodes a sound once more, as its survey says; its offset is still in the blocks.

    Raises:
        AudioFileError: it has another length by now.
    """
    frames = 0
    for block in sound.blocks():
        frames += len(block)
        channel = survey.channel
        if frames > survey.frames or (channel is not None and channel >= block.shape[1]):
            break
        yield mix_down(block) if channel is None else block[:, channel].copy()
    if frames != survey.frames:
        raise AudioFileError(f"{sound.name}: {CHANGED}")


def _offset_of(sound: OpenSound, channel: int) -> float:
    meter = Meter(sound.info.sample_rate, 1)
    for block in sound.blocks():
        meter.add(block[:, channel : channel + 1], block[:, channel])
    return meter.levels().offset


def _which_channel(channel: int, channels: int) -> str:
    if channels == 2:
        return f"opposite phase: only its {('left', 'right')[channel]} channel is used"
    return f"its channels cancel one another: only channel {channel + 1} of {channels} is used"


def _refuse_impossible(sound: OpenSound, block: np.ndarray, before: int) -> None:
    if block.min() > -IMPOSSIBLE and block.max() < IMPOSSIBLE:  # neither is true of NaN
        return
    finite = np.isfinite(block).all(axis=1)
    sane = finite & (np.abs(np.where(finite[:, None], block, 0)) < IMPOSSIBLE).all(axis=1)
    at = int(np.argmin(sane))
    where = (before + at) / sound.info.sample_rate
    if not finite[at]:
        raise AudioFileError(f"{sound.name}: NaN or Inf at {where:.2f} s; re-export it")
    raise AudioFileError(_lone(sound.name, float(np.abs(block[at]).max()), where))


def _refuse_lone_peak(sound: OpenSound, levels: Levels) -> None:
    if levels.peak <= LOUD:
        return
    share, fewest = LONE
    near = 0
    for block in sound.blocks():
        near += int(np.count_nonzero(np.abs(block).max(axis=1) > share * levels.peak))
        if near >= fewest:
            return
    where = levels.peak_at / sound.info.sample_rate
    raise AudioFileError(_lone(sound.name, levels.peak, where))


def _lone(name: str, value: float, at_s: float) -> str:
    return (
        f"{name}: a sample of {value:.1e} at {at_s:.2f} s, which no sound around it explains; "
        "silence it there in an editor, the rest is untouched"
    )
