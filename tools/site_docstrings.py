"""How mkdocstrings reads our docstrings: an extension of griffe, named in `mkdocs.yml`."""

from __future__ import annotations

import re
from typing import Any

import griffe

_HEADING = re.compile(r"^Example:$", re.MULTILINE)


class Examples(griffe.Extension):
    """Has one example shown as several are: as code, where it is some."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Called by griffe with everything that it has read."""
        if obj.docstring is not None:
            obj.docstring.value = _HEADING.sub("Examples:", obj.docstring.value)
