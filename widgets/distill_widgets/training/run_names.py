"""Names of new runs: what a folder may be called, and which name is free."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

from distill.errors import RunFolderError
from distill.training.run.folder import RunFolder

_LONGEST = 60
_REFUSED = frozenset('/\\:*?"<>|')  # one of these means another folder somewhere


def suggest_name(sounds: Path, runs_folder: Path) -> str:
    """A free name after the folder of sounds."""
    name = re.sub(r"[^\w-]+", "-", sounds.name).strip("-_")[: _LONGEST - 4] or "run"
    return next_free(name, runs_folder)


def next_free(name: str, runs_folder: Path) -> str:
    """The name itself, or with the first number that makes it free: takes, takes-2 and so on.

    Numbers continue from the one a name ends with.
    """
    if _is_free(runs_folder / name):
        return name
    ending = re.search(r"-(\d{1,6})$", name)
    stem, first = (name[: ending.start()], int(ending[1]) + 1) if ending else (name, 2)
    names = (f"{stem}-{number}" for number in itertools.count(first))
    return next(name for name in names if _is_free(runs_folder / name))


def what_is_wrong(name: str, runs_folder: Path) -> tuple[str, str]:
    """Why a run cannot have a name, and one it could have instead ("" where that helps nobody).

    Both are empty for a good name; nothing is raised.
    """
    if not name:
        return f"The run needs a name: it becomes a folder in {runs_folder}.", ""
    if wrong := bad_name(name):
        return wrong, ""
    try:
        RunFolder(runs_folder / name).check_free()
    except RunFolderError:
        kind = "a run" if RunFolder(runs_folder / name).is_run else "something else"
        free = next_free(name, runs_folder)
        return f"{name}: {kind} of that name is in {runs_folder} already; {free} is free.", free
    except OSError as error:
        return f"{runs_folder / name}: cannot be looked at ({error.strerror}).", ""
    return "", ""


def bad_name(name: str) -> str:
    """Why no file or folder can have a name everywhere; "" where it can."""
    bad = next((sign for sign in name if sign in _REFUSED or not sign.isprintable()), None)
    if bad is not None:
        return f"{name!r}: {bad!r} cannot be part of a name; use letters, digits, - and _."
    if name.startswith(".") or name.endswith("."):
        return f"{name!r}: a name neither begins nor ends with a dot."
    if len(name) > _LONGEST:
        return f"{name[:20]}…: a name has at most {_LONGEST} letters."
    return ""


def _is_free(path: Path) -> bool:
    try:
        RunFolder(path).check_free()
    except RunFolderError:
        return False
    except OSError:  # nobody knows; whoever begins a run there will
        return True
    return True
