"""A run folder: its files, its one writer, who may resume it."""
