from .charts.live_chart import (
    LiveChart as LiveChart,
)
from .inside.codebook_explorer import (
    CodebookExplorer as CodebookExplorer,
)
from .inside.codes_recorder import (
    CodesRecorder as CodesRecorder,
)
from .inside.codes_view import (
    CodesView as CodesView,
)
from .inside.generator import (
    Generator as Generator,
)
from .inside.latent_explorer import (
    LatentExplorer as LatentExplorer,
)
from .inside.rate_view import (
    RateView as RateView,
)
from .library.compare_view import (
    CompareView as CompareView,
)
from .library.model_card import (
    ModelCard as ModelCard,
)
from .library.model_library import (
    ModelLibraryView as ModelLibraryView,
)
from .sounds.audio_player import (
    AudioPlayer as AudioPlayer,
    SoundRow as SoundRow,
    Stage as Stage,
)
from .training.dashboard import (
    TrainingDashboard as TrainingDashboard,
)
from .training.folder_chooser import (
    FolderChooser as FolderChooser,
)
from .training.report import (
    Report as Report,
    report as report,
)
from .training.train_panel import (
    TrainPanel as TrainPanel,
)
