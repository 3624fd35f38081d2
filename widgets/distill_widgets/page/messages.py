"""What a page and its kernel say to each other: every message, its fields, who sends it and when.

The page reads the same from `messages.d.ts`, which `python -m tools.page_types` writes from here;
a test holds the two together. What a page sends is outside data: handlers take it as a dict and
check what they use. Numbers in bulk travel beside a message, as buffers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:
    from typing_extensions import NotRequired

# --- every live widget --------------------------------------------------------------------------


class Sync(TypedDict):
    """Page, when it is shown, becomes visible, lacks something, and every `poll_s` seconds."""

    type: Literal["sync"]
    cursor: NotRequired[list[int]]
    epoch: NotRequired[str]
    marks: NotRequired[int]


class Question(TypedDict):
    """Page, until it is answered: what it wants to know or have done; `type` is the kind.

    A command has JSON for a key, with an id of its own: it is done once, however often it comes.
    """

    type: str
    key: str
    client: str


class Reply(TypedDict):
    """Kernel, to a question: with the facts of its kind, or the text of an error."""

    type: str
    key: str
    error: NotRequired[str]


class PlotlyWanted(TypedDict):
    """Page, until it has plotly.js."""

    type: Literal["plotly"]


class PlotlyCode(TypedDict):
    """Kernel, to that. Buffer: plotly.js, gzip."""

    type: Literal["plotly"]


# --- charts -------------------------------------------------------------------------------------


class Data(TypedDict):
    """Kernel, when there are new points or a page lacks some.

    Parts are (trace, number of its first point). Buffers: x, y and, of a smooth trace, the mean of
    each part, float32.
    """

    type: Literal["data"]
    seq: int
    epoch: str
    parts: list[tuple[int, int]]
    weights: list[float]
    layout: NotRequired[dict[str, Any]]
    marks: NotRequired[int]


# --- the head of a dashboard --------------------------------------------------------------------


class Press(TypedDict):
    """Page, when somebody presses a button."""

    type: Literal["press"]
    button: str
    press: int
    client: str


class Done(TypedDict):
    """Kernel, when it has done what a press asked for."""

    type: Literal["done"]
    button: str
    press: int
    client: str


# --- sounds: facts of replies -------------------------------------------------------------------


class SoundFacts(TypedDict):
    """Of `sound`, by its key. Buffer: WAV."""

    louder_db: NotRequired[int]


class MelFacts(TypedDict):
    """Of `mel`, by the key of a sound. Buffer: (band, column) opacity, uint8."""

    shape: tuple[int, int]


class PeakFacts(TypedDict):
    """Of `peaks`, by the key of a sound. Buffer: least, then greatest of each column, int8."""


# --- files that a page sends --------------------------------------------------------------------


class UploadFacts(TypedDict):
    """Of the command `upload`: the number of the file, whose pieces come as `piece`, by
    UPLOAD/OFFSET, each with a buffer.
    """

    upload: int


class RecordedFacts(TypedDict):
    """Of the command `recorded`: what was done with what the page has recorded."""

    said: str


# --- a sound tried while a model learns ---------------------------------------------------------


class RecordingsFacts(TypedDict):
    """Of `recordings`, by a text that is looked for: the first of those that have it, and how many
    there are.
    """

    numbers: list[int]
    names: list[str]
    found: int
    total: int


class AttemptFacts(TypedDict):
    """Of the command `attempt`: the number of the try, which goes on."""

    number: int


class OutcomeFacts(TypedDict):
    """Of the command `outcome`: whether what was made is in the state `rows`, to be heard; of
    `measured`: whether its distances stand in the state `stages` too.
    """

    done: bool


# --- sounds that a model made -------------------------------------------------------------------


class PadFacts(TypedDict):
    """State `rows` of a Generator: beside each row, what its sound is."""

    number: int
    about: str
    drawn: bool
    kept: bool
    loops: bool
    copied: str
    is_copy: bool
    shared_from_s: float
    shared_s: float


class Piece(TypedDict):
    """Kernel, while it draws a sound of a Generator: what of it is there next, `place` from 0.

    Buffer: samples, float32.
    """

    type: Literal["piece"]
    number: int
    place: int
    rate: int


# --- codes --------------------------------------------------------------------------------------


class CodesFacts(TypedDict):
    """State `facts` of a CodesView."""

    levels: int
    steps: int
    entries: int
    bytes: int
    step_s: float
    seconds: float
    chunk_steps: int
    piece_steps: int
    original: bool
    silent: bool
    colours: list[str]
    file: str


class ChunkFacts(TypedDict):
    """Of `codes`, by the number of the chunk. Buffer: (level, step) int16, or int32."""


class WrittenFacts(TypedDict):
    """Of the command `write`."""

    file: str


# --- the atlas ----------------------------------------------------------------------------------


class ExplorerFacts(TypedDict):
    """State `facts` of a CodebookExplorer."""

    labels: list[str]
    levels: int
    entries: int
    files: int
    methods: list[str]
    colours: list[str]


class UsageFacts(TypedDict):
    """Of `usage`. Buffers: entries of each level, the most used first, and their uses, int32."""


class PlacesFacts(TypedDict):
    """Of `map`, by LEVEL/METHOD. Buffer: (entry, 2) float32."""


class LevelFacts(TypedDict):
    """Of `level`, by its number. Buffers: uses, loudness, brightness, main file of each entry."""

    dead: list[int]
    uses: int


class Moment(TypedDict):
    """Where an entry is heard."""

    name: str
    start_s: float


class EntryFacts(TypedDict):
    """Of `entry`, by LEVEL/ENTRY. Buffer: its mel picture."""

    uses: int
    share: float
    loudness: float
    brightness: float
    file: str
    near: list[int]
    followers: list[tuple[int, float]]
    moments: list[Moment]
    shape: tuple[int, int]


class PairsFacts(TypedDict):
    """Of `pairs`, by A/B or A/next. Buffer: counts, (row, column) int32."""

    rows: list[int]
    columns: list[int]
    most: list[tuple[int, int, int]]
    total: int


class NamesFacts(TypedDict):
    """Of `names`, and of `files`. Buffer of `files`: how alike they are, float32."""

    names: list[str]


# --- models on disk -----------------------------------------------------------------------------


class FoundModel(TypedDict):
    """A model of a library."""

    path: str
    place: str
    name: str
    tags: list[str]
    codes: str
    health: str
    word: str
    entropies: str
    made: str


class RefusedFile(TypedDict):
    """A file that is no model, and why."""

    path: str
    place: str
    reason: str


class Found(TypedDict):
    """Of the command `find`."""

    models: list[FoundModel]
    refused: list[RefusedFile]
    total: int
    tags: list[str]


class TrashedFacts(TypedDict):
    """Of the command `delete`: where the model can be brought back from."""

    trashed: str


class SavedFacts(TypedDict):
    """Of the command `save`."""

    path: str


class MarkFacts(TypedDict):
    """State `marks` of a run's previews, by the name of a row: what somebody found by ear."""

    mark: Literal["good", "bad"]
    epoch: NotRequired[int]


