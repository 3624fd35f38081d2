"""What the dimensions of a continuous model do to a sound."""
