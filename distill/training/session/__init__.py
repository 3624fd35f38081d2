"""One session of a run: what is trained, reported and saved while a trainer is at work."""
