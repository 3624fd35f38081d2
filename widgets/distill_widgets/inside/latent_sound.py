"""The sound that a `LatentExplorer` begins with, in whatever form a person has it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from distill.arrays import as_rate, as_sound
from distill.audio.io import read_part
from distill.errors import LatentsError
from distill.latent.latents import Latents
from distill.models.use.base import Waveform
from distill.models.use.loaded_vae import LoadedVAE
from distill_widgets.sounds.audio_player import Sound

LatentSource = tuple[Waveform, int] | str | os.PathLike[str] | Latents
LONGEST_S = 20.0
"""Of longer recordings the beginning: every move decodes all of it anew."""


@dataclass(frozen=True)
class LatentSound:
    """A sound as a model encodes it, and as it was recorded."""

    latents: Latents
    recording: Sound | None
    """None where latents were given."""
    name: str = ""
    """Of its file."""


def open_sound(model: LoadedVAE, sound: LatentSource) -> LatentSound:
    """Encodes a sound, of a long one the first `LONGEST_S` seconds.

    Args:
        model: the one that encodes it, or has encoded it.
        sound: (waveform (samples,), its rate), the path of a sound file, or latents.

    Raises:
        LatentsError: latents of another model, or something that is no sound.
        ShapeError, ConfigError: a waveform that is not mono, or a rate that is none.
        AudioFileError: a file that cannot be read.
    """
    if isinstance(sound, Latents):
        model.check_latents(sound)
        return LatentSound(sound, None)
    name = ""
    if isinstance(sound, (str, os.PathLike)):
        name = Path(sound).name
        waveform, rate = read_part(sound, 0, LONGEST_S)
    elif isinstance(sound, tuple) and len(sound) == 2:
        waveform, rate = as_sound(sound[0]).cpu(), as_rate(sound[1])
    else:
        raise LatentsError(
            f"sound is a {type(sound).__name__}; expected (waveform, sample_rate), the path of a "
            "sound file, or Latents"
        )
    beginning = waveform[: round(LONGEST_S * rate)]
    return LatentSound(model.encode(beginning, rate), (beginning.numpy(), rate), name)
