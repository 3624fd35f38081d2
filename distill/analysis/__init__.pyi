from .atlas.atlas import (
    CodebookAtlas as CodebookAtlas,
)
from .atlas.build import (
    build_atlas as build_atlas,
)
from .atlas.moments import (
    Moment as Moment,
)
from .compare.comparison import (
    ComparedModel as ComparedModel,
    Comparison as Comparison,
    compare as compare,
)
from .compare.identity import (
    ModelIdentity as ModelIdentity,
    identify as identify,
)
from .compare.rate import (
    FileRate as FileRate,
    RateReport as RateReport,
    rate_distortion as rate_distortion,
)
from .library.library import (
    ModelLibrary as ModelLibrary,
)
from .library.library_model import (
    LibraryModel as LibraryModel,
    RefusedModel as RefusedModel,
)
from .library.trash import (
    TrashedModel as TrashedModel,
)
from .sound.code_sounds import (
    CodeParts as CodeParts,
)
from .sound.entry_sounds import (
    entry_sound as entry_sound,
    entry_sounds as entry_sounds,
)
from .sound.nearest import (
    NearestRecording as NearestRecording,
    Neighbours as Neighbours,
)
