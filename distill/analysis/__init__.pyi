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
)
from .compare.comparison import (
    Comparison as Comparison,
)
from .compare.comparison import (
    compare as compare,
)
from .compare.identity import (
    ModelIdentity as ModelIdentity,
)
from .compare.identity import (
    identify as identify,
)
from .compare.rate import (
    FileRate as FileRate,
)
from .compare.rate import (
    RateReport as RateReport,
)
from .compare.rate import (
    rate_distortion as rate_distortion,
)
from .library.library import (
    ModelLibrary as ModelLibrary,
)
from .library.library_model import (
    LibraryModel as LibraryModel,
)
from .library.library_model import (
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
)
from .sound.entry_sounds import (
    entry_sounds as entry_sounds,
)
