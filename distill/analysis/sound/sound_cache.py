"""Sounds that were made once and may be asked for again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from torch import Tensor

CACHE_BYTES = 256 << 20


class SoundCache:
    """Sounds by key, the least recently used let go first, up to a number of bytes."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._bytes = 0
        self._sounds: OrderedDict[Hashable, Tensor] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Tensor]) -> Tensor:
        """What was kept under a key, or what `make` makes."""
        with self._lock:
            if key in self._sounds:
                self._sounds.move_to_end(key)
                return self._sounds[key]
        sound = make()  # outside the lock: a click does not wait for a row of ten minutes
        with self._lock:
            if key not in self._sounds and sound.nbytes <= self._limit:
                self._sounds[key] = sound
                self._bytes += sound.nbytes
            while self._bytes > self._limit:
                self._bytes -= self._sounds.popitem(last=False)[1].nbytes
        return sound
