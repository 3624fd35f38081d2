"""Codes and codebooks: what was said, and how well the vocabulary is used."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
