"""Curves: what is kept of them, what is sent, what is drawn."""
