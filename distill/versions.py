"""Which libraries made a file."""

from __future__ import annotations

import platform
from functools import lru_cache
from importlib import metadata

_NAMED = ("distill-audio", "torch", "torchaudio", "vector-quantize-pytorch", "safetensors")


@lru_cache(maxsize=1)
def library_versions() -> dict[str, str]:
    """Versions of Python and of the packages a model depends on; "unknown" where not installed as
    a package.
    """
    found = {"python": platform.python_version()}
    for name in _NAMED:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "unknown"
    return found
