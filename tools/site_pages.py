"""Pages of the site that are written elsewhere: a hook of mkdocs, named in `mkdocs.yml`.

Tutorials are the notebooks, the command line's page is its help, and the files beside README.md are
pages as they stand. None of them lies in `docs/` a second time.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
BESIDE = {name: f"{name.lower()}.md" for name in ("CHANGELOG", "CONTRIBUTING", "SECURITY")}
COMMANDS = ["-m", "typer", "distill.cli.app", "utils", "docs", "--name", "distill"]

_BADGE = re.compile(r"\[!\[(?P<text>[^\]]*)\]\([^)]*\)\]")
_INDENT = re.compile(r"^ +", re.MULTILINE)
_LINK = re.compile(r"(?<=\]\()(?P<target>[^):#]+)(?=[)#])")
_STEP = 4


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages; mkdocs calls it by this name."""
    source = f"{config.extra['repository']}/blob/main"
    pages = {page: beside(name, source) for name, page in BESIDE.items()}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        pages[f"tutorials/{path.stem}.md"] = tutorial(path, f"{source}/notebooks/{path.name}")
    pages["api/command-line.md"] = command_line()
    for page, text in pages.items():
        files.append(File.generated(config, page, content=text))
    return files


def tutorial(path: Path, source: str) -> str:
    """A notebook as a page: its words, and its code to copy.

    Args:
        path: of the notebook.
        source: where it can be downloaded.
    """
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    title, *rest = (_cell(cell["cell_type"], "".join(cell["source"])) for cell in cells)
    return "\n\n".join([title, f"[The notebook itself]({source})", *rest])


def _cell(kind: str, text: str) -> str:
    if kind == "code":
        return f"```python\n{text}\n```"
    return _BADGE.sub(r"[\g<text>]", text)  # a page fetches no picture from elsewhere


def beside(name: str, source: str) -> str:
    """A file that lies beside README.md as a page.

    Args:
        name: of the file, without its ending.
        source: where files of the repository can be read.
    """

    def moved(link: re.Match[str]) -> str:
        target = link["target"]
        page = BESIDE.get(target.removesuffix(".md")) or target.removeprefix("docs/")
        return page if page != target else f"{source}/{target}"

    text = _LINK.sub(moved, (ROOT / f"{name}.md").read_text(encoding="utf-8"))
    # Markdown as GitHub reads it nests by any indent, Python's by four.
    return _INDENT.sub(lambda found: " " * (-(-len(found[0]) // _STEP) * _STEP), text)


def command_line() -> str:
    """The help of every command."""
    command = [sys.executable, *COMMANDS]
    environment = os.environ | {"PYTHONUTF8": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    text = done.stdout.decode("utf-8")
    return text.replace("# `distill`", "# Command line", 1).replace("```console", "```text")
