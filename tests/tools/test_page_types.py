from __future__ import annotations

import types
from typing import TypedDict

import pytest

from tools.page_types import TARGET, page_types


def test_pages_read_what_kernels_are_typed_by():
    advice = "messages.py has changed: python -m tools.page_types"
    assert TARGET.read_text(encoding="utf-8") == page_types(), advice


def test_a_type_without_a_translation_is_refused():
    module = types.ModuleType("messages")
    module.Odd = TypedDict("Odd", {"when": complex})
    with pytest.raises(TypeError, match="no message has had such a field"):
        page_types(module)
