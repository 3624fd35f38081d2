"""What a notebook shows of distill; the core in `distill` never imports it."""

import lazy_loader

from distill_widgets.extra import check_extra as _check_extra

_check_extra()
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
