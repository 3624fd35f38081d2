from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only the GNU C library has it")
def test_freed_memory_is_kept() -> None:
    """Measured from outside: after a large tensor is gone, the process is as large as before."""
    code = (
        "import sys, torch\n"
        "from distill.training.engine.memory import keep_freed_memory\n"
        "def size(): return int(open('/proc/self/statm').read().split()[1]) * 4096 / 1e6\n"
        "if sys.argv[1] == 'keep': assert keep_freed_memory()\n"
        "parts = [torch.ones(2_000_000) for _ in range(25)]\n"
        "held = size()\n"
        "del parts\n"
        "print(held - size())\n"
    )
    given_back = {
        how: float(subprocess.check_output([sys.executable, "-c", code, how], text=True))
        for how in ("keep", "default")
    }
    assert given_back["default"] > 150
    assert given_back["keep"] < 50
