"""OpenedFolder: a folder, opened once and read from; no link in it is followed.

Folders travel: somebody sends a run, with links in it. Everything here goes from the opened folder
down, a name at a time, and refuses each that is a link; where the system can, by descriptors, so
that also a folder that is exchanged for a link meanwhile leads nowhere.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

from distill.atomic import patiently
from distill.entry_kinds import FILE, FOLDER, Entry, kind_of, names_on_the_way
from distill.errors import ForeignEntryError

SAFE_FLAGS = (
    getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a pipe in the place of a file must not make anybody wait
    | getattr(os, "O_BINARY", 0)
)
"""Of `os.open`, for a file that may be anything by now."""
_A_FOLDER = os.O_RDONLY | SAFE_FLAGS | getattr(os, "O_DIRECTORY", 0)
_BY_DESCRIPTOR = {os.open, os.stat, os.unlink, os.rename, os.mkdir, os.rmdir} <= os.supports_dir_fd
_MAC_GET_PATH, _MAC_PATH_BYTES = 50, 1024  # F_GETPATH

_FolderT = TypeVar("_FolderT", bound="OpenedFolder")


class OpenedFolder:
    """A folder, to read from. Names are relative to it, with `/` between them.

    It is opened where its path leads, also through a link, and stays that folder from then on:
    renaming it, or putting another in its place, changes nothing for who has it open. Methods may
    be called from several threads.

    Every method raises `ForeignEntryError`, which is an OSError too, where a link, a pipe, a device
    or something else lies in the place of what it was asked for; what that leads to is not touched.

    Args:
        path: of the folder.

    Raises:
        OSError: no folder is there, or it may not be entered.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._root: int | None = None
        if _BY_DESCRIPTOR:
            self._root = os.open(self.path, _A_FOLDER & ~getattr(os, "O_NOFOLLOW", 0))
            self._known = os.fstat(self._root)
        else:
            self._known = self.path.stat()
            if not stat.S_ISDIR(self._known.st_mode):
                raise NotADirectoryError(f"{self.path}: no folder")

    def __enter__(self: _FolderT) -> _FolderT:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the folder."""
        root, self._root = self._root, None
        if root is not None:
            os.close(root)
        self._closed = True

    _closed = False

    # --- the folder itself --------------------------------------------------------------------

    @property
    def is_in_place(self) -> bool:
        """Whether its path still leads to it: it was neither moved, nor deleted, nor exchanged."""
        try:
            return os.path.samestat(self.path.stat(), self._known)
        except OSError:
            return False

    @property
    def whereabouts(self) -> Path | None:
        """Where it is now; None where it was deleted, or the system does not say."""
        if self.is_in_place:
            return self.path
        if self._root is None:
            return None
        try:
            if sys.platform == "darwin":
                import fcntl

                asked = fcntl.fcntl(self._root, _MAC_GET_PATH, bytes(_MAC_PATH_BYTES))
                found = Path(os.fsdecode(asked.rstrip(b"\0")))
            else:
                found = Path(f"/proc/self/fd/{self._root}").readlink()
            return found if os.path.samestat(found.stat(), self._known) else None
        except OSError:
            return None

    # --- what is there ------------------------------------------------------------------------

    def stat(self, name: str) -> os.stat_result | None:
        """What the system says of a name, without following a link; None where nothing is."""
        try:
            with self._place(name) as (parent, leaf):
                return os.stat(leaf, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def kind(self, name: str) -> str | None:
        """What lies at a name, as an `Entry` says it; None where nothing is."""
        found = self.stat(name)
        return None if found is None else kind_of(found)

    def check(self, name: str, expected: str = FILE) -> bool:
        """Whether a file (or folder) is at a name.

        Raises:
            ForeignEntryError: something else is.
        """
        kind = self.kind(name)
        if kind not in (None, expected):
            raise self._foreign(name, expected, kind)
        return kind is not None

    def entries(self, name: str = "") -> list[Entry]:
        """What lies in a folder, by name; nothing where there is no such folder."""
        items: list[Entry] = []
        try:
            with (
                self._folder(name) as (here, path),
                os.scandir(path if here is None else here) as it,
            ):
                for item in it:
                    with contextlib.suppress(FileNotFoundError):  # gone since it was listed
                        items.append(Entry(item.name, kind_of(item.stat(follow_symlinks=False))))
        except FileNotFoundError:
            return []
        return sorted(items, key=lambda item: item.name)

    def read(self, name: str) -> BinaryIO:
        """Opens a file to read.

        Raises:
            FileNotFoundError: there is none.
        """
        return os.fdopen(self._open(name, os.O_RDONLY), "rb")

    def read_bytes(self, name: str, limit: int) -> bytes:
        """The whole of a file.

        Args:
            name: of the file.
            limit: most bytes it may have.

        Raises:
            FileNotFoundError: there is none.
            ValueError: it is larger.
        """
        with patiently(lambda: self.read(name)) as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read(limit + 1) if size <= limit else b""
        if size > limit or len(data) > limit:
            raise ValueError(f"{self.path / name}: {size} bytes; expected at most {limit}")
        return data

    # --- inside -------------------------------------------------------------------------------

    def _open(self, name: str, flags: int) -> int:
        with self._place(name) as (parent, leaf):
            before = self._refuse_odd(name, parent, leaf)  # also: opening a device can do things
            try:
                descriptor = os.open(leaf, flags | SAFE_FLAGS, 0o666, dir_fd=parent)
            except OSError as error:
                if self._is_odd(parent, leaf):
                    raise self._foreign(name, FILE) from error
                error.filename = os.fspath(self.path / name)  # the last name alone says little
                raise
            opened = os.fstat(descriptor)
            # Without descriptors a link may have come there since, and have been followed.
            moved = parent is None and before is not None and not os.path.samestat(opened, before)
            if moved or not stat.S_ISREG(opened.st_mode):
                os.close(descriptor)
                raise self._foreign(name, FILE)
            return descriptor

    @contextlib.contextmanager
    def _place(self, name: str) -> Iterator[tuple[int | None, Path]]:
        """(descriptor of its folder, its last name); or (None, its path), where there are none."""
        *folders, leaf = names_on_the_way(name)
        with self._folder("/".join(folders)) as (folder, path):
            yield folder, Path(leaf) if folder is not None else path / leaf

    @contextlib.contextmanager
    def _folder(self, name: str) -> Iterator[tuple[int | None, Path]]:
        """(descriptor of a folder, its path)."""
        if self._closed:
            raise ValueError(f"{self.path}: was closed")
        parts = names_on_the_way(name) if name else []
        path, descriptor = self.path, self._root
        with contextlib.ExitStack() as opened:
            if descriptor is not None:  # one of our own: threads share no place in a listing
                descriptor = os.open(".", _A_FOLDER, dir_fd=descriptor)
                opened.callback(os.close, descriptor)
            for depth, part in enumerate(parts, 1):
                path /= part
                here = Path(part) if descriptor is not None else path
                found = os.stat(here, dir_fd=descriptor, follow_symlinks=False)
                if kind_of(found) != FOLDER:
                    raise self._foreign("/".join(parts[:depth]), FOLDER, kind_of(found))
                if descriptor is not None:
                    try:
                        descriptor = os.open(here, _A_FOLDER, dir_fd=descriptor)
                    except NotADirectoryError as error:  # exchanged since, or a link: Linux
                        raise self._foreign("/".join(parts[:depth]), FOLDER) from error
                    except OSError as error:
                        if self._is_odd(descriptor, here, FOLDER):
                            raise self._foreign("/".join(parts[:depth]), FOLDER) from error
                        raise
                    opened.callback(os.close, descriptor)
            yield descriptor, path

    def _refuse_odd(self, name: str, parent: int | None, leaf: Path) -> os.stat_result | None:
        try:
            found = os.stat(leaf, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            return None
        if kind_of(found) != FILE:
            raise self._foreign(name, FILE, kind_of(found))
        return found

    def _is_odd(self, parent: int | None, leaf: Path, expected: str = FILE) -> bool:
        try:
            return kind_of(os.stat(leaf, dir_fd=parent, follow_symlinks=False)) != expected
        except OSError:
            return False

    def _foreign(self, name: str, expected: str, kind: str | None = None) -> ForeignEntryError:
        what = kind or "something else, which came there meanwhile"
        return ForeignEntryError(
            f"{self.path / name}: {what} where distill keeps {expected} of its own; nothing there "
            "was followed, read or changed: move it away"
        )


def open_to_read(folder: Path, name: str) -> BinaryIO:
    """Opens a file of a folder to read, as `OpenedFolder.read` does, for those who poll.

    Args:
        folder: its path; links on the way to it are followed.
        name: of a file right in it.

    Raises:
        FileNotFoundError: there is none.
        ForeignEntryError: something else is there.
    """
    if _BY_DESCRIPTOR:  # and so a way to open no link
        path = f"{folder}/{name}"
        try:
            if stat.S_ISREG(os.lstat(path).st_mode):
                file = os.fdopen(os.open(path, os.O_RDONLY | SAFE_FLAGS), "rb")
                if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    return file
                file.close()
        except FileNotFoundError:
            raise
        except OSError:
            pass  # what follows finds the words for it
    with OpenedFolder(folder) as opened:
        return opened.read(name)
