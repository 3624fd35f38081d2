from .codes import (
    NO_CODE as NO_CODE,
    Codes as Codes,
)
from .counts import (
    corrected_utilization as corrected_utilization,
    count_codes as count_codes,
    dead_codes as dead_codes,
    entropy_bits as entropy_bits,
    perplexity as perplexity,
    utilization as utilization,
    utilization_ceiling as utilization_ceiling,
)
from .health import (
    LevelHealth as LevelHealth,
    codebook_health as codebook_health,
)
from .labels import (
    level_labels as level_labels,
)
