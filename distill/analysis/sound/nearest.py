"""Which of the recordings that a prior learned from a sound is nearest to, by their mel frames."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from distill.codebook.codes import Codes
from distill.models.use.loaded import LoadedVQModel

_WINDOW_S = 1.0
_MOST_JUDGED, _MOST_WINDOWS = 12, 4
"""Recordings, evenly, and windows of each, that say how near recordings are to each other."""
_PLACES_AT_ONCE = 128
_SHARE = 0.1


@dataclass(frozen=True)
class NearestRecording:
    """The recording that is nearest to a sound, and what is usual."""

    recording: str
    """Its file name."""
    distance_db: float
    """Mean difference of mel bands, over the sound's seconds, each at the place that is nearest."""
    begins_s: float
    """Where in the sound its nearest second begins."""
    recording_s: float
    """Where in the recording that is."""
    usual_db: float
    """9 in 10 of the recordings are further than this from all others; NaN of a single one."""

    @property
    def is_nearer_than_usual(self) -> bool:
        """Whether it is more like a recording than those are like each other."""
        return self.distance_db < self.usual_db

    def __str__(self) -> str:
        others = f"; 9 in 10 of your recordings are {self.usual_db:.1f} dB and more from all others"
        usual = "" if math.isnan(self.usual_db) else others
        return (
            f"nearest recording: {self.recording}, {self.distance_db:.1f} dB away on average, "
            f"{self.begins_s:.2f} s there {self.recording_s:.2f} s{usual}"
        )


class Neighbours:
    """The recordings that a model's prior learned from, as mel frames out of their codes.

    A sound and the recordings go through the same decoder, so that what it leaves out plays no
    part. The loudest moment of each is at the same level.

    Args:
        model: with a prior.

    Raises:
        PriorError: it has none, or another model's.
    """

    def __init__(self, model: LoadedVQModel) -> None:
        self._model = model
        self._steps = max(1, round(_WINDOW_S * model.config.step_rate_hz))
        self._names = [sound.name for sound in model.prior.sounds]
        self._frames = [self._frames_of(sound.codes.T) for sound in model.prior.sounds]

    def nearest(self, codes: Codes) -> NearestRecording:
        """The recording that a sound is nearest to.

        Args:
            codes: of the sound.

        Raises:
            CodesError: codes of another model.
        """
        self._model.check_codes(codes)
        windows = self._windows(self._frames_of(codes.indices))
        found = [_nearest_places(windows, frames, self._steps) for frames in self._frames]
        means = [float(distances.mean()) for distances, _ in found]
        which = min(range(len(means)), key=means.__getitem__)
        distances, places = found[which]
        window = int(distances.argmin())
        step_s = 1 / self._model.config.step_rate_hz
        return NearestRecording(
            recording=self._names[which],
            distance_db=means[which],
            begins_s=self._starts(codes.steps)[window] * step_s,
            recording_s=int(places[window]) * step_s,
            usual_db=self.usual_db,
        )

    @cached_property
    def usual_db(self) -> float:
        """See `NearestRecording`."""
        count = len(self._frames)
        if count < 2:
            return math.nan
        judged = range(0, count, -(-count // _MOST_JUDGED))
        return float(torch.tensor([self._from_others(n) for n in judged]).quantile(_SHARE))

    def _from_others(self, which: int) -> float:
        windows = self._windows(self._frames[which])
        windows = windows[:: -(-len(windows) // _MOST_WINDOWS)]
        others = [frames for number, frames in enumerate(self._frames) if number != which]
        return min(float(_nearest_places(windows, x, self._steps)[0].mean()) for x in others)

    def _frames_of(self, indices: Tensor) -> Tensor:
        """Codes, (level, steps), to a mel frame in dB for each step, (steps, n_mels)."""
        magnitude = self._model.spectrogram.magnitude(self._model.mel_of(indices)).cpu()
        of_step = F.avg_pool1d(20 * magnitude.log10()[None], self._model.config.stride)[0].T
        short = max(0, self._steps - len(of_step))  # silence behind it
        silence = 20 * math.log10(float(self._model.spectrogram.magnitude(torch.tensor(-1e4))))
        return F.pad(of_step, (0, 0, 0, short), value=silence)

    def _starts(self, steps: int) -> Sequence[int]:
        """Of windows side by side; the last one ends with the sound."""
        last = max(0, steps - self._steps)
        return sorted({*range(0, last, self._steps), last})

    def _windows(self, frames: Tensor) -> Tensor:
        """(windows, steps * n_mels)."""
        starts = self._starts(len(frames))
        return torch.stack([frames[at : at + self._steps].flatten() for at in starts])


def _nearest_places(windows: Tensor, frames: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Mean absolute difference of each window from where it fits best, and where that is."""
    best = torch.full((len(windows),), math.inf)
    places = torch.zeros(len(windows), dtype=torch.int64)
    for begin in range(0, len(frames) - steps + 1, _PLACES_AT_ONCE):
        part = frames[begin : begin + _PLACES_AT_ONCE + steps - 1]
        there = part.unfold(0, steps, 1).movedim(2, 1).flatten(1)
        least, place = (torch.cdist(windows, there, p=1.0) / windows.shape[1]).min(dim=1)
        places = torch.where(least < best, place + begin, places)
        best = torch.minimum(best, least)
    return best, places
