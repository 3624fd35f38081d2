"""Train a small neural codec on your own recordings, and look and listen inside it."""

import lazy_loader

from distill.threads import wait_asleep as _wait_asleep

_wait_asleep()  # before anything loads torch

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
