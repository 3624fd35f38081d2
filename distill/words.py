"""Numbers and reasons in the words of people."""

from __future__ import annotations

_ENDINGS = {
    "max_epochs": "all epochs are done",
    "max_steps": "all steps are done",
    "max_seconds": "the time is up",
    "stopped": "somebody stopped it",
}


def duration(seconds: float) -> str:
    """A length of time as a person says it.

    Example:
        >>> duration(0.06), duration(12.34), duration(119.7), duration(3700)
        ('60 ms', '12.3 s', '2 min 0 s', '1 h 1 min')
    """
    if round(seconds * 1000) < 1000:
        return f"{seconds * 1000:.0f} ms"
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def counted(count: int, noun: str) -> str:
    """So many of something.

    Example:
        >>> counted(1, "recording"), counted(2, "recording")
        ('1 recording', '2 recordings')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def why_ended(reason: str) -> str:
    """Why a training ended, as the rest of a sentence.

    Args:
        reason: as events and results give it; one of a later version is shown as it is.

    Example:
        >>> why_ended("max_seconds")
        'the time is up'
    """
    return _ENDINGS.get(reason, reason)
