from .codes import (
    NO_CODE as NO_CODE,
)
from .codes import (
    Codes as Codes,
)
from .health import (
    LevelHealth as LevelHealth,
)
from .health import (
    codebook_health as codebook_health,
)
from .health import (
    corrected_utilization as corrected_utilization,
)
from .health import (
    count_codes as count_codes,
)
from .health import (
    dead_codes as dead_codes,
)
from .health import (
    entropy_bits as entropy_bits,
)
from .health import (
    perplexity as perplexity,
)
from .health import (
    utilization as utilization,
)
from .health import (
    utilization_ceiling as utilization_ceiling,
)
from .labels import (
    level_labels as level_labels,
)
