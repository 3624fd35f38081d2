"""The `.distill` file."""
