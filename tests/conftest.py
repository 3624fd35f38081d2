"""A small corpus and a small trained model, made once for all tests."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from hypothesis import settings

from distill import AudioCorpus, TrainingConfig, VQVAEConfig, make_demo_corpus
from distill.config.start import NOTHING
from distill.training import TrainingResult, train
from distill.training.run import start
from tests.families import FAMILIES, tiny

# A busy machine is no failure, of no example of any test.
settings.register_profile("calm", parent=settings(), deadline=None)
settings.load_profile("calm")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

collect_ignore = ["data/make_as_librosa.py"]  # it needs librosa, which no test does
_TRAINED = {"vqvae": "trained", "vae": "trained_vae"}
NOT_FAST = {"browser", "slow", "torture"}
_TRAINING_FIXTURES = {"trained", "trained_vae", "any_trained"}
_SLOW_FOLDERS = ("analysis", "cli", "integration", "tools", "training", "widgets")
_MARKED = {"browser": "browser", **dict.fromkeys(_SLOW_FOLDERS, "slow")}
_HALF_OF_THE_BROWSER = ("test_dashboard.py", "test_train_panel.py")
_LONGEST_FIRST = {"browser": 0, "integration": 1, "training": 2, "widgets": 3, "cli": 4}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--shuffle", type=int, metavar="SEED", help="files, and tests in each, in a random order"
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m fast` folders without a fast test are not read: that would take half of the time."""
    is_left_out = config.getoption("markexpr") == "fast" and collection_path.name in _MARKED
    return True if is_left_out and collection_path.parent == Path(__file__).parent else None


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses among them
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if mark := _MARKED.get(_folder(item.nodeid)):
            item.add_marker(mark)
        elif _TRAINING_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("slow")
        if mark == "browser":
            item.add_marker(pytest.mark.timeout(900))  # a busy machine: nothing else would tell
        if not NOT_FAST & {mark.name for mark in item.iter_markers()}:
            item.add_marker("fast")
    seed = config.getoption("--shuffle", default=None)
    if seed is not None:
        files = sorted({item.path for item in items})
        random.Random(seed).shuffle(files)
        place = {path: number for number, path in enumerate(files)}
        random.Random(seed).shuffle(items)
        items.sort(key=lambda item: place[item.path])
    elif hasattr(config, "workerinput"):  # one of several processes: what takes long begins first
        items.sort(key=lambda item: _LONGEST_FIRST.get(_folder(item.nodeid), len(_LONGEST_FIRST)))


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background of a shell, as with `&`:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what is started here would ignore it


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist, which shares tests out with `-n 2`
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file's tests stay together, for what it makes once; those in a browser in two halves, each
    with a server of its own: in one they would end long after all others.
    """
    from xdist.scheduler import LoadFileScheduling

    class Together(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::")[0]
            if _folder(nodeid) != "browser":
                return file
            return f"browser {int(file.endswith(_HALF_OF_THE_BROWSER))}"

    return Together(config, log)


def _folder(nodeid: str) -> str:
    parts = nodeid.split("::")[0].split("/")
    return parts[1] if parts[0] == "tests" and len(parts) > 2 else ""


@pytest.fixture(autouse=True, scope="session")
def own_key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Requests are sealed with a key of the tests' own, and sounds are cached where they are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISTILL_STATE", str(tmp_path_factory.mktemp("state")))
        patch.setenv("DISTILL_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True, scope="session")
def from_nothing() -> Iterator[None]:
    """Trainings start from nothing unless they are asked: most models here are too small to fit the
    base, and each would say so.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(start, "DEFAULT_START", NOTHING)
        yield


@pytest.fixture(autouse=True)
def no_thread_survives() -> Iterator[None]:
    yield
    ends = time.monotonic() + 2  # those that were let go of end by themselves
    while time.monotonic() < ends and _ours():
        time.sleep(0.02)
    assert _ours() == []


def _ours() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("distill")]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED_DATA.is_dir():
        pytest.skip("the shared recordings are not beside this checkout")
    return SHARED_DATA


@pytest.fixture(scope="session")
def sounds_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sounds")
    make_demo_corpus(folder)
    return folder


@pytest.fixture(scope="session")
def corpus(sounds_dir: Path) -> AudioCorpus:
    return AudioCorpus.scan(sorted(sounds_dir.glob("drum-*.wav")), progress=False)


@pytest.fixture
def tiny_config() -> VQVAEConfig:
    return cast(VQVAEConfig, tiny("vqvae", max_steps=10))


@pytest.fixture(scope="session")
def trained(corpus: AudioCorpus, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    """A model that has learned for a moment; read it, never write to it."""
    run = tmp_path_factory.mktemp("run") / "trained"
    return train(tiny("vqvae", max_steps=60, preview_every_epochs=4), corpus, run, "cpu")


@pytest.fixture(scope="session")
def trained_vae(corpus: AudioCorpus, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    """The same of the continuous family."""
    run = tmp_path_factory.mktemp("run") / "breath"
    return train(tiny("vae", max_steps=60, preview_every_epochs=4), corpus, run, "cpu")


@pytest.fixture(scope="session", params=FAMILIES)
def any_trained(request: pytest.FixtureRequest) -> TrainingResult:
    """Such a model of each family in turn; read it, never write to it."""
    made: TrainingResult = request.getfixturevalue(_TRAINED[request.param])
    return made


@pytest.fixture(params=FAMILIES)
def any_config(request: pytest.FixtureRequest) -> TrainingConfig:
    """A small config of each family in turn."""
    return tiny(request.param, max_steps=10)


@pytest.fixture
def mel() -> torch.Tensor:
    return torch.randn(2, 128, 24, generator=torch.Generator().manual_seed(0))
