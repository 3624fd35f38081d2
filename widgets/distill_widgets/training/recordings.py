"""Recordings: the sounds of a run by name, to choose one of them."""

from __future__ import annotations

from pathlib import Path

from distill.analysis.unique_names import short_names
from distill.arrays import as_int
from distill.errors import CorpusError, PartError
from distill.markup import shortened
from distill.names import printable
from distill.training.run.folder import RunFolder
from distill.training.run.request import RunRequest
from distill_widgets.page.messages import RecordingsFacts

MOST_SHOWN = 200
"""Of those that a search finds; more of it finds fewer."""
_LONGEST_NAME = 200


class Recordings:
    """What a run learns from and is judged by.

    Args:
        folder: of the run. It names its sounds once they were read.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._request: RunRequest | None = None
        self._names: tuple[str, ...] = ()

    def find(self, text: str) -> RecordingsFacts:
        """The recordings whose name has a text in it, whatever its case, in the order of the run.

        Raises:
            RunFolderError: the run cannot be read.
        """
        self._read()
        wanted = text.casefold()
        found = [place for place, name in enumerate(self._names) if wanted in name.casefold()]
        shown = found[:MOST_SHOWN]
        return {
            "numbers": shown,
            "names": [self._names[place] for place in shown],
            "found": len(found),
            "total": len(self._names),
        }

    def path(self, number: object) -> Path:
        """The file of a recording.

        Raises:
            PartError: there is none of that number.
            CorpusError: the run was begun elsewhere: its names may mean other files here.
        """
        request = self._read()
        place = as_int(number)
        if place is None or not 0 <= place < len(self._names):
            raise PartError("no such recording: look for it again")
        status = self._folder.read_status()
        if not request.is_ours(status.host if status else ""):
            raise CorpusError(
                "this run was begun on another machine or by another person: what it names as its "
                "sounds is not read here; choose a file instead"
            )
        return Path(request.corpus[place].path)

    def _read(self) -> RunRequest:
        if self._request is None or not self._request.corpus:
            self._request = request = RunRequest.from_dict(self._folder.read_request())
            names = short_names([Path(entry.path) for entry in request.corpus])
            held_out = (entry.split == "validation" for entry in request.corpus)
            self._names = tuple(
                shortened(printable(name), _LONGEST_NAME) + " (held out)" * is_held_out
                for name, is_held_out in zip(names, held_out, strict=True)
            )
        return self._request
