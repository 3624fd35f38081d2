"""What makes the things that the package ships; not part of it."""
