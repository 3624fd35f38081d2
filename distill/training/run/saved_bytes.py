"""The bytes of a checkpoint, checked before they are unpickled.

A file may be whole and still not be what it says: written by another program, or by somebody.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from typing import Any, ClassVar

import torch

from distill.errors import CheckpointError
from distill.training.run.state_checks import brief_value

_SKELETON_LIMIT = 4 << 20  # the pickle without the numbers of its tensors
_ARCHIVE = b"PK\3\4"
_STORAGES = {
    f"{name}Storage": dtype.itemsize
    for name, dtype in {
        "Float": torch.float32, "Double": torch.float64, "Half": torch.float16,
        "BFloat16": torch.bfloat16, "Long": torch.int64, "Int": torch.int32, "Short": torch.int16,
        "Char": torch.int8, "Byte": torch.uint8, "Bool": torch.bool,
    }.items()
}  # fmt: skip


def check_bytes(payload: bytes | memoryview) -> None:
    """Checks what `torch.save` wrote, without making anything of it.

    Nothing is packed, so that nothing unpacks to more than is there; the pickle names tensors,
    their storages and ordered dictionaries only; every storage is as long as it says.

    Raises:
        CheckpointError: anything else; says what.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(payload)) as archive:
            members = archive.infolist()
            packed = any(item.compress_type != zipfile.ZIP_STORED for item in members)
            if packed or sum(item.file_size for item in members) > len(payload):
                raise CheckpointError("holds packed data, which distill does not write")
            sizes = {item.filename.partition("/")[2]: item.file_size for item in members}
            [skeleton] = [item for item in members if item.filename.endswith("/data.pkl")]
            if skeleton.file_size > _SKELETON_LIMIT:
                raise CheckpointError(
                    f"describes its contents in {skeleton.file_size:,} bytes; expected at most "
                    f"{_SKELETON_LIMIT:,}"
                )
            if not payload[:4] == _ARCHIVE:  # or torch would read it as something else
                raise CheckpointError("has something in front of its contents")
            _Skeleton(io.BytesIO(archive.read(skeleton)), sizes).load()
    except CheckpointError:
        raise
    except Exception as error:  # a foreign parser on foreign bytes: whatever it stumbles over
        raise CheckpointError(f"cannot be read ({type(error).__name__}: {error})") from error


class _Table(OrderedDict[Any, Any]):
    """One that is made empty: what is put into it goes through `_Skeleton`."""

    def __init__(self) -> None:
        super().__init__()


_OPCODES = b"".join(
    getattr(pickle, name)
    for name in (
        *("PROTO", "STOP", "MARK", "NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2"),
        *("LONG1", "BINFLOAT", "BINUNICODE", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"),
        *("EMPTY_LIST", "APPEND", "APPENDS", "EMPTY_DICT", "SETITEM", "SETITEMS", "BINPUT"),
        *("LONG_BINPUT", "BINGET", "LONG_BINGET", "GLOBAL", "REDUCE", "BUILD", "BINPERSID"),
    )
)
"""What `torch.save` writes of tables, lists, numbers, texts and tensors; every other is refused."""


_STEPS: dict[int, Any] = vars(pickle)["_Unpickler"].dispatch


class _Skeleton(pickle._Unpickler):  # type: ignore[name-defined,misc,unused-ignore]
    """Walks through a pickle in which nothing can be called but what does nothing.

    The one written in Python: the other takes memory for as many objects as a byte in it says.
    A key is a text or a number: tuples of tuples, each named ten times, take no room in a file, but
    to look one up in a table never ends.
    """

    stack: list[Any]
    dispatch: ClassVar[dict[int, Any]] = {code: _STEPS[code] for code in _OPCODES}

    def __init__(self, file: io.BytesIO, sizes: dict[str, int]) -> None:
        super().__init__(file)
        self._sizes = sizes

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return _Table
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _no_tensor
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise CheckpointError("holds more than numbers and text; nothing of it was run")

    def persistent_load(self, pid: Any) -> Any:
        kind, item_bytes, key, _location, count = pid
        if (kind, type(item_bytes), type(key), type(count)) != ("storage", int, str, int):
            raise CheckpointError("promises numbers in a way that distill does not write")
        expected = self._sizes.get(f"data/{key}")
        if count * item_bytes != expected:
            raise CheckpointError(
                f"promises {brief_value(count)} numbers where {expected} bytes are"
            )

    def load_setitem(self) -> None:
        self._check_keys(self.stack[-2:-1])
        _STEPS[pickle.SETITEM[0]](self)

    def load_setitems(self) -> None:
        self._check_keys(self.stack[::2])
        _STEPS[pickle.SETITEMS[0]](self)

    def load_build(self) -> None:
        if type(self.stack[-2]) is not _Table:
            raise CheckpointError("changes what is no table")
        _STEPS[pickle.BUILD[0]](self)

    dispatch[pickle.SETITEM[0]] = load_setitem
    dispatch[pickle.SETITEMS[0]] = load_setitems
    dispatch[pickle.BUILD[0]] = load_build

    def _check_keys(self, keys: list[Any]) -> None:
        for key in keys:
            if type(key) not in (str, int):
                raise CheckpointError(f"has a {type(key).__name__} as a key")


def _no_tensor(*_: Any) -> None:
    return None
