"""Recordings as new files of a folder of sounds."""

from __future__ import annotations

import itertools
import os
import threading
from pathlib import Path

from distill.audio.io import write_audio
from distill.errors import AudioFileError, OutputExistsError
from distill.names import printable
from distill.words import duration
from distill_widgets.sounds.recorder import Recording
from distill_widgets.training.run_names import bad_name

_ENDING = ".wav"
_saving = threading.Lock()  # two pages may choose the same name at once


def save_recording(folder: Path, recording: Recording) -> str:
    """Writes a recording as a new WAV file, never over another; says where it is.

    Args:
        folder: of sounds.
        recording: with a name, to which `.wav` is added.

    Raises:
        AudioFileError: no name that a file can have, or it cannot be written.
        OutputExistsError: a file of that name is there; a free one is named.
    """
    name = recording.name.strip().removesuffix(_ENDING)
    if not name:
        raise AudioFileError("the recording needs a name")
    if wrong := bad_name(name):
        raise AudioFileError(wrong)
    with _saving:
        path = folder / f"{name}{_ENDING}"
        if os.path.lexists(path):
            raise OutputExistsError(
                f"{printable(path.name)}: a file of that name is there already, and stays; "
                f"{_free(folder, name)} is free"
            )
        write_audio(path, recording.waveform, recording.sample_rate)
    return f"{printable(path.name)} saved: {duration(recording.seconds)}, in {printable(folder)}"


def _free(folder: Path, name: str) -> str:
    names = (f"{name}-{number}" for number in itertools.count(2))
    return next(name for name in names if not os.path.lexists(folder / f"{name}{_ENDING}"))
