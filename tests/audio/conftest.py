"""Sounds and files for the tests of the audio room."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile


@pytest.fixture(scope="session")
def tone() -> Callable[..., np.ndarray]:
    def make(seconds: float = 0.2, rate: int = 8000, hz: float = 440.0) -> np.ndarray:
        return 0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)

    return make


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """Writes samples to a file below `tmp_path`, making its folders."""

    def write(name: str, samples: np.ndarray, rate: int = 8000, **options: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(str(path), samples, rate, **options)
        return path

    return write
