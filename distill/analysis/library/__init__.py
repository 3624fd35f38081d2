"""Models in a folder."""
