"""JavaScript modules and style sheets of this package, joined into what one widget sends."""

from __future__ import annotations

import functools
import posixpath
import re
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]

# What our modules may say to each other; tests hold the files to it, so no parser is needed.
_IMPORT = re.compile(
    r'^import \{(\s*\w+(?:,\s+\w+)*,?\s*)\} from "(\.[\w./]+\.js)";\n', re.MULTILINE
)
_EXPORT = re.compile(r"^export (?=(?:async function|function|class|const) (\w+))", re.MULTILINE)
_DEFAULT = re.compile(r"^export default ", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*(?://[^\n]*|/\*.*?\*/)[ \t]*\n", re.MULTILINE | re.DOTALL)
_COMMENT_BEHIND = re.compile(r"(?<=[;,{}()]) +// .*$", re.MULTILINE)


@functools.cache
def page_code(entry: str) -> str:
    """A JavaScript module and all it imports, as the one module that anywidget gets.

    Each module becomes a function that returns what it exports, so names of one are no names of
    another. Comments and indents stay here: the code is sent with every widget and kept in every
    saved notebook.

    Args:
        entry: path within the package, as "charts/live_chart.js"; has the `export default`.

    Raises:
        ValueError: an import or export of another form than ours, or imports in a circle.
        OSError: no such file.
    """
    joined: dict[str, str] = {}
    _join(entry, joined, ())
    return "\n".join(joined.values())


@functools.cache
def page_styles(*names: str) -> str:
    """Style sheets of the package as one, without comments and indents."""
    return "\n".join(squeezed((_PACKAGE / name).read_text(encoding="utf-8")) for name in names)


def _join(path: str, joined: dict[str, str], importing: tuple[str, ...]) -> None:
    """Adds a module after those that it imports."""
    if path in importing:
        raise ValueError(f"imports in a circle: {' -> '.join((*importing, path))}")
    if path not in joined:
        code = (_PACKAGE / path).read_text(encoding="utf-8")
        for _, imported in _IMPORT.findall(code):
            _join(_beside(path, imported), joined, (*importing, path))
        joined[path] = _linked(path, code, is_entry=not importing)


def _linked(path: str, code: str, *, is_entry: bool) -> str:
    exports = _EXPORT.findall(code)

    def names_from(found: re.Match[str]) -> str:
        return f"const {{{found[1]}}} = {_name_of(_beside(path, found[2]))};\n"

    body = squeezed(_EXPORT.sub("", _IMPORT.sub(names_from, code)))
    left = _LEFT.search(_DEFAULT.sub("", body) if is_entry else body)
    if left:
        raise ValueError(f"{path}: {left[0]!r} is not a form of import or export that pages use")
    if is_entry:
        return body
    return f"const {_name_of(path)} = (() => {{\n{body}\nreturn {{{', '.join(exports)}}};\n}})();"


def _beside(path: str, imported: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), imported))


def _name_of(path: str) -> str:
    return "$" + re.sub(r"\W", "_", path.removesuffix(".js"))


def squeezed(text: str) -> str:
    """JavaScript or CSS without comments and indents; `tests.check_pages` holds it to the files."""
    bare = _COMMENT_BEHIND.sub("", _COMMENT.sub("", text))
    lines = (line.strip() for line in bare.splitlines())
    return "\n".join(line for line in lines if line)
