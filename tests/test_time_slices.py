"""Short turns are asked for, and nothing else of how a thread is scheduled changes."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from distill import time_slices

ASK = """
import os, threading, ctypes
from distill import time_slices
time_slices.take_short_turns()
call, number = ctypes.CDLL(None).syscall, time_slices._SET_AND_GET[os.uname().machine][1]
def show(): print(*time_slices._read(call, number)[:6])
show()
thread = threading.Thread(target=show); thread.start(); thread.join()
"""
LINUX_6_12 = sys.platform.startswith("linux") and tuple(
    int(part) for part in platform.release().split(".")[:2] if part.isdigit()
) >= (6, 12)


@pytest.mark.skipif(not LINUX_6_12, reason="turns can be asked for from Linux 6.12 on")
@pytest.mark.parametrize(("prefix", "nice"), [([], "0"), (["nice", "-n", "7"], "7")])
def test_a_thread_and_those_it_starts_take_them(prefix: list[str], nice: str):
    before = os.getpriority(os.PRIO_PROCESS, 0)
    done = subprocess.run([*prefix, sys.executable, "-c", ASK], capture_output=True, text=True)
    assert done.stderr == ""
    own, started = (line.split() for line in done.stdout.splitlines())
    assert own == started
    _, policy, _, found, priority, turn = own
    assert (policy, priority, turn) == ("0", "0", str(time_slices.TURN_NS))
    assert int(found) == int(nice) + before


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_other_systems_are_left_alone(system: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "platform", system)
    assert not time_slices.take_short_turns()


def test_other_processors_are_left_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert not time_slices.take_short_turns()


def test_a_system_that_refuses_is_left_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(time_slices, "_SET_AND_GET", {platform.machine(): (-1, -1)})
    assert not time_slices.take_short_turns()
