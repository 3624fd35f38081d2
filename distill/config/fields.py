"""Settings as fields with a range: checked when made, plain data and back."""

from __future__ import annotations

import dataclasses
import difflib
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any, NamedTuple, TypeVar

from distill.errors import ConfigError
from distill.names import printable

_ConfigT = TypeVar("_ConfigT", bound="Validated")

_LONGEST_SHOWN = 60


class Range(NamedTuple):
    """Least and greatest value of a setting."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"

    def holds(self, value: float) -> bool:
        """Whether a setting may have this value."""
        return self.low <= value <= self.high


def number(default: Any, low: float, high: float, *, optional: bool = False) -> Any:
    """A field checked to be a number of `default`'s kind within [low, high]."""
    kind = int if isinstance(low, int) and isinstance(high, int) else float
    return field(
        default=default,
        metadata={
            "kind": kind,
            "low": low,
            "high": high,
            "optional": optional,
            "check": _check_number,
        },
    )


def switch(default: bool) -> Any:
    """A field checked to be True or False."""
    return field(default=default, metadata={"kind": bool, "check": _check_switch})


@dataclass(frozen=True, kw_only=True)
class Validated:
    """Checks every `number` and `switch` field and turns itself into plain data and back."""

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            if "check" in item.metadata:
                value = getattr(self, item.name)
                item.metadata["check"](item, value)
                if value is not None:  # NumPy's numbers become Python's, which JSON knows
                    object.__setattr__(self, item.name, item.metadata["kind"](value))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready data; `from_dict` is its inverse."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls: type[_ConfigT], values: dict[str, Any]) -> _ConfigT:
        """Builds a config from `to_dict` data.

        Raises:
            ConfigError: no table, an unknown field, or a value outside its range.
        """
        if not isinstance(values, dict):
            raise ConfigError(
                f"settings of type {type(values).__name__}: expected names and values"
            )
        known = [item.name for item in dataclasses.fields(cls)]
        for name in values:
            if name not in known:
                raise ConfigError(unknown_field(name, known))
        return cls(**values)


def range_of(config: type[Validated], name: str) -> Range:
    """The range of a number among the settings, for whoever offers it: help texts and sliders.

    Args:
        config: class of the settings.
        name: of one that is a number.

    Example:
        >>> from distill.config import VQVAEConfig
        >>> str(range_of(VQVAEConfig, "levels"))
        '1 to 16'
    """
    metadata = {item.name: item.metadata for item in dataclasses.fields(config)}[name]
    return Range(metadata["low"], metadata["high"])


def unknown_field(name: str, known: list[str]) -> str:
    """The message for a setting nobody knows, with the nearest one that exists."""
    near = difflib.get_close_matches(str(name)[:_LONGEST_SHOWN], known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}."
    return f"{shown(name)}: no such setting; {hint}"


def _check_switch(item: dataclasses.Field[Any], value: Any) -> None:
    if not isinstance(value, bool):
        raise ConfigError(f"{item.name}={shown(repr(value))}: expected True or False")


def _check_number(item: dataclasses.Field[Any], value: Any) -> None:
    kind, low, high = (item.metadata[key] for key in ("kind", "low", "high"))
    if value is None and item.metadata["optional"]:
        return
    is_number = isinstance(value, Integral if kind is int else Real) and not isinstance(value, bool)
    if not is_number or not low <= value <= high:  # which NaN is not either
        noun = "a whole number" if kind is int else "a number"
        found = shown(value) if is_number else shown(repr(value))
        raise ConfigError(f"{item.name}={found}: expected {noun} from {Range(low, high)}")


def shown(value: Any) -> str:
    """A value of a message, whatever it is: a number may have thousands of digits."""
    try:
        text = printable(str(value))
    except ValueError:
        return "a number of thousands of digits"
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
