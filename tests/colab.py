"""`python -m tests.colab`: the widgets' tests with the versions that Colab has.

    python -m tests.colab            # without a page, nor what is the same with any version
    python -m tests.colab --pages    # the notebooks in the classic Notebook too: minutes
    python -m tests.colab -x         # what is given to pytest besides

A second environment that holds only those; everything else comes from the one this runs in. Its
pages are those of the classic Notebook, which Colab's are derived from.
"""

from __future__ import annotations

import os
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
    "notebook>=6.5.6,<7",
    "plotly==5.24.1",
)
OLD = "ignore::DeprecationWarning"  # old versions use what newer Pythons advise against
WIDGETS, PAGES = "tests/widgets", "tests/browser/test_classic.py"
# What is about numbers, sounds, files and our own modules, and the same with any version.
OF_NO_VERSION = (
    "charts/test_cursor.py", "charts/test_curves.py", "charts/test_series.py",
    "charts/test_twins.py", "inside/test_bottlenecks.py", "page/test_page_code.py",
    "sounds/test_sound_keys.py",
    "inside/test_codes_view.py::test_pieces_of_a_long_sound_follow_each_other",
    "inside/test_generator.py::test_a_loop_goes_on_from_a_sound_and_is_exported_without_a_seam",
    "inside/test_generator.py::test_a_loop_of_several_levels_is_refused_with_what_to_do",
    "inside/test_generator.py::test_sounds_of_a_run_are_drawn_by_the_weights_of_their_moment",
    "training/test_families.py::test_a_prior_is_shown_with_what_a_step_costs",
)  # fmt: skip


def main() -> int:
    """Makes the environment, runs the tests in it, removes it; the exit code is theirs."""
    given = [PAGES if argument == "--pages" else argument for argument in sys.argv[1:]]
    with tempfile.TemporaryDirectory() as home:
        try:
            python = make_environment(Path(home))
        except subprocess.CalledProcessError as error:
            print(f"Colab's versions could not be installed: {error}", flush=True)
            return 1 if os.environ.get("CI") else 0
        check = (
            "import anywidget, IPython, ipykernel, ipywidgets, plotly; "
            "print('with', *(f'{m.__name__} {m.__version__}' for m in "
            "(anywidget, IPython, ipykernel, ipywidgets, plotly)))"
        )
        subprocess.run([python, "-c", check], check=True)
        left_out = [f"--deselect={WIDGETS}/{name}" for name in OF_NO_VERSION]
        options = ["-p", "no:nbmake", "-q", "-W", OLD, *left_out]
        tests = [python, "-m", "pytest", *options, WIDGETS, *given]
        return subprocess.run(tests, cwd=ROOT).returncode


def make_environment(home: Path) -> Path:
    """Installs Colab's versions into a folder; returns its Python, which borrows from ours.

    Raises:
        CalledProcessError: pip could not install them.
    """
    venv.create(home, with_pip=True)
    python = home / "Scripts" / "python.exe" if sys.platform == "win32" else home / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *FLOORS]
    subprocess.run(pip, check=True)
    [own] = subprocess.run(
        [python, "-c", "import site; print(site.getsitepackages()[0])"],
        check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    # Looked at after its own: what it holds counts, the rest is borrowed.
    borrowed = [*site.getsitepackages(), str(ROOT), str(ROOT / "widgets")]
    (Path(own) / "borrowed.pth").write_text("\n".join(borrowed) + "\n")
    return python


if __name__ == "__main__":
    sys.exit(main())