class NoFacts(TypedDict):
    """Of a command that only is done, or not."""


# --- which facts answer what; not sent themselves -----------------------------------------------


class Answers(TypedDict):
    """Facts of the answer to each kind of question."""

    sound: SoundFacts
    mel: MelFacts
    peaks: PeakFacts
    codes: ChunkFacts
    usage: UsageFacts
    map: PlacesFacts
    level: LevelFacts
    entry: EntryFacts
    pairs: PairsFacts
    names: NamesFacts
    files: NamesFacts
    recordings: RecordingsFacts
    piece: NoFacts


class Outcomes(TypedDict):
    """Facts of the outcome of each command."""

    rename: NoFacts
    write: WrittenFacts
    find: Found
    tag: NoFacts
    untag: NoFacts
    delete: TrashedFacts
    undo: NoFacts
    open: NoFacts
    refresh: NoFacts
    load: NoFacts
    save: SavedFacts
    keep: NoFacts
    discard: NoFacts
    vary: NoFacts
    extend: NoFacts
    alike: NoFacts
    fill: NoFacts
    loop: NoFacts
    show: NoFacts
    upload: UploadFacts
    attempt: AttemptFacts
    outcome: OutcomeFacts
    measured: OutcomeFacts
    mark: NoFacts
    recorded: RecordedFacts
