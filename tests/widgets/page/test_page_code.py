"""What the pages' JavaScript may do, by reading it: the rules that keep a text a text."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import distill_widgets
from distill_widgets.page import page_code as linker
from distill_widgets.page.page_code import page_code

from ..node_page import run_in_node

FOLDER = Path(distill_widgets.__file__).parent
FILES = sorted(FOLDER.rglob("*.js"))
NEVER = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|srcdoc"
    r"|DOMParser|\beval\b|\bFunction\(|\bimport\s*\(|\bfetch\(\s*[\"'`]|XMLHttpRequest|WebSocket"
    r"|window\.open|\blocation\b|\.href|[\"']href[\"']|setAttribute\(\s*[\"']on|\.cssText"
    r"|setAttribute\(\s*[\"']style|\.style\.background\b|element\(\s*[\"'](a|script|iframe|object)"
)
ONLY_IN = {
    r"\.textContent = ": {"text.js"},
    r"\.(react|newPlot|relayout|restyle)\(": {"plotly_draw.js"},
    r"\.src = |\bsrc: ": {"sound_store.js", "plotly_load.js", "live_chart.js"},
    r"createElement\(": {"text.js", "plotly_load.js"},
    r"new Option\((?!shownText|\")": set(),
    r"URL\.createObjectURL\(": {"sound_store.js", "plotly_load.js", "microphone.js"},
}


ENTRIES = sorted(
    path.relative_to(FOLDER).as_posix()
    for path in FILES
    if "export default" in path.read_text(encoding="utf-8")
)


def code_of(path: Path) -> list[str]:
    text = re.sub(r"^\s*(?:/\*.*?\*/|//[^\n]*)", "", path.read_text(), flags=re.M | re.S)
    return text.splitlines()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_page_makes_markup_or_links_or_asks_another_server(path: Path) -> None:
    assert [line.strip() for line in code_of(path) if NEVER.search(line)] == []


@pytest.mark.parametrize("pattern", ONLY_IN)
def test_what_has_one_place_has_no_other(pattern: str) -> None:
    found = {p.name for p in FILES if any(re.search(pattern, line) for line in code_of(p))}
    assert found == ONLY_IN[pattern]


def test_style_sheets_load_nothing() -> None:
    for path in FOLDER.rglob("*.css"):
        assert not re.search(r"url\(|@import|expression|<", path.read_text()), path.name


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Writes modules and joins them, the first being the entry."""

    def join(**codes: str) -> str:
        for name, code in codes.items():
            (tmp_path / f"{name}.js").write_text(code)
        return page_code(f"{next(iter(codes))}.js")

    monkeypatch.setattr(linker, "_PACKAGE", tmp_path)
    page_code.cache_clear()
    yield join
    page_code.cache_clear()


def test_names_of_one_module_are_no_names_of_another(modules: Callable[..., str]) -> None:
    code = modules(
        a='import {both} from "./b.js";\nconst own = 1;\nexport default both(own);\n',
        b='import {own} from "./c.js";\nexport const both = (x) => [x, own()];\n',
        c="const half = 21;\nexport function own() {\n  return 2 * half;\n}\n",
    )
    code = code.replace("export default", "console.log").replace("both(own);", "(both(own));")
    assert run_in_node(code) == "[ 1, 42 ]\n"


def test_a_module_that_two_import_stands_there_once(modules: Callable[..., str]) -> None:
    code = modules(
        a='import {b} from "./b.js";\nimport {c} from "./c.js";\nexport default b + c;\n',
        b='import {c} from "./c.js";\nexport const b = c;\n',
        c="export const c = 1;\n",
    )
    assert code.count("const c = 1;") == 1
    assert code.index("const c = 1;") < code.index("const b = c;")


def test_comments_stay_here(modules: Callable[..., str]) -> None:
    block = "/**\n * What it does.\n *\n * @param {string} x\n */\n"
    code = modules(a=f'// @ts-check\n{block}  // indented\nexport default "// no comment";\n')
    assert code == 'export default "// no comment";'


@pytest.mark.parametrize(
    "line",
    ['import x from "./b.js";', 'import * as x from "./b.js";', "export {x};", 'import "./b.js";',
     "export let x = 1;", 'import {x as y} from "./b.js";', 'import {x} from "plotly";'],
)  # fmt: skip
def test_other_forms_of_import_are_refused(modules: Callable[..., str], line: str) -> None:
    with pytest.raises(ValueError, match="is not a form of import or export that pages use"):
        modules(a=f"{line}\nexport default 1;\n", b="export const x = 1;\n")


def test_a_circle_is_refused(modules: Callable[..., str]) -> None:
    with pytest.raises(ValueError, match=r"imports in a circle: a\.js -> b\.js -> a\.js"):
        modules(a='import {b} from "./b.js";\n', b='import {a} from "./a.js";\n')


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_page_is_one_module_that_runs(entry: str) -> None:
    code = page_code(entry)
    [exported] = re.findall(r"^(?:import|export)\b.*", code, re.M)
    assert re.fullmatch(r"export default \{(initialize, )?render\};", exported)
    code = code.replace("export default", "const made =")
    assert run_in_node(f"{code}\nconsole.log(typeof made.render);") == "function\n"
