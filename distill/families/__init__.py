"""The families that distill brings, each a registered value."""
