from .atlas import (
    CodebookAtlas as CodebookAtlas,
)
from .atlas_build import (
    build_atlas as build_atlas,
)
from .comparison import (
    ComparedModel as ComparedModel,
)
from .comparison import (
    Comparison as Comparison,
)
from .comparison import (
    compare as compare,
)
from .entries import (
    entry_sound as entry_sound,
)
from .entries import (
    entry_sounds as entry_sounds,
)
from .identity import (
    ModelIdentity as ModelIdentity,
)
from .identity import (
    identify as identify,
)
from .library import (
    ModelLibrary as ModelLibrary,
)
from .moments import (
    Moment as Moment,
)
from .parts import (
    CodeParts as CodeParts,
)
from .rate import (
    FileRate as FileRate,
)
from .rate import (
    RateReport as RateReport,
)
from .rate import (
    rate_distortion as rate_distortion,
)
from .shelf import (
    LibraryModel as LibraryModel,
)
from .shelf import (
    RefusedModel as RefusedModel,
)
from .trash import (
    TrashedModel as TrashedModel,
)
