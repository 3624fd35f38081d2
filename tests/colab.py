"""`python -m tests.colab`: the widgets' tests with the versions that Colab has.

A second environment that holds only those; everything else comes from the one this runs in.
"""

from __future__ import annotations

import site
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FLOORS = (
    "anywidget==0.9.21",
    "ipykernel==6.17.1",
    "ipython==7.34.0",
    "ipywidgets==7.7.1",
    "plotly==5.24.1",
)
OLD = "ignore::DeprecationWarning"  # old versions use what newer Pythons advise against


def main() -> int:
    """Makes the environment, runs the tests in it, removes it; the exit code is theirs."""
    with tempfile.TemporaryDirectory() as home:
        venv.create(home, with_pip=True)
        python = next(Path(home).glob("bin/python")) if sys.platform != "win32" else None
        python = python or Path(home) / "Scripts" / "python.exe"
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *FLOORS]
        subprocess.run(pip, check=True)
        [own] = subprocess.run(
            [python, "-c", "import site; print(site.getsitepackages()[0])"],
            check=True, capture_output=True, text=True,
        ).stdout.split()  # fmt: skip
        # Looked at after its own: what it holds counts, the rest is borrowed.
        borrowed = [*site.getsitepackages(), str(ROOT), str(ROOT / "widgets")]
        (Path(own) / "borrowed.pth").write_text("\n".join(borrowed) + "\n")
        check = (
            "import anywidget, IPython, ipykernel, ipywidgets, plotly; "
            "print('with', *(f'{m.__name__} {m.__version__}' for m in "
            "(anywidget, IPython, ipykernel, ipywidgets, plotly)))"
        )
        subprocess.run([python, "-c", check], check=True)
        tests = [
            python,
            "-m",
            "pytest",
            "-p",
            "no:nbmake",
            "-q",
            "-W",
            OLD,
            "tests/widgets",
            *sys.argv[1:],
        ]
        return subprocess.run(tests, cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
