"""Models on disk: one, all of a folder, several beside each other."""
