"""What a checkpoint holds, checked before anything is done with it: its bytes before they are
unpickled, its values before any of them reaches a model.

A file may be whole and still not be what it says: written by another program, or by somebody.
"""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor

from distill.config import VQVAEConfig
from distill.errors import CheckpointError
from distill.models.vqvae.model import ConvVQVAE

_SKELETON_LIMIT = 4 << 20  # the pickle without the numbers of its tensors
_EVERYTHING_ELSE = 64 << 20
_ARCHIVE = b"PK\3\4"
_LARGEST_COUNT = 2**53
_MOST_SUMS, _MOST_DEVICES, _LARGEST_RNG = 64, 1024, 1 << 16
_STORAGES = {
    f"{name}Storage": dtype.itemsize
    for name, dtype in {
        "Float": torch.float32, "Double": torch.float64, "Half": torch.float16,
        "BFloat16": torch.bfloat16, "Long": torch.int64, "Int": torch.int32, "Short": torch.int16,
        "Char": torch.int8, "Byte": torch.uint8, "Bool": torch.bool,
    }.items()
}  # fmt: skip


def check_bytes(payload: bytes | memoryview) -> None:
    """Looks into what `torch.save` wrote, without making anything of it.

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
            raise CheckpointError(f"promises {_short(count)} numbers where {expected} bytes are")

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


def check_state(state: Any, config: VQVAEConfig) -> None:
    """Whether a run of a config can go on from a checkpoint's contents.

    Everything that is applied later is looked at now: kinds, shapes, lengths and ranges, so that no
    engine is ever half loaded.

    Raises:
        CheckpointError: something is missing or is not what it should be; it is named.
    """
    with torch.device("meta"):
        model = ConvVQVAE(config)
    weights = model.state_dict()
    shape = model.codebook_shape
    assert shape is not None  # of this family
    fields = _table(state, "its contents")

    _weights(fields, "model", weights)
    best = _table(_get(fields, "best_weights"), "best_weights")
    if best:
        _weights(fields, "best_weights", weights)
    _optimizer(_table(_get(fields, "optimizer"), "optimizer"), list(model.parameters()))

    _totals(_table(_get(fields, "totals"), "totals"), shape)
    _reporter(_table(_get(fields, "reporter"), "reporter"), shape)
    for name in ("epoch", "step", "batches_done", "skipped_in_a_row", "best_epoch", "events_bytes"):
        _count(_get(fields, name), name)
    _number(_get(fields, "elapsed_s"), "elapsed_s", low=0.0)
    _number(_get(fields, "best_loss"), "best_loss", infinite=True)
    _generator(_get(_table(_get(fields, "sampler"), "sampler"), "generator"), "sampler: generator")
    _generator(_get(fields, "torch_rng"), "torch_rng")
    devices = _get(fields, "cuda_rng")
    _expect(isinstance(devices, list) and len(devices) <= _MOST_DEVICES, "cuda_rng")
    for device in devices:
        is_plain = type(device) is Tensor and device.ndim == 1 and device.numel() <= _LARGEST_RNG
        _expect(is_plain and device.dtype == torch.uint8, "cuda_rng")


def largest_bytes(config: VQVAEConfig) -> int:
    """Most bytes that a checkpoint of a run of this config can have."""
    with torch.device("meta"):
        model = ConvVQVAE(config)
    weights = sum(value.numel() * value.element_size() for value in model.state_dict().values())
    moments = 2 * sum(value.numel() * value.element_size() for value in model.parameters())
    return 2 * weights + moments + _EVERYTHING_ELSE


def _expect(is_right: bool, name: str, found: str = "") -> None:
    if not is_right:
        raise CheckpointError(f"{name} is not what a checkpoint of this run holds{found}")


def _table(value: Any, name: str) -> dict[Any, Any]:
    _expect(isinstance(value, dict), name, f": found {type(value).__name__}, expected a table")
    table: dict[Any, Any] = value
    return table


def _get(table: dict[Any, Any], name: str) -> Any:
    if name not in table:
        raise CheckpointError(f"{name} is missing")
    return table[name]


def _count(value: Any, name: str) -> None:
    _expect(type(value) is int and 0 <= value <= _LARGEST_COUNT, name, f": found {_short(value)}")


def _counts(value: Any, name: str, length: int) -> None:
    _expect(isinstance(value, list) and len(value) == length, name)
    for item in value:
        _count(item, name)


def _number(value: Any, name: str, *, low: float = -math.inf, infinite: bool = False) -> None:
    is_number = type(value) is float or (type(value) is int and abs(value) <= _LARGEST_COUNT)
    right = is_number and (
        (math.isfinite(value) or (infinite and value == math.inf)) and value >= low
    )
    _expect(right, name, f": found {_short(value)}")


def _short(value: Any) -> str:
    if isinstance(value, (bool, float)) or value is None:
        return str(value)
    is_small = isinstance(value, int) and abs(value) < _LARGEST_COUNT
    return str(value) if is_small else type(value).__name__


def _tensor(
    value: Any, name: str, shape: tuple[int, ...], dtype: torch.dtype, *, low: float | None = 0
) -> None:
    plain = type(value) is Tensor and value.layout == torch.strided and value.device.type == "cpu"
    _expect(plain, name, f": found {type(value).__name__}")
    _expect(
        tuple(value.shape) == shape and value.dtype == dtype,
        name,
        f": found {tuple(value.shape)} of {value.dtype}, expected {shape} of {dtype}",
    )
    _expect(not value.requires_grad and not value.is_neg() and not value.is_conj(), name)
    if value.is_floating_point():
        _expect(bool(torch.isfinite(value).all()), name, ": found NaN or Inf")
    if low is not None and value.numel() and value.dtype != torch.bool:
        _expect(bool((value >= low).all()), name, f": found numbers below {low}")


def _weights(fields: dict[Any, Any], part: str, expected: dict[str, Tensor]) -> None:
    found = _table(_get(fields, part), part)
    for name in expected:
        if name not in found:
            raise CheckpointError(f"{part}: {name} is missing")
    _expect(len(found) == len(expected), part, ": found weights of no part of the model")
    for name, like in expected.items():
        _tensor(found[name], f"{part}: {name}", tuple(like.shape), like.dtype, low=None)


def _optimizer(found: dict[Any, Any], parameters: list[Tensor]) -> None:
    groups = _get(found, "param_groups")
    _expect(isinstance(groups, list) and len(groups) == 1, "optimizer: param_groups")
    group = _table(groups[0], "optimizer: param_groups")
    _counts(_get(group, "params"), "optimizer: params", len(parameters))
    _expect(group["params"] == list(range(len(parameters))), "optimizer: params")
    for name, value in group.items():
        name = f"optimizer: {str(name)[:40]}"
        if isinstance(value, (list, tuple)):
            _expect(len(value) <= len(parameters) + 2, name)
            for item in value:
                _number(item, name)
        elif value is not None and type(value) is not bool:
            _number(value, name, low=0.0)
    for name in ("lr", "eps", "weight_decay"):
        _number(_get(group, name), f"optimizer: {name}", low=0.0)
    betas = _get(group, "betas")
    _expect(
        isinstance(betas, (list, tuple))
        and len(betas) == 2
        and all(type(beta) is float and 0.0 <= beta < 1.0 for beta in betas),
        "optimizer: betas",
    )
    moments = _table(_get(found, "state"), "optimizer: state")
    for number, moment in moments.items():
        _expect(type(number) is int and 0 <= number < len(parameters), "optimizer: state")
        name, shape = f"optimizer: state {number}", tuple(parameters[number].shape)
        moment = _table(moment, name)
        _expect(set(moment) == {"step", "exp_avg", "exp_avg_sq"}, name)
        _tensor(moment["step"], name, (), torch.float32)
        _tensor(moment["exp_avg"], name, shape, torch.float32, low=None)
        _tensor(moment["exp_avg_sq"], name, shape, torch.float32)


def _totals(found: dict[Any, Any], shape: tuple[int, int]) -> None:
    _tensor(_get(found, "counts"), "totals: counts", shape, torch.int64)
    sums = _table(_get(found, "sums"), "totals: sums")
    _expect(len(sums) <= _MOST_SUMS and all(isinstance(name, str) for name in sums), "totals: sums")
    for name, value in sums.items():
        _number(value, f"totals: {name[:40]}")
    _number(_get(found, "weight"), "totals: weight", low=0.0)
    _expect(not sums or found["weight"] > 0, "totals: weight")
    _counts(_get(found, "replaced"), "totals: replaced", shape[0])
    for name in ("steps", "skipped"):
        _count(_get(found, name), f"totals: {name}")


def _reporter(found: dict[Any, Any], shape: tuple[int, int]) -> None:
    _tensor(_get(found, "window"), "reporter: window", shape, torch.int64)
    _count(_get(found, "window_steps"), "reporter: window_steps")
    _counts(_get(found, "window_replaced"), "reporter: window_replaced", shape[0])
    thin = _get(found, "thin_levels")
    is_right = isinstance(thin, list) and all(type(n) is int and 0 <= n < shape[0] for n in thin)
    _expect(is_right, "reporter: thin_levels")
    _expect(type(_get(found, "told_overfitting")) is bool, "reporter: told_overfitting")


def _generator(value: Any, name: str) -> None:
    like: Callable[[], Tensor] = torch.Generator().get_state
    _tensor(value, name, tuple(like().shape), torch.uint8)
    try:
        torch.Generator().set_state(value)
    except (RuntimeError, TypeError) as error:
        raise CheckpointError(f"{name} is no state of a random generator ({error})") from error
