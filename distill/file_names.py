"""Names of files that distill makes, where rooms that do not know each other must agree on them."""

RUN_REQUEST = "run.json"
"""The folder in which it lies is a run's, and no place of recordings."""
MODEL_SUFFIX = ".distill"
