"""`python -m tests.check_site`: the site is built without a warning, and its links lead somewhere.

mkdocs checks the links of its Markdown; what mkdocstrings and the theme make of it is checked here,
in the pages as a browser gets them. Nothing is asked of the network.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = os.pathsep.join([str(ROOT), str(ROOT / "widgets")])
FROM_ELSEWHERE = ("script", "img", "audio", "source", "iframe", "link")


def main() -> int:
    """Builds the site in a temporary folder; the exit code is 0 where all is well."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", scratch]
        environment = os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": PACKAGES}
        built = subprocess.run(command, cwd=ROOT, env=environment)
        if built.returncode:
            return built.returncode
        problems = broken(Path(scratch))
    print("\n".join(problems) or "every link of the site leads somewhere", flush=True)
    return 1 if problems else 0


def broken(site: Path) -> list[str]:
    """What is wrong with the links of a built site."""
    pages = {path: Page.read(path) for path in sorted(site.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        for tag, link in page.links:
            if why := _wrong(tag, link, path, site, pages):
                found.append(f"{path.relative_to(site)}: {link!r} {why}")
    return found


class Page(HTMLParser):
    """The links of a page, and the anchors that others may lead to."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        self.anchors: set[str] = set()

    @classmethod
    def read(cls, path: Path) -> Page:
        """Reads a page of a built site."""
        page = cls()
        page.feed(path.read_text(encoding="utf-8"))
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called by the parser."""
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            if name in ("href", "src") and value:
                self.links.append((tag, value))


def _wrong(tag: str, link: str, path: Path, site: Path, pages: dict[Path, Page]) -> str:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return "is fetched from elsewhere" if tag in FROM_ELSEWHERE else ""
    base = site if parts.path.startswith("/") else path.parent
    place = (base / unquote(parts.path).lstrip("/")).resolve() if parts.path else path
    place = place / "index.html" if place.is_dir() else place
    if not place.is_file():
        return "leads nowhere"
    fragment = unquote(parts.fragment)
    if fragment and place in pages and fragment not in pages[place].anchors:
        return "has no such anchor"
    return ""


if __name__ == "__main__":
    sys.exit(main())
