from .cache import (
    audio_cache_dir as audio_cache_dir,
)
from .cache import (
    clear_audio_cache as clear_audio_cache,
)
from .corpus import (
    AudioCorpus as AudioCorpus,
)
from .corpus import (
    AudioFile as AudioFile,
)
from .corpus import (
    Refusal as Refusal,
)
from .demo import (
    make_demo_corpus as make_demo_corpus,
)
from .distance import (
    SEVEN_SCALES as SEVEN_SCALES,
)
from .distance import (
    TWO_SCALES as TWO_SCALES,
)
from .distance import (
    mel_distance as mel_distance,
)
from .distance import (
    stft_distance as stft_distance,
)
from .io import (
    AudioInfo as AudioInfo,
)
from .io import (
    SoundPieces as SoundPieces,
)
from .io import (
    is_reconstruction as is_reconstruction,
)
from .io import (
    open_writer as open_writer,
)
from .io import (
    probe as probe,
)
from .io import (
    read_audio as read_audio,
)
from .io import (
    read_part as read_part,
)
from .io import (
    read_pieces as read_pieces,
)
from .io import (
    resample as resample,
)
from .io import (
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
)
from .vocoder import (
    Vocoder as Vocoder,
)
