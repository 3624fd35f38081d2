"""Reads, writes and probes sound files: the public names of the modules that do it."""

from distill.audio.file_types import AUDIO_EXTENSIONS as AUDIO_EXTENSIONS
from distill.audio.reading import (
    DecodedSound as DecodedSound,
    SoundPieces as SoundPieces,
    decode as decode,
    probe as probe,
    read_audio as read_audio,
    read_part as read_part,
    read_pieces as read_pieces,
)
from distill.audio.reconstruction_mark import (
    is_reconstruction as is_reconstruction,
    read_made_by as read_made_by,
)
from distill.audio.resampling import resample as resample
from distill.audio.sound_file import AudioInfo as AudioInfo
from distill.audio.writing import (
    check_place as check_place,
    open_writer as open_writer,
    write_audio as write_audio,
)
