"""Train a small neural codec on your own recordings, and look and listen inside it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
