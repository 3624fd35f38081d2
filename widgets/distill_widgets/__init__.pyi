from .audio_player import (
    AudioPlayer as AudioPlayer,
)
from .audio_player import (
    SoundRow as SoundRow,
)
from .audio_player import (
    Stage as Stage,
)
from .dashboard import (
    TrainingDashboard as TrainingDashboard,
)
from .live_chart import (
    LiveChart as LiveChart,
)
