from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from distill import RunFolder
from distill.errors import ForeignEntryError, RunFolderError, RunLostError


@pytest.mark.parametrize("kind", [RunFolderError, ForeignEntryError, RunLostError])
def test_paths_in_messages_cannot_steer_a_terminal(kind: type[RunFolderError]) -> None:
    error = kind("run\x1b[2J\n\u202e: is no run")
    assert str(error) == r"run\x1b[2J\n\u202e: is no run"
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (kind, str(error))
    if isinstance(error, OSError):
        assert error.strerror == str(error)


def test_a_folder_of_an_odd_name_is_named_safely(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"a\\x1b\[31m: no run there"):
        RunFolder(tmp_path / "a\x1b[31m").read_request()
