"""What a try of a sound consists of, and what is done for it beside the pages."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field

from distill.config import AutoencoderConfig
from distill.errors import DistillError
from distill.names import printable
from distill.training.present_weights import PresentWeights, WeightsRequest
from distill.training.run.folder import RunFolder
from distill.training.trying import prepare

_log = logging.getLogger(__name__)


@dataclass
class Attempt:
    """A try under way, or over."""

    made: threading.Event = field(default_factory=threading.Event)
    """What is heard is there, or will not be."""
    heard: threading.Event = field(default_factory=threading.Event)
    """A page plays it: what can wait has waited until then."""
    measured: threading.Event = field(default_factory=threading.Event)
    trouble: str = ""


class MomentWeights(Future[PresentWeights]):
    """The weights of a run at the moment when this is made, fetched and loaded in a thread."""

    def __init__(self, folder: RunFolder) -> None:
        super().__init__()
        self.asked_at = time.monotonic()
        threading.Thread(
            target=self._fetch, args=(folder,), name="distill-try-weights", daemon=True
        ).start()

    def _fetch(self, folder: RunFolder) -> None:
        try:
            self.set_result(WeightsRequest(folder).receive())
        except Exception as error:  # raised again for who waits
            self.set_exception(error)


def preparation(config: AutoencoderConfig) -> threading.Thread:
    """Loads in a thread what the first try would wait for."""
    thread = threading.Thread(
        target=_prepare, args=(config,), name="distill-try-prepare", daemon=True
    )
    thread.start()
    return thread


def _prepare(config: AutoencoderConfig) -> None:
    try:
        prepare(config)
    except Exception as error:  # whoever tries a sound is told of it then
        _log.debug("what trying sounds needs could not be loaded", exc_info=error)


def trouble_of(error: Exception) -> str:
    """What a page is told of an error; one that is not ours is logged too."""
    if isinstance(error, (DistillError, OSError)):
        return printable(str(error))
    _log.error("a sound could not be tried", exc_info=error)
    return printable(f"could not be tried ({error})")
