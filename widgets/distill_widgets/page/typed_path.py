"""A path as a person types it."""

from __future__ import annotations

import os
from pathlib import Path


def typed_path(text: str | os.PathLike[str]) -> Path:
    """A path with `~` for the home folder; where there is no such person it stays as it was typed.

    Example:
        >>> typed_path("~nobody-of-this-name/sounds").parts[0]
        '~nobody-of-this-name'
    """
    return Path(os.path.expanduser(text))  # noqa: PTH111 - Path's own raises a RuntimeError
