"""What a trained model learned: its sounds, its codebooks, what its bits buy, models compared."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
