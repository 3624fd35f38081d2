from .audio_player import (
    AudioPlayer as AudioPlayer,
)
from .audio_player import (
    SoundRow as SoundRow,
)
from .audio_player import (
    Stage as Stage,
)
from .codebook_explorer import (
    CodebookExplorer as CodebookExplorer,
)
from .codes_view import (
    CodesView as CodesView,
)
from .compare_view import (
    CompareView as CompareView,
)
from .dashboard import (
    TrainingDashboard as TrainingDashboard,
)
from .folder_chooser import (
    FolderChooser as FolderChooser,
)
from .live_chart import (
    LiveChart as LiveChart,
)
from .model_card import (
    ModelCard as ModelCard,
)
from .model_library import (
    ModelLibraryView as ModelLibraryView,
)
from .rate_view import (
    RateView as RateView,
)
from .report import (
    Report as Report,
)
from .report import (
    report as report,
)
from .train_panel import (
    TrainPanel as TrainPanel,
)
