"""Folders of any shape: names that are no text, links, pipes, runs, placeholders and sounds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.audio.mutations import encoded

_SOUND = encoded("WAV", np.sin(np.arange(800) / 5).astype(np.float32))
_LETTERS = st.binary(min_size=1, max_size=12).filter(
    lambda name: not set(name) & {0, 0x2F} and name not in {b".", b".."}
)
_ENDINGS = st.sampled_from([b"", b".wav", b".WAV", b".mp3", b".m4a", b".als", b".icloud", b".json"])
_NAMES = st.one_of(
    st.builds(lambda stem, ending: stem + ending, _LETTERS, _ENDINGS),
    st.sampled_from([b"run.json", b"take.wav", b".take.wav.icloud", b".DS_Store", b"a\nb.wav"]),
)
_FILES = st.sampled_from(
    ["sound", "empty", "text", "pipe", "dangling", "loop", "to itself", "device"]
)
TREES: st.SearchStrategy[Any] = st.recursive(
    _FILES, lambda inner: st.dictionaries(_NAMES, inner, max_size=5), max_leaves=12
)
"""A kind of file, or a folder: names to either."""


def make_tree(folder: Path, tree: Any) -> int:
    """Makes a tree in an empty folder.

    Returns:
        How many of its entries a corpus must use or refuse: files that are not hidden, and
        folders that are runs or links.
    """
    if not isinstance(tree, dict):
        tree = {b"only.wav": tree}
    return _fill(folder, tree)


def _fill(folder: Path, tree: dict[bytes, Any]) -> int:
    count = 0
    for name, content in tree.items():
        path = folder / os.fsdecode(name)
        hidden = name.startswith(b".")
        if isinstance(content, dict):
            path.mkdir()
            inside = _fill(path, content)
            count += 0 if hidden else 1 if (path / "run.json").is_file() else inside
            continue
        _make(path, content, folder)
        stands_for_a_file = name.startswith(b".") and name.endswith(b".icloud") and len(name) > 8
        count += not hidden or (stands_for_a_file and content != "loop")
    return count


def _make(path: Path, kind: str, folder: Path) -> None:
    if kind in {"sound", "empty", "text"}:
        path.write_bytes({"sound": _SOUND, "empty": b"", "text": b"no sound"}[kind])
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        targets = {"dangling": "nowhere", "loop": folder, "to itself": path, "device": "/dev/zero"}
        path.symlink_to(targets[kind])
