from .cache import (
    audio_cache_dir as audio_cache_dir,
    clear_audio_cache as clear_audio_cache,
)
from .corpus import (
    AudioCorpus as AudioCorpus,
    AudioFile as AudioFile,
    Refusal as Refusal,
)
from .demo import (
    make_demo_corpus as make_demo_corpus,
)
from .distance import (
    SEVEN_SCALES as SEVEN_SCALES,
    TWO_SCALES as TWO_SCALES,
    mel_distance as mel_distance,
    stft_distance as stft_distance,
)
from .io import (
    AudioInfo as AudioInfo,
    SoundPieces as SoundPieces,
    is_reconstruction as is_reconstruction,
    open_writer as open_writer,
    probe as probe,
    read_audio as read_audio,
    read_part as read_part,
    read_pieces as read_pieces,
    resample as resample,
    write_audio as write_audio,
)
from .segments import (
    SegmentSampler as SegmentSampler,
)
from .spectrogram import (
    LogMel as LogMel,
)
from .split import (
    Split as Split,
)
from .vocoder import (
    GriffinLimVocoder as GriffinLimVocoder,
    Vocoder as Vocoder,
)
