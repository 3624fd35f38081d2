"""What a run is asked to do: plain, frozen, validated data that knows nothing of torch."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
