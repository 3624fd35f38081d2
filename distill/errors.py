"""Every error distill raises on purpose.

Each says what was expected, what was found and where, and what to do; each also inherits the
matching builtin, so `except ValueError` keeps working for people who do not know our names. The
widest of each subject are in `distill` too (`distill.ModelFileError`), all are in `distill.errors`.
"""

from distill.names import printable


class DistillError(Exception):
    """Base of every error distill raises on purpose."""


class OutsideDataError(DistillError, ValueError):
    """Data from outside is of another type, out of its range, too large, or no file at all."""


class ConfigError(DistillError, ValueError):
    """A setting is outside its range, of the wrong type, or unknown."""


class ShapeError(DistillError, ValueError):
    """A tensor does not have the shape a function works on."""


class AudioFileError(DistillError, ValueError):
    """A sound file cannot be read, or cannot be written."""


class CorpusError(DistillError, ValueError):
    """No usable sound was found where a corpus was looked for."""


class CodesError(DistillError, ValueError):
    """Codes do not fit the model, or a file of codes is damaged."""


class LatentsError(DistillError, ValueError):
    """Latents do not fit the model, or a file of latents is damaged."""


class OutputExistsError(DistillError, FileExistsError):
    """Something lies where a file was to be written that is not ours to replace."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.strerror = message  # as of every other OSError


class NotEnoughMemoryError(DistillError, MemoryError):
    """Memory ran out while something was worked on."""


class RunFolderError(DistillError, RuntimeError):
    """A run folder cannot be used: taken by another trainer, not empty, or not a run."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))  # it names paths of any kind


class ForeignEntryError(RunFolderError, OSError):
    """A link, a pipe or something else lies where distill keeps a file or folder of its own."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.strerror = str(self)  # as of every other OSError


class RunLostError(RunFolderError):
    """A run folder was moved or deleted, or its disk taken away, while it was trained."""


class IncompleteRunError(RunFolderError):
    """What is shown of a run is not everything: some of its events cannot be read."""


class RunnerBusyError(DistillError, RuntimeError):
    """A runner was asked to start a second training while one is running."""


class TrainingError(DistillError, RuntimeError):
    """Training had to end."""


class NonFiniteError(TrainingError):
    """NaN or Inf reached a place where it would do lasting harm."""


class CheckpointError(DistillError, ValueError):
    """A checkpoint is damaged or does not fit."""


class ModelFileError(DistillError, ValueError):
    """A `.distill` file cannot be used; the subclasses say why."""


class NotAModelError(ModelFileError):
    """The file is not a `.distill` file."""


class ModelVersionError(ModelFileError):
    """The file was written in a version of the format this distill does not know."""


class ModelTypeError(ModelFileError):
    """The file holds another family of model."""


class CorruptModelError(ModelFileError):
    """The file is a `.distill` file, but truncated or altered."""


class PriorError(DistillError, ValueError):
    """A model has no prior to make new sounds with, or one that was made for another model."""


class RecipeError(DistillError, ValueError):
    """A sound that cannot be made again: no recipe, or one of another model, prior or prompt."""


class UninitialisedError(DistillError, RuntimeError):
    """A model was asked for codes before its codebooks held anything."""


class PartError(DistillError, IndexError):
    """A part of a sound was asked for that is not there, or is too long to be made at once."""


class AtlasError(DistillError, ValueError):
    """An atlas cannot be made, or cannot answer; the subclasses say why else."""


class AtlasFileError(AtlasError):
    """A file of an atlas is missing, damaged, or something else."""


class AtlasModelError(AtlasError):
    """An atlas was given together with another model than the one it shows."""


class MissingExtraError(DistillError, ImportError):
    """Something was asked for that needs a package that is not installed."""


class ComparisonError(DistillError, ValueError):
    """Models, or sounds to hear through them, cannot be set side by side."""


class LibraryError(DistillError, ValueError):
    """A model of a library cannot be renamed, tagged, deleted or restored."""


class MarkupError(DistillError, TypeError):
    """Something was to be shown on a page that has no place there, as a text for a number."""
