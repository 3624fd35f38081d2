"""No circle of imports: a module can be read, tested and moved without what is built on it."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import grimp

PACKAGES = ("distill", "distill_widgets")


def test_no_module_imports_one_that_imports_it() -> None:
    """Imports for types alone, and those inside functions, count: a circle is not made straight by
    being hidden.
    """
    graph = grimp.build_graph(*PACKAGES, exclude_type_checking_imports=False, cache_dir=None)
    imported = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert len(imported) > 200
    try:
        TopologicalSorter(imported).prepare()
    except CycleError as error:
        raise AssertionError(f"these import each other: {' <- '.join(error.args[1])}") from None
