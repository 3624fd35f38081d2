"""OwnFolder: a folder of ours, opened once. No link in it is followed, and nothing is removed from
it that we cannot have made.

Folders travel: somebody sends a run, with links in it. Everything here goes from the opened folder
down, a name at a time, and refuses each that is a link; where the system can, by descriptors, so
that also a folder that is exchanged for a link meanwhile leads nowhere.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from distill.atomic import patiently
from distill.errors import ForeignEntryError

FILE, FOLDER = "a file", "a folder"
_KINDS = (
    (stat.S_ISREG, FILE), (stat.S_ISDIR, FOLDER), (stat.S_ISLNK, "a link"),
    (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"),
)  # fmt: skip
_SAFE = (
    getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a pipe in the place of a file must not make anybody wait
    | getattr(os, "O_BINARY", 0)
)
_A_FOLDER = os.O_RDONLY | _SAFE | getattr(os, "O_DIRECTORY", 0)
_BY_DESCRIPTOR = {os.open, os.stat, os.unlink, os.rename, os.mkdir, os.rmdir} <= os.supports_dir_fd
_FOLLOWS_NO_LINK = os.utime not in os.supports_follow_symlinks
_TEMPORARY = re.compile(r"\.(.+)\.[0-9a-f]{8}\.tmp")
_JUNCTION = 0x400  # FILE_ATTRIBUTE_REPARSE_POINT, of Windows
_MAC_GET_PATH, _MAC_PATH_BYTES = 50, 1024  # F_GETPATH

Ours = Callable[[str], bool]
"""Whether a file or folder of this name, relative to the folder, can have been made by us."""


@dataclass(frozen=True)
class Entry:
    """Something that lies in a folder."""

    name: str
    kind: str
    """a file, a folder, a link, a pipe, a socket or a device."""


class OwnFolder:
    """A folder of ours. Names are relative to it, with `/` between them.

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

    def __enter__(self) -> OwnFolder:
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
        return None if found is None else _kind(found)

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
                        items.append(Entry(item.name, _kind(item.stat(follow_symlinks=False))))
        except FileNotFoundError:
            return []
        return sorted(items, key=lambda item: item.name)

    # --- reading and writing ------------------------------------------------------------------

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

    def append(self, name: str) -> BinaryIO:
        """Opens a file to append to, unbuffered; makes it where there is none.

        A file that is also known by another name, as after `cp -al`, is parted from it first: what
        lies elsewhere does not grow.
        """
        self._part(name)
        descriptor = self._open(name, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        return os.fdopen(descriptor, "ab", buffering=0)

    def open_lock(self, name: str) -> int:
        """Opens a file to lock, and makes it where there is none; the caller closes it.

        Nothing is written to it.
        """
        return self._open(name, os.O_RDWR | os.O_CREAT)

    @contextlib.contextmanager
    def write(self, name: str, *, durable: bool = True) -> Iterator[IO[bytes]]:
        """Opens a temporary neighbour of a file and moves it there at the end.

        On any error the temporary file is removed and what was there before is untouched.

        Args:
            name: of the file that is to appear; its folder must be there.
            durable: also survive a power cut: flush the file and its folder to the disk.
        """
        with self._place(name) as (parent, leaf):
            self._refuse_odd(name, parent, leaf)
            temporary = leaf.with_name(f".{leaf.name}.{uuid.uuid4().hex[:8]}.tmp")
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFE
            try:
                with os.fdopen(os.open(temporary, flags, 0o666, dir_fd=parent), "wb") as file:
                    yield file
                    if durable:
                        file.flush()
                        os.fsync(file.fileno())
                patiently(lambda: os.replace(temporary, leaf, src_dir_fd=parent, dst_dir_fd=parent))
            except BaseException:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=parent)
                raise
            if durable and parent is not None:
                os.fsync(parent)

    def touch(self, name: str) -> None:
        """Gives a file the present time, where there is one."""
        if self.check(name):
            with self._place(name) as (parent, leaf):
                os.utime(leaf, dir_fd=parent, follow_symlinks=_FOLLOWS_NO_LINK)

    def make_folder(self, name: str) -> None:
        """Makes a folder, and those above it, where they are not there yet."""
        parts = _parts(name)
        for depth in range(1, len(parts) + 1):
            place = self._place("/".join(parts[:depth]))
            with place as (parent, leaf), contextlib.suppress(FileExistsError):
                os.mkdir(leaf, dir_fd=parent)
                if parent is not None:  # or what is written into it may have no place afterwards
                    os.fsync(parent)
        self.check(name, FOLDER)

    def rename(self, name: str, new: str) -> None:
        """Gives a file another name; one of that name is replaced.

        Raises:
            FileNotFoundError: there is none.
        """
        with self._place(name) as (parent, leaf), self._place(new) as (other, target):
            self._refuse_odd(name, parent, leaf)
            self._refuse_odd(new, other, target)
            patiently(lambda: os.replace(leaf, target, src_dir_fd=parent, dst_dir_fd=other))

    # --- removing -----------------------------------------------------------------------------

    def remove(self, name: str) -> bool:
        """Removes a file; whether there was one."""
        if not self.check(name):
            return False
        with self._place(name) as (parent, leaf), contextlib.suppress(FileNotFoundError):
            os.unlink(leaf, dir_fd=parent)
            return True
        return False

    def remove_tree(self, name: str, ours: Ours) -> list[str]:
        """Removes what we can have made in a folder, and the folders that are empty then.

        Args:
            name: of a folder; "" for this one, which itself stays.
            ours: asked of every file and folder in it.

        Returns:
            What stays there because it is not ours, folders with their whole contents as one.
        """
        left: list[str] = []
        for entry in self.entries(name):
            inner = f"{name}/{entry.name}" if name else entry.name
            if entry.kind == FOLDER and ours(inner):
                left += self.remove_tree(inner, ours)
            elif entry.kind == FILE and ours(inner):
                self.remove(inner)
            else:
                left.append(inner)
        if name and not left and ours(name) and self.check(name, FOLDER):
            with self._place(name) as (parent, leaf):
                os.rmdir(leaf, dir_fd=parent)
        return left

    def remove_leftovers(self, name: str, ours: Ours) -> None:
        """Removes the temporary files that killed processes left beside files of ours.

        Args:
            name: of a folder; "" for this one. Only for who alone writes in it.
            ours: asked of the file that a temporary file was to become.
        """
        for entry in self.entries(name):
            match = _TEMPORARY.fullmatch(entry.name)
            meant = f"{name}/{match[1]}" if match and name else match[1] if match else ""
            if entry.kind == FILE and meant and ours(meant):
                self.remove(f"{name}/{entry.name}" if name else entry.name)

    # --- inside -------------------------------------------------------------------------------

    def _open(self, name: str, flags: int) -> int:
        with self._place(name) as (parent, leaf):
            before = self._refuse_odd(name, parent, leaf)  # also: opening a device can do things
            try:
                descriptor = os.open(leaf, flags | _SAFE, 0o666, dir_fd=parent)
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

    def _part(self, name: str) -> None:
        """Gives a file of several names a copy of its own."""
        found = self.stat(name)
        if found is not None and stat.S_ISREG(found.st_mode) and found.st_nlink > 1:
            with self.read(name) as source, self.write(name) as copy:
                shutil.copyfileobj(source, copy)

    @contextlib.contextmanager
    def _place(self, name: str) -> Iterator[tuple[int | None, Path]]:
        """(descriptor of its folder, its last name); or (None, its path), where there are none."""
        *folders, leaf = _parts(name)
        with self._folder("/".join(folders)) as (folder, path):
            yield folder, Path(leaf) if folder is not None else path / leaf

    @contextlib.contextmanager
    def _folder(self, name: str) -> Iterator[tuple[int | None, Path]]:
        """(descriptor of a folder, its path)."""
        if self._closed:
            raise ValueError(f"{self.path}: was closed")
        parts = _parts(name) if name else []
        path, descriptor = self.path, self._root
        with contextlib.ExitStack() as opened:
            if descriptor is not None:  # one of our own: threads share no place in a listing
                descriptor = os.open(".", _A_FOLDER, dir_fd=descriptor)
                opened.callback(os.close, descriptor)
            for depth, part in enumerate(parts, 1):
                path /= part
                here = Path(part) if descriptor is not None else path
                found = os.stat(here, dir_fd=descriptor, follow_symlinks=False)
                if _kind(found) != FOLDER:
                    raise self._foreign("/".join(parts[:depth]), FOLDER, _kind(found))
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
        if _kind(found) != FILE:
            raise self._foreign(name, FILE, _kind(found))
        return found

    def _is_odd(self, parent: int | None, leaf: Path, expected: str = FILE) -> bool:
        try:
            return _kind(os.stat(leaf, dir_fd=parent, follow_symlinks=False)) != expected
        except OSError:
            return False

    def _foreign(self, name: str, expected: str, kind: str | None = None) -> ForeignEntryError:
        what = kind or "something else, which came there meanwhile"
        return ForeignEntryError(
            f"{self.path / name}: {what} where distill keeps {expected} of its own; nothing there "
            "was followed, read or changed: move it away"
        )


def open_to_look(folder: Path, name: str) -> BinaryIO:
    """Opens a file of a folder to read, as `OwnFolder.read` does, for those who look often.

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
                file = os.fdopen(os.open(path, os.O_RDONLY | _SAFE), "rb")
                if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    return file
                file.close()
        except FileNotFoundError:
            raise
        except OSError:
            pass  # what follows finds the words for it
    with OwnFolder(folder) as opened:
        return opened.read(name)


def _parts(name: str) -> list[str]:
    """The names on the way.

    Raises:
        ValueError: a name that leads out of the folder, or is none.
    """
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\0" in part or os.sep in part for part in parts) or (
        os.name == "nt" and any(":" in part for part in parts)
    ):
        raise ValueError(f"{name!r}: expected a name within the folder")
    return parts


def _kind(found: os.stat_result) -> str:
    if getattr(found, "st_file_attributes", 0) & _JUNCTION:
        return "a link"
    return next((words for test, words in _KINDS if test(found.st_mode)), "a device")
