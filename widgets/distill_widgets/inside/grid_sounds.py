"""What is heard of a grid of codes: by key, as a page asks for it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from distill.analysis.sound.code_sounds import CodeParts
from distill.analysis.sound.entry_sounds import entry_sound, samples_per_step
from distill.audio.fades import faded
from distill.audio.io import read_audio, read_part
from distill.codebook.codes import NO_CODE, Codes
from distill.errors import CodesError, PartError
from distill.models.use.loaded import LoadedVQModel, Waveform, check_waveform
from distill_widgets.sounds.sound_keys import FIRST, ORIGINAL, SoundKey, Source, sound_key

COMMON_PEAK = 0.5
"""What quiet things are brought to, so that they are heard at all."""
_MOST_GAIN = 1000.0  # 60 dB: what is quieter than that is silence, and stays it
PIECE_S = 10.0
"""Long sounds are made in pieces of this length: the first is heard after less than a second."""
WHOLE_S = 20.0
"""A sound up to this length is one piece, exactly what the model decodes."""
_BORDER_STEPS = 4  # what the decoder sees around a step

CodeSource = tuple[Waveform, int] | str | os.PathLike[str] | Codes
Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class PlayedSound:
    """A sound to play."""

    samples: Samples
    """(samples,) in [-1, 1]."""
    sample_rate: int
    gain: float = 1.0
    """How much louder it was made."""


class GridSounds:
    """The sounds inside one grid of codes, and the original where there is one.

    A page names them by key; see `sound_keys`.

    Args:
        model: the one that made the codes, or shall make them.
        sound: (waveform (samples,), its rate), a path, or codes, which have no original.
        seconds: how long a single entry is held.

    Raises:
        CodesError: codes of another model, or something that is no sound.
        ShapeError, ConfigError: a waveform that is not mono, or a rate that is none.
        AudioFileError: a file that cannot be read.
    """

    def __init__(self, model: LoadedVQModel, sound: CodeSource, *, seconds: float) -> None:
        self.name = ""
        self._seconds = seconds
        self._original: Callable[[float, float], PlayedSound] | None = None
        codes = self._opened(model, sound)
        self._parts = CodeParts(model, codes, seconds=seconds)
        self._gains: dict[int, float] = {}

    @property
    def codes(self) -> Codes:
        """The grid."""
        return self._parts.codes

    @property
    def has_original(self) -> bool:
        """Whether there is something to compare with."""
        return self._original is not None

    @property
    def piece_steps(self) -> int:
        """Steps of a piece; the last one has what is left."""
        if self.codes.steps * self.codes.step_seconds <= WHOLE_S:
            return self.codes.steps
        return max(1, round(PIECE_S / self.codes.step_seconds))

    def get(self, key: str) -> PlayedSound:
        """The sound of a key, made when it is asked for.

        Raises:
            PartError: no such level, step or piece, or no such key.
            AudioFileError: the original cannot be read any more.
        """
        match sound_key(key):
            case SoundKey("cell", (level, step)):
                return self._cell(level, step)
            case SoundKey("moment", (step,)):
                column = self._parts.column(step)
                return PlayedSound(column.numpy(), self._parts.sample_rate)
            case SoundKey("part", (piece,), Source() as source):
                return self._part(source, piece)
        raise PartError(f"{key!r}: not something that can be heard in a grid of codes")

    def _opened(self, model: LoadedVQModel, sound: CodeSource) -> Codes:
        if isinstance(sound, Codes):
            return sound
        if isinstance(sound, (str, os.PathLike)):
            path = Path(sound)
            self.name = path.name
            # The file is kept closed and read again in parts: an hour of sound fills no memory.
            self._original = lambda start_s, seconds: _played(*read_part(path, start_s, seconds))
            return model.encode(*read_audio(path))
        if not (isinstance(sound, tuple) and len(sound) == 2):
            raise CodesError(
                f"sound is a {type(sound).__name__}; expected (waveform, sample_rate), the path of "
                "a sound file, or Codes"
            )
        waveform, rate = check_waveform(sound[0]), sound[1]

        def original(start_s: float, seconds: float) -> PlayedSound:
            start, stop = round(start_s * rate), round((start_s + seconds) * rate)
            return _played(waveform[start : max(start + 1, stop)], rate)

        self._original = original
        return model.encode(waveform, rate)

    def _cell(self, level: int, step: int) -> PlayedSound:
        sound, rate = self._parts.cell(level, step).numpy(), self._parts.sample_rate
        entry = int(self.codes.indices[level, step])
        if not self.codes.peak and entry != NO_CODE:  # of a silent sound the entry is heard anyway
            sound = entry_sound(self._parts.model, level, entry, self._seconds).numpy()
        gain = common_gain(sound)
        return PlayedSound(sound * np.float32(gain), rate, gain)

    def _part(self, source: Source, piece: int) -> PlayedSound:
        start = piece * self.piece_steps
        stop = min(start + self.piece_steps, self.codes.steps)
        if not 0 <= start < stop:
            raise PartError(f"piece={piece}: the sound has no such piece")
        if source.kind == ORIGINAL:
            if self._original is None:
                raise PartError("these codes came without their sound: there is no original")
            step_s = self.codes.step_seconds
            return self._original(start * step_s, (stop - start) * step_s)
        if source.kind == FIRST:
            return PlayedSound(
                self._stretch(lambda a, b: self._parts.upto(source.number, a, b), start, stop),
                self._parts.sample_rate,
            )
        level = source.number
        sound = self._stretch(lambda a, b: self._parts.row(level, a, b), start, stop)
        # One gain for the whole row, so that its pieces go together: that of the first one heard.
        gain = self._gains.setdefault(level, common_gain(sound))
        return PlayedSound(sound * np.float32(gain), self._parts.sample_rate, gain)

    def _stretch(self, make: Callable[[int, int], object], start: int, stop: int) -> Samples:
        """A stretch with what the decoder sees around it, cut and faded where it is cut."""
        begin = max(0, start - _BORDER_STEPS)
        end = min(self.codes.steps, stop + _BORDER_STEPS)
        sound: Samples = np.asarray(make(begin, end))
        per_step = samples_per_step(self._parts.model)
        cut = sound[(start - begin) * per_step :]
        if stop < end:
            cut = cut[: (stop - start) * per_step]
        # Pieces begin with phases of their own: without fades their seams would click.
        return faded(cut, self._parts.sample_rate, begin=start > 0, end=stop < end)


def common_gain(sound: Samples) -> float:
    """What brings a quiet sound to `COMMON_PEAK`; silence stays silent, nothing gets quieter."""
    peak = float(np.abs(sound).max(initial=0))
    return min(max(COMMON_PEAK / peak, 1.0), _MOST_GAIN) if peak else 1.0


def _played(waveform: object, rate: int) -> PlayedSound:
    return PlayedSound(np.asarray(waveform, np.float32), rate)
