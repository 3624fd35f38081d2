"""The names in a run folder, and which of them we can have made."""

from __future__ import annotations

import re

from distill.entry_kinds import FILE, FOLDER
from distill.file_names import MODEL_SUFFIX, RUN_REQUEST
from distill.own_folder import OwnFolder

REQUEST, EVENTS, STATUS, CONTROL = RUN_REQUEST, "events.jsonl", "status.json", "control.json"
CHECKPOINTS, PREVIEWS, MODEL = "checkpoints", "previews", f"model{MODEL_SUFFIX}"
MARKS = "marks.json"
CODEC = "codec.safetensors"
"""The model whose codes a run learns; no `.distill` by name, or libraries would list it too."""
WEIGHTS = "weights.safetensors"
"""A model of the weights of a moment, for who asked for it; gone when its trainer is."""
SERIAL, MOMENT = "serial", "moment"
"""In its metadata: the newest command that was received when it was written, and, of a run that
learns codes, how far that was."""
LOCK, CONTROL_LOCK, RESERVE, WORKER_LOG = ".lock", ".control.lock", ".reserve", "worker.log"
OWN_FILES = (
    REQUEST, EVENTS, STATUS, CONTROL, MARKS, CHECKPOINTS, PREVIEWS, MODEL, CODEC, WEIGHTS,
    WORKER_LOG,
)  # fmt: skip
"""What a new run in the same folder replaces."""

_FOLDERS = (CHECKPOINTS, PREVIEWS)
_FILES = tuple(name for name in OWN_FILES if name not in _FOLDERS)
_HIDDEN = (LOCK, CONTROL_LOCK, RESERVE)
_PREVIEW = rf"{PREVIEWS}/(epoch|step)-\d{{1,12}}"
_OURS = re.compile(
    "|".join(
        [
            *map(re.escape, (*OWN_FILES, *_HIDDEN)),
            rf"{CHECKPOINTS}/step-\d{{1,12}}\.(ckpt|damaged)",
            _PREVIEW,
            rf"{_PREVIEW}/\d{{2,6}}-(original|reconstruction)\.wav",
        ]
    )
)


def is_ours(name: str) -> bool:
    """Whether a run can have made a file or folder of this name, relative to its folder.

    Example:
        >>> is_ours("previews/epoch-0010/00-original.wav"), is_ours("previews/.DS_Store")
        (True, False)
    """
    return _OURS.fullmatch(name) is not None


def refuse_foreign(folder: OwnFolder) -> None:
    """Checks that every name of ours is what we would have made there, or nothing.

    Raises:
        ForeignEntryError: a link, or something else; it is named.
    """
    for names, kind in (((*_FILES, *_HIDDEN), FILE), (_FOLDERS, FOLDER)):
        for name in names:
            folder.check(name, kind)
