from .codes import (
    NO_CODE as NO_CODE,
)
from .codes import (
    Codes as Codes,
)
from .counts import (
    corrected_utilization as corrected_utilization,
)
from .counts import (
    count_codes as count_codes,
)
from .counts import (
    dead_codes as dead_codes,
)
from .counts import (
    entropy_bits as entropy_bits,
)
from .counts import (
    perplexity as perplexity,
)
from .counts import (
    utilization as utilization,
)
from .counts import (
    utilization_ceiling as utilization_ceiling,
)
from .health import (
    LevelHealth as LevelHealth,
)
from .health import (
    codebook_health as codebook_health,
)
from .labels import (
    level_labels as level_labels,
)
