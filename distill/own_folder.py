"""OwnFolder: an opened folder of ours, written to; nothing is removed from it that we cannot have
made.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import uuid
from collections.abc import Callable, Iterator
from typing import IO, BinaryIO

from distill.atomic import patiently
from distill.entry_kinds import FILE, FOLDER, names_on_the_way
from distill.opened_folder import SAFE_FLAGS, OpenedFolder

_FOLLOWS_NO_LINK = os.utime not in os.supports_follow_symlinks
_TEMPORARY = re.compile(r"\.(.+)\.[0-9a-f]{8}\.tmp")

Ours = Callable[[str], bool]
"""Whether a file or folder of this name, relative to the folder, can have been made by us."""


class OwnFolder(OpenedFolder):
    """A folder of ours: what `OpenedFolder` reads, written and removed.

    Args:
        path: of the folder.

    Raises:
        OSError: no folder is there, or it may not be entered.
    """

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
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | SAFE_FLAGS
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
        parts = names_on_the_way(name)
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

    def _part(self, name: str) -> None:
        """Gives a file of several names a copy of its own."""
        found = self.stat(name)
        if found is not None and stat.S_ISREG(found.st_mode) and found.st_nlink > 1:
            with self.read(name) as source, self.write(name) as copy:
                shutil.copyfileobj(source, copy)
