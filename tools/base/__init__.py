"""The base model: its material, its training, its file."""
