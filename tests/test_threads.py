"""Threads that wait sleep, in every process of ours, unless somebody chose otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from distill.threads import wait_asleep, waits_asleep
from distill.training.run.detach import start_detached

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


def test_the_trainer(tmp_path: Path, nothing_chosen: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OMP_DISPLAY_ENV", "VERBOSE")
    log = tmp_path / "log"
    start_detached("distill.training.worker", [], log).wait()
    text = log.read_text()
    assert "usage:" in text
    needs_gomp(text)
    assert "GOMP_SPINCOUNT = '1000'" in text


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
