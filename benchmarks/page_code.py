"""Bytes of JavaScript and CSS that each widget sends to a page, and keeps in a saved notebook.

    python benchmarks/page_code.py [--against CHECKOUT]

`dashboard.py` measures the time until a page is painted with it.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

from common import parser, report

ROOT = Path(__file__).resolve().parents[1]
# Every widget with code of its own, whatever modules there are: a checkout may be of another day.
READ = """
import importlib, json, pkgutil, anywidget, distill_widgets
for module in pkgutil.walk_packages(distill_widgets.__path__, "distill_widgets."):
    importlib.import_module(module.name)
def below(kind):
    for one in kind.__subclasses__():
        yield one
        yield from below(one)
ours = [one for one in below(anywidget.AnyWidget) if isinstance(getattr(one, "_esm", None), str)]
print(json.dumps({one.__name__: [one._esm, str(one._css)] for one in ours}))
"""


def code_of(checkout: Path) -> dict[str, list[str]]:
    """JavaScript and CSS of each widget of a checkout, by its class."""
    places = os.pathsep.join([str(checkout), str(checkout / "widgets")])
    answer = subprocess.run(
        [sys.executable, "-c", READ], cwd=checkout, env={**os.environ, "PYTHONPATH": places},
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    found: dict[str, list[str]] = json.loads(answer.stdout)
    return found


def row_of(name: str, code: list[str], before: list[str] | None) -> dict[str, object]:
    script, styles = (len(text.encode()) for text in code)
    row: dict[str, object] = {
        "widget": name, "JavaScript": script, "CSS": styles,
        "all, gzip": len(gzip.compress("".join(code).encode())),
    }  # fmt: skip
    if before is not None:
        old = "".join(before).encode()
        row |= {"all before": len(old), "gzip before": len(gzip.compress(old))}
        row["now / before"] = (script + styles) / len(old)
    return row


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--against", type=Path, help="another checkout, to compare with")
    given = options.parse_args()
    now = code_of(ROOT)
    before = code_of(given.against.resolve()) if given.against else None
    names = [name for name in sorted(now) if before is None or name in before]
    rows = [row_of(name, now[name], before and before[name]) for name in names]
    report("Bytes that a widget sends", rows, given.json)


if __name__ == "__main__":
    main()
