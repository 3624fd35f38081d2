"""Sounds of codes and of codebook entries."""
