"""ModelLibrary: the model files below a folder, found, named, tagged and put away."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

from distill.analysis.library import report as library_report
from distill.analysis.library.folder_walk import walk_folders
from distill.analysis.library.library_model import LibraryModel, RefusedModel, shelved
from distill.analysis.library.trash import TrashedModel, find_trash, move_to_trash, put_back
from distill.errors import LibraryError, ModelFileError
from distill.file_names import MODEL_SUFFIX
from distill.models.file.info import read_model_info
from distill.models.file.persistence import edit_metadata
from distill.names import as_path, printable
from distill.training.run import states
from distill.training.run.folder import RunFolder

Moment = date | datetime


class ModelLibrary:
    """Every `.distill` file below a folder, also inside run folders, newest first.

    Only headers are read. Files keep their place: a name and tags live inside the file, so they
    travel with it. Damaged and foreign files are listed with their reason.

    Args:
        folder: searched at every depth; hidden folders and links to folders are not.

    Raises:
        LibraryError: no such folder.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = as_path(folder, LibraryError).absolute()
        if not self.folder.is_dir():
            raise LibraryError(f"{printable(self.folder)}: no such folder")
        self._known: dict[Path, _Seen] = {}
        self.models: tuple[LibraryModel, ...] = ()
        self.refused: tuple[RefusedModel, ...] = ()
        self.refresh()

    def refresh(self) -> None:
        """Reads the folder anew; a file that did not change is not read again."""
        paths, refused = _model_files(self.folder)
        found = {path: self._read_entry(path) for path in paths}
        self._known = {path: seen for path, seen in found.items() if seen}
        items = [*refused, *(item for _, item in self._known.values())]
        models = [item for item in items if isinstance(item, LibraryModel)]
        self.models = tuple(sorted(models, key=lambda model: model.created, reverse=True))
        self.refused = tuple(item for item in items if isinstance(item, RefusedModel))

    def search(
        self,
        text: str | None = None,
        *,
        tag: str | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
        minimum_health: float | None = None,
    ) -> tuple[LibraryModel, ...]:
        """The models that fit every condition, newest first.

        Args:
            text: part of the name or description, in any case.
            tag: one of its tags, in any case.
            since: made then or later; without a time zone: this computer's.
            until: made then or earlier; a date means its whole day.
            minimum_health: lowest share of entries in use among its levels, 0 to 1; a model whose
                health is not known does not fit.
        """
        earliest, latest = _instant(since, end=False), _instant(until, end=True)
        return tuple(
            model
            for model in self.models
            if (text is None or text.casefold() in f"{model.name}\n{model.description}".casefold())
            and (tag is None or tag.casefold() in map(str.casefold, model.tags))
            and (earliest is None or model.created >= earliest)
            and (latest is None or model.created <= latest)
            and (minimum_health is None or (model.health or 0.0) >= minimum_health)
        )

    def rename(self, model: LibraryModel | str | os.PathLike[str], name: str) -> LibraryModel:
        """Gives a model another name; the file keeps its own.

        Raises:
            LibraryError: an empty name, no model of this library, or one being trained.
            ModelFileError: the file is damaged, or cannot be written.
        """
        if not name.strip():
            raise LibraryError("an empty name: expected one that people can read")
        return self._edit(model, name=name.strip())

    def tag(self, model: LibraryModel | str | os.PathLike[str], *tags: str) -> LibraryModel:
        """Adds tags to a model, each once.

        Raises:
            LibraryError: an empty tag, no model of this library, or one being trained.
            ModelFileError: the file is damaged, or cannot be written.
        """
        if not tags or not all(tag.strip() for tag in tags):
            raise LibraryError("an empty tag: expected one or more words")
        known = self._fresh(model)
        return self._edit(model, tags=list(dict.fromkeys([*known, *(t.strip() for t in tags)])))

    def untag(self, model: LibraryModel | str | os.PathLike[str], *tags: str) -> LibraryModel:
        """Takes tags away from a model; one it does not have is no error.

        Raises:
            LibraryError: no model of this library, or one being trained.
            ModelFileError: the file is damaged, or cannot be written.
        """
        return self._edit(model, tags=[tag for tag in self._fresh(model) if tag not in tags])

    def delete(self, model: LibraryModel | RefusedModel | str | os.PathLike[str]) -> TrashedModel:
        """Moves a file, also a damaged one, into the folder `.trash` beside it.

        Raises:
            LibraryError: no file of this library, one being trained, or it cannot be moved.
        """
        trashed = move_to_trash(self._path(model))
        self.refresh()
        return trashed

    @property
    def trash(self) -> tuple[TrashedModel, ...]:
        """What was deleted below this folder and can be restored, the latest first."""
        return find_trash(self.folder)

    def restore(self, trashed: TrashedModel) -> Path:
        """Moves a deleted file back to where it was; returns its path.

        Raises:
            LibraryError: another file is there now, or the deleted one is gone.
        """
        put_back(trashed)
        self.refresh()
        return trashed.original

    def __len__(self) -> int:
        return len(self.models)

    def __iter__(self) -> Iterator[LibraryModel]:
        return iter(self.models)

    def __repr__(self) -> str:
        return library_report.as_text(self.folder, self.models, self.refused)

    def _repr_html_(self) -> str:
        return library_report.as_html(self.folder, self.models, self.refused)

    def _edit(self, model: Any, **changes: Any) -> LibraryModel:
        path = self._path(model)
        edited = shelved(edit_metadata(path, **changes), self.folder)
        self.refresh()
        return edited

    def _fresh(self, model: Any) -> tuple[str, ...]:
        """The tags in the file now, whatever was known of it."""
        return shelved(read_model_info(self._path(model)), self.folder).tags

    def _path(self, model: Any) -> Path:
        named = model.path if isinstance(model, (LibraryModel, RefusedModel)) else Path(model)
        # Unlike resolve it follows no link.
        path = Path(os.path.normpath(self.folder / named))
        if path not in _model_files(self.folder)[0]:
            raise LibraryError(f"{printable(named)}: no model file below {printable(self.folder)}")
        run = RunFolder(path.parent)
        if run.is_run and run.model_path == path and run.read_state() in states.ACTIVE:
            raise LibraryError(
                f"{printable(path.parent.name)}: is being trained and will write its model again; "
                "stop it, or wait for its end"
            )
        return path

    def _read_entry(self, path: Path) -> _Seen | None:
        try:
            found = path.stat()
        except FileNotFoundError as error:
            if not path.is_symlink():  # gone since the folder was listed
                return None
            return (), _unreadable(path, error)
        except OSError as error:
            return (), _unreadable(path, error)
        stamp = found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size
        known = self._known.get(path)
        if known and known[0] == stamp:
            return known
        try:
            return stamp, shelved(read_model_info(path), self.folder)
        except ModelFileError as error:
            return stamp, RefusedModel(path, str(error))


