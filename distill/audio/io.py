"""Reads, writes and probes sound files: the public names of the modules that do it."""

from distill.audio.file_types import AUDIO_EXTENSIONS as AUDIO_EXTENSIONS
from distill.audio.reading import DecodedSound as DecodedSound
from distill.audio.reading import SoundPieces as SoundPieces
from distill.audio.reading import decode as decode
from distill.audio.reading import probe as probe
from distill.audio.reading import read_audio as read_audio
from distill.audio.reading import read_part as read_part
from distill.audio.reading import read_pieces as read_pieces
from distill.audio.reconstruction_mark import is_reconstruction as is_reconstruction
from distill.audio.resampling import resample as resample
from distill.audio.sound_file import AudioInfo as AudioInfo
from distill.audio.writing import open_writer as open_writer
from distill.audio.writing import write_audio as write_audio
