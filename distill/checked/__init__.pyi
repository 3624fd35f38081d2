from .arrays import ArraySpec as ArraySpec, read_npz as read_npz
from .files import open_regular as open_regular, read_bounded as read_bounded
from .texts import (
    DEPTH_LIMIT as DEPTH_LIMIT,
    Count as Count,
    Finite as Finite,
    Fraction as Fraction,
    Name as Name,
    PathText as PathText,
    Positive as Positive,
    Text as Text,
    UnixTime as UnixTime,
    parse_json as parse_json,
    read_json as read_json,
    unknown_fields as unknown_fields,
)
from .words import brief as brief
