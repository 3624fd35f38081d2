"""Groups: the folders of a corpus, by which people sort their recordings."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from distill.checked import brief
from distill.config.conditions import LONGEST_CLASS


class Groups:
    """Tells recordings apart by the folder that they lie in.

    Of one folder that is searched, these are the folders in it; of several, they themselves. A file
    that was named by itself, or lies beside the folders, is in none.

    Args:
        places: where recordings were looked for.
    """

    def __init__(self, places: Iterable[str | os.PathLike[str]]) -> None:
        self._folders = [Path(place).absolute() for place in places if Path(place).is_dir()]

    def of(self, path: Path) -> str:
        """The name of a recording's group, on one line and shortened; "" where it is in none."""
        whole = path.absolute()
        for folder in self._folders:
            if folder in whole.parents:
                inside = whole.relative_to(folder).parts
                name = folder.name if len(self._folders) > 1 else "".join(inside[:-1][:1])
                return brief(name, LONGEST_CLASS)
        return ""
