"""Rows of sounds to play and to compare."""
