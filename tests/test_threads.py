"""Threads that wait sleep, in every process of ours, unless somebody chose otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from distill.threads import (
    _counts_waiting,
    spin_at_first,
    spins_at_first,
    wait_asleep,
    waits_asleep,
)
from distill.training.run.detach import start_detached

pytestmark = pytest.mark.slow
VARIABLES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "KMP_LIBRARY")


@pytest.fixture
def nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def shown(code: str, **chosen: str) -> str:
    """What a new process prints, with what OpenMP says of itself where that is GNU's."""
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    environment |= {"OMP_DISPLAY_ENV": "VERBOSE"} | chosen
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def needs_gomp(text: str) -> None:
    if "GOMP_SPINCOUNT" not in text:
        pytest.skip("this torch uses another OpenMP than GNU's, which cannot be asked")


def test_a_kernel_that_imports_distill_first():
    text = shown("import distill, torch; print('asleep', distill.threads.waits_asleep())")
    assert "asleep True" in text
    needs_gomp(text)
    assert "OMP_WAIT_POLICY = 'PASSIVE'" in text
    assert "GOMP_SPINCOUNT = '1000'" in text


def test_a_kernel_that_imports_torch_first_is_left_alone(
    nothing_chosen: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "torch", sys)
    assert not wait_asleep()
    assert not set(VARIABLES) & set(os.environ)


def test_the_command_line():
    code = (
        "import sys, distill.cli.app, distill.threads as t; "
        "print(t.waits_asleep(), 'torch' in sys.modules)"
    )
    assert shown(code).split() == ["True", "False"]
    code = "import sys, distill.cli.app as app; app.run = lambda _: __import__('torch') and 0; "
    text = shown(code + "app.main()")
    needs_gomp(text)
    assert f"GOMP_SPINCOUNT = '{300_000 if _counts_waiting() else 1000}'" in text


def test_the_trainer(tmp_path: Path, nothing_chosen: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OMP_DISPLAY_ENV", "VERBOSE")
    log = tmp_path / "log"
    start_detached("distill.training.worker", [str(tmp_path / "none")], log).wait()
    text = log.read_text()
    assert "the run failed" in text
    needs_gomp(text)
    assert f"GOMP_SPINCOUNT = '{300_000 if _counts_waiting() else 1000}'" in text


@pytest.mark.parametrize(
    "chosen",
    [{"OMP_WAIT_POLICY": "ACTIVE"}, {"GOMP_SPINCOUNT": "5000"}, {"KMP_BLOCKTIME": "200"}],
)
def test_what_somebody_chose_stays(chosen: dict[str, str]):
    text = shown(
        f"import distill, os; print([os.environ.get(n, '') for n in {VARIABLES}])", **chosen
    )
    assert str([chosen.get(name, "") for name in VARIABLES]) in text


@pytest.mark.parametrize(
    ("chosen", "asleep"),
    [
        ({}, False),
        ({"OMP_WAIT_POLICY": "passive"}, True),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, False),
        ({"GOMP_SPINCOUNT": "1000"}, True),
        ({"GOMP_SPINCOUNT": "INFINITY", "OMP_WAIT_POLICY": "PASSIVE"}, False),
        ({"KMP_BLOCKTIME": "0"}, True),
        ({"KMP_BLOCKTIME": "200"}, False),
    ],
)
def test_what_an_environment_says(chosen: dict[str, str], asleep: bool):
    assert waits_asleep(chosen) is asleep


def test_an_environment_for_another_process():
    environment = {"PATH": "/bin"}
    assert wait_asleep(environment)
    assert environment["OMP_WAIT_POLICY"] == "PASSIVE"
    assert environment["KMP_BLOCKTIME"] == "0"


def test_a_process_of_ours_spins_at_first_where_nobody_chose(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("distill.threads._counts_waiting", lambda: True)
    environment: dict[str, str] = {}
    wait_asleep(environment)
    assert spin_at_first(environment)
    assert environment == {"GOMP_SPINCOUNT": "300000", "KMP_BLOCKTIME": "0"}
    assert spins_at_first(environment)
    assert spin_at_first(dict(environment))  # of a process that such a one starts
    assert not waits_asleep(environment)


@pytest.mark.parametrize("name", ["OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"])
def test_a_process_of_ours_keeps_what_somebody_chose(name: str):
    environment = {name: "2000"}
    wait_asleep(environment)
    assert not spin_at_first(environment)
    assert environment == {name: "2000"}


def test_a_system_that_does_not_count_keeps_the_careful_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for text in (None, "", "0 0 0\n", "odd\n"):
        file = tmp_path / f"schedstat-{text!r:.3}".replace("'", "")
        if text is not None:
            file.write_text(text)
        monkeypatch.setattr("distill.threads._COUNTS_WAITING", file)
        environment: dict[str, str] = {}
        wait_asleep(environment)
        assert not spin_at_first(environment)
        assert environment["GOMP_SPINCOUNT"] == "1000"


def test_torch_that_is_loaded_has_read_its_settings(
    nothing_chosen: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert wait_asleep()
    monkeypatch.setitem(sys.modules, "torch", sys)
    assert not spin_at_first()
    assert os.environ["GOMP_SPINCOUNT"] == "1000"
    for name in VARIABLES:
        os.environ.pop(name, None)
