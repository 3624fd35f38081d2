"""What a training may start from, by name."""

BASE = "base"
"""The model that comes with distill: it has learned from sound in general."""
NOTHING = "none"
"""Random numbers."""
DEFAULT_START = BASE
"""Where nobody says what to start from."""
