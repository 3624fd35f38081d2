"""Models and rates side by side, in distances and bits."""
