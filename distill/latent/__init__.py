"""Latents of continuous models: what they say of a sound, and how well they are used."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
