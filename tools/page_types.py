"""`python -m tools.page_types`: the messages of pages and kernels, as TypeScript reads them."""

from __future__ import annotations

import inspect
import types
import typing
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from typing_extensions import NotRequired

from distill_widgets.page import messages

TARGET = Path(messages.__file__).with_name("messages.d.ts")
HEADER = "// Written by `python -m tools.page_types` from messages.py: change that, not this.\n"
_PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", Any: "unknown"}


def page_types(module: types.ModuleType = messages) -> str:
    """Every TypedDict of a module as an interface, in its order."""
    dicts = [kind for kind in vars(module).values() if typing.is_typeddict(kind)]
    return "\n".join([HEADER, *map(_interface, dicts)])


def _interface(kind: Any) -> str:
    said = inspect.cleandoc(kind.__doc__ or "").splitlines()
    comment = "\n".join(f" * {line}".rstrip() for line in said)
    hints = get_type_hints(kind, localns={"NotRequired": NotRequired}, include_extras=True)
    fields = "".join(f"  {_field(name, hint)};\n" for name, hint in hints.items())
    return f"/**\n{comment}\n */\nexport interface {kind.__name__} {{\n{fields}}}\n"


def _field(name: str, hint: Any) -> str:
    if get_origin(hint) is NotRequired:
        return f"{name}?: {_type(get_args(hint)[0])}"
    return f"{name}: {_type(hint)}"


def _type(hint: Any) -> str:
    """A type as TypeScript writes it.

    Raises:
        TypeError: one that no message needs yet.
    """
    origin, parts = get_origin(hint), get_args(hint)
    if hint in _PLAIN:
        return _PLAIN[hint]
    if typing.is_typeddict(hint):
        return str(hint.__name__)
    if origin is Literal:
        return " | ".join(f'"{part}"' for part in parts)
    if origin is list:
        return f"{_type(parts[0])}[]"
    if origin is tuple:
        return f"[{', '.join(map(_type, parts))}]"
    if origin is dict:
        return f"Record<{', '.join(map(_type, parts))}>"
    raise TypeError(f"{hint}: no message has had such a field; say here what it is on a page")


if __name__ == "__main__":
    TARGET.write_text(page_types(), encoding="utf-8")
