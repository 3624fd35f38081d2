"""Whether a run was made by this person: only then are the sounds that it names read unasked.

A run folder that somebody sent names files. To resume it would read whatever lies there on this
machine, and a model that learned from it may be sent back. So a request is sealed with a key that
no other machine has; without the right seal, the person names the sounds.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import platform
import secrets
import uuid
from collections.abc import Iterable
from pathlib import Path

import platformdirs

from distill.checked import read_bounded

_KEY_BYTES = 32
_FILE = "origin.key"


def seal(places: Iterable[str]) -> str:
    """What marks a list of places as named on this machine, by this person."""
    text = "\0".join(places).encode("utf-8", "surrogatepass")
    return hmac.new(_key(), text, hashlib.sha256).hexdigest()


def is_sealed(places: Iterable[str], mark: str) -> bool:
    """Whether a mark is the one that `seal` gives here."""
    return hmac.compare_digest(seal(places).encode(), mark.encode("utf-8", "replace"))


def key_folder() -> Path:
    """Where the key lies. The environment variable DISTILL_STATE names another place."""
    chosen = os.environ.get("DISTILL_STATE")
    return Path(chosen) if chosen else platformdirs.user_state_path("distill")


def _key() -> bytes:
    """The key of this person; made the first time. Without a place to keep one, what this machine
    has that others do not know.
    """
    path = key_folder() / _FILE
    for attempt in range(2):
        try:
            key = read_bounded(path, _KEY_BYTES)
        except (OSError, ValueError):
            key = b""
        if len(key) == _KEY_BYTES:
            return key
        if not attempt:
            with contextlib.suppress(OSError, RuntimeError):
                _make(path)
    return _machine()


def _make(path: Path) -> None:
    """Puts a key there, unless another process was faster: whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
        try:
            path.hardlink_to(temporary)
        except FileExistsError:
            return
        except OSError:  # a disk without hard links
            if not path.exists():
                temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _machine() -> bytes:
    known = [platform.node(), str(uuid.getnode()), str(getattr(os, "getuid", lambda: "")())]
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        with contextlib.suppress(OSError):
            known.append(Path(path).read_text().strip())
            break
    return hashlib.sha256("\0".join(["distill", *known]).encode()).digest()
