"""`python -m tests.check_pages`: the pages' JavaScript: types, lint, format, units, what is sent.

What it needs of npm, by package.json, comes from `node_modules` where somebody has it, else into a
temporary folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import distill_widgets
from distill_widgets.page.page_code import squeezed

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(distill_widgets.__file__).parent
UNITS = sorted(str(path) for path in (ROOT / "tests" / "pages").rglob("*.test.js"))


def main() -> int:
    """Runs every check; the exit code is that of the first that failed."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        print("no node and npm on this machine: the pages' JavaScript is not checked", flush=True)
        return 1 if os.environ.get("CI") else 0
    with tempfile.TemporaryDirectory() as scratch:
        packages = packages_in(Path(scratch))
        return next((code for code in checks(packages, Path(scratch)) if code), 0)


def packages_in(scratch: Path) -> Path:
    """A `node_modules` folder with what package.json names; made where there is none."""
    if (ROOT / "node_modules").is_dir():
        return ROOT / "node_modules"
    shutil.copy(ROOT / "package.json", scratch)
    quiet = ["--no-package-lock", "--no-audit", "--no-fund", "--silent"]
    subprocess.run(["npm", "install", *quiet], cwd=scratch, check=True)
    return scratch / "node_modules"


def checks(packages: Path, scratch: Path) -> list[int]:
    """The exit codes of all checks."""
    tools = packages / ".bin"
    sent = squeezed_in(scratch / "sent")
    environment = os.environ | {"NODE_PATH": str(packages)}
    commands = [
        [str(tools / "tsc"), "--noEmit", "-p", str(ROOT)],
        [str(tools / "biome"), "ci", "--colors=off", str(ROOT)],
        ["node", "--test", "--test-reporter=dot", *UNITS],
        ["node", str(ROOT / "tests" / "pages" / "squeezed.js"), str(PACKAGE), str(sent)],
    ]
    return [subprocess.run(c, cwd=ROOT, env=environment).returncode for c in commands]


def squeezed_in(folder: Path) -> Path:
    """The modules as they are sent, before they are joined."""
    for path in PACKAGE.rglob("*.js"):
        target = folder / path.relative_to(PACKAGE)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(squeezed(path.read_text(encoding="utf-8")), encoding="utf-8")
    return folder


if __name__ == "__main__":
    sys.exit(main())
