"""Gaps: what of an event log could not be read."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field

import msgspec

from distill.names import printable

_MOST_NAMED, _MOST_KINDS, _LONGEST_NAME, _LONGEST_REASON = 5, 100, 60, 200


class _Kind(msgspec.Struct):
    event: str


_kind = msgspec.json.Decoder(_Kind)


@dataclass
class Gaps:
    """What of an event log could not be read, and so is not shown. Its text is a sentence."""

    unreadable: int = 0
    """Lines that are no event: damaged, of wrong types, or too long."""
    first: str = ""
    """Of the first unreadable line: what was wrong."""
    later: dict[str, int] = field(default_factory=dict)
    """Events of kinds that this version does not know, by name."""

    def __bool__(self) -> bool:
        return bool(self.unreadable or self.later)

    def __str__(self) -> str:
        said = []
        if self.unreadable:
            lines = "1 line" if self.unreadable == 1 else f"{self.unreadable} lines"
            said.append(f"{lines} of the events cannot be read and are not shown ({self.first})")
        if self.later:
            kinds = "1 kind" if len(self.later) == 1 else f"{len(self.later)} kinds"
            names = ", ".join(list(self.later)[:_MOST_NAMED])
            more = ", …" if len(self.later) > _MOST_NAMED else ""
            said.append(f"{kinds} of events of a later version not shown: {names}{more}")
        return "; ".join(said)

    def count(self, line: bytes, error: Exception, known: Container[str]) -> None:
        """Takes a line that was passed over.

        Args:
            line: of the log.
            error: why it could not be read.
            known: names of the kinds of events that this version has.
        """
        name = _later_kind(line, known)
        if name is not None and (name in self.later or len(self.later) < _MOST_KINDS):
            self.later[name] = self.later.get(name, 0) + 1
            return
        self.first = self.first or f"the first: {printable(str(error))[:_LONGEST_REASON]}"
        self.unreadable += 1


def _later_kind(line: bytes, known: Container[str]) -> str | None:
    """The name of a kind of events that this version does not have."""
    try:
        name = _kind.decode(line).event
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return printable(name)[:_LONGEST_NAME] if name and name not in known else None
