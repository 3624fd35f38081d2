"""Walks the containers of sound files, to know what is in them before libsndfile reads it."""