_Seen = tuple[tuple[int, ...], LibraryModel | RefusedModel]
"""What changes with a file, and what was found in it."""


def _model_files(folder: Path) -> tuple[list[Path], list[RefusedModel]]:
    """Model files below a folder, and what cannot be looked into or is called like one."""
    paths, refused = [], []
    for seen in walk_folders(folder):
        if seen.trouble:
            reason = f"{printable(seen.path)}: cannot be looked into ({seen.trouble})"
            refused.append(RefusedModel(seen.path, reason))
        paths += [seen.path / name for name in seen.files if _is_model(name)]
        refused += [
            RefusedModel(seen.path / name, f"{printable(name)}: a folder; expected a file")
            for name in seen.folders
            if _is_model(name)
        ]
    return paths, refused


def _is_model(name: str) -> bool:
    return name.endswith(MODEL_SUFFIX) and not name.startswith(".")


def _unreadable(path: Path, error: OSError) -> RefusedModel:
    return RefusedModel(path, f"{printable(path)}: cannot be read ({error.strerror})")


def _instant(moment: Moment | None, *, end: bool) -> datetime | None:
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        time = datetime.max.time() if end else datetime.min.time()
        moment = datetime.combine(moment, time)
    try:
        return moment.astimezone(timezone.utc)
    except (OverflowError, ValueError, OSError):  # the first or last days that there are
        return moment.replace(tzinfo=timezone.utc)
