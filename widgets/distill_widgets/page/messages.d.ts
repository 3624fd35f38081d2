// Written by `python -m tools.page_types` from messages.py: change that, not this.

/**
 * Page, when it is shown, becomes visible, lacks something, and every `poll_s` seconds.
 */
export interface Sync {
  type: "sync";
  cursor?: number[];
  epoch?: string;
  marks?: number;
}

/**
 * Page, until it is answered: what it wants to know or have done; `type` is the kind.
 *
 * A command has JSON for a key, with an id of its own: it is done once, however often it comes.
 */
export interface Question {
  type: string;
  key: string;
  client: string;
}

/**
 * Kernel, to a question: with the facts of its kind, or the text of an error.
 */
export interface Reply {
  type: string;
  key: string;
  error?: string;
}

/**
 * Page, until it has plotly.js.
 */
export interface PlotlyWanted {
  type: "plotly";
}

/**
 * Kernel, to that. Buffer: plotly.js, gzip.
 */
export interface PlotlyCode {
  type: "plotly";
}

/**
 * Kernel, when there are new points or a page lacks some.
 *
 * Parts are (trace, number of its first point). Buffers: x, y and, of a smooth trace, the mean of
 * each part, float32.
 */
export interface Data {
  type: "data";
  seq: number;
  epoch: string;
  parts: [number, number][];
  weights: number[];
  layout?: Record<string, unknown>;
  marks?: number;
}

/**
 * Page, when somebody presses a button.
 */
export interface Press {
  type: "press";
  button: string;
  press: number;
  client: string;
}

/**
 * Kernel, when it has done what a press asked for.
 */
export interface Done {
  type: "done";
  button: string;
  press: number;
  client: string;
}

/**
 * Of `sound`, by its key. Buffer: WAV.
 */
export interface SoundFacts {
  louder_db?: number;
}

/**
 * Of `mel`, by the key of a sound. Buffer: (band, column) opacity, uint8.
 */
export interface MelFacts {
  shape: [number, number];
}

/**
 * Of `peaks`, by the key of a sound. Buffer: least, then greatest of each column, int8.
 */
export interface PeakFacts {
}

/**
 * Of the command `upload`: the number of the file, whose pieces come as `piece`, by
 * UPLOAD/OFFSET, each with a buffer.
 */
export interface UploadFacts {
  upload: number;
}

/**
 * Of the command `recorded`: what was done with what the page has recorded.
 */
export interface RecordedFacts {
  said: string;
}

/**
 * Of `recordings`, by a text that is looked for: the first of those that have it, and how many
 * there are.
 */
export interface RecordingsFacts {
  numbers: number[];
  names: string[];
  found: number;
  total: number;
}

/**
 * Of the command `attempt`: the number of the try, which goes on.
 */
export interface AttemptFacts {
  number: number;
}

/**
 * Of the command `outcome`: whether what was made is in the state `rows`, to be heard; of
 * `measured`: whether its distances stand in the state `stages` too.
 */
export interface OutcomeFacts {
  done: boolean;
}

/**
 * State `rows` of a Generator: beside each row, what its sound is.
 */
export interface PadFacts {
  number: number;
  about: string;
  drawn: boolean;
  kept: boolean;
  loops: boolean;
  copied: string;
  is_copy: boolean;
  shared_from_s: number;
  shared_s: number;
}

/**
 * Kernel, while it draws a sound of a Generator: what of it is there next, `place` from 0.
 *
 * Buffer: samples, float32.
 */
export interface Piece {
  type: "piece";
  number: number;
  place: number;
  rate: number;
}

/**
 * State `facts` of a CodesView.
 */
export interface CodesFacts {
  levels: number;
  steps: number;
  entries: number;
  bytes: number;
  step_s: number;
  seconds: number;
  chunk_steps: number;
  piece_steps: number;
  original: boolean;
  silent: boolean;
  colours: string[];
  file: string;
}

/**
 * Of `codes`, by the number of the chunk. Buffer: (level, step) int16, or int32.
 */
export interface ChunkFacts {
}

/**
 * Of the command `write`.
 */
export interface WrittenFacts {
  file: string;
}

/**
 * State `facts` of a CodebookExplorer.
 */
export interface ExplorerFacts {
  labels: string[];
  levels: number;
  entries: number;
  files: number;
  methods: string[];
  colours: string[];
}

/**
 * Of `usage`. Buffers: entries of each level, the most used first, and their uses, int32.
 */
export interface UsageFacts {
}

/**
 * Of `map`, by LEVEL/METHOD. Buffer: (entry, 2) float32.
 */
export interface PlacesFacts {
}

/**
 * Of `level`, by its number. Buffers: uses, loudness, brightness, main file of each entry.
 */
export interface LevelFacts {
  dead: number[];
  uses: number;
}

/**
 * Where an entry is heard.
 */
export interface Moment {
  name: string;
  start_s: number;
}

/**
 * Of `entry`, by LEVEL/ENTRY. Buffer: its mel picture.
 */
export interface EntryFacts {
  uses: number;
  share: number;
  loudness: number;
  brightness: number;
  file: string;
  near: number[];
  followers: [number, number][];
  moments: Moment[];
  shape: [number, number];
}

/**
 * Of `pairs`, by A/B or A/next. Buffer: counts, (row, column) int32.
 */
export interface PairsFacts {
  rows: number[];
  columns: number[];
  most: [number, number, number][];
  total: number;
}

/**
 * Of `names`, and of `files`. Buffer of `files`: how alike they are, float32.
 */
export interface NamesFacts {
  names: string[];
}

/**
 * A model of a library.
 */
export interface FoundModel {
  path: string;
  place: string;
  name: string;
  tags: string[];
  codes: string;
  health: string;
  word: string;
  entropies: string;
  made: string;
}

/**
 * A file that is no model, and why.
 */
export interface RefusedFile {
  path: string;
  place: string;
  reason: string;
}

/**
 * Of the command `find`.
 */
export interface Found {
  models: FoundModel[];
  refused: RefusedFile[];
  total: number;
  tags: string[];
}

/**
 * Of the command `delete`: where the model can be brought back from.
 */
export interface TrashedFacts {
  trashed: string;
}

/**
 * Of the command `save`.
 */
export interface SavedFacts {
  path: string;
}

/**
 * State `marks` of a run's previews, by the name of a row: what somebody found by ear.
 */
export interface MarkFacts {
  mark: "good" | "bad";
  epoch?: number;
}

/**
 * Of a command that only is done, or not.
 */
export interface NoFacts {
}

/**
 * Facts of the answer to each kind of question.
 */
export interface Answers {
  sound: SoundFacts;
  mel: MelFacts;
  peaks: PeakFacts;
  codes: ChunkFacts;
  usage: UsageFacts;
  map: PlacesFacts;
  level: LevelFacts;
  entry: EntryFacts;
  pairs: PairsFacts;
  names: NamesFacts;
  files: NamesFacts;
  recordings: RecordingsFacts;
  piece: NoFacts;
}

/**
 * Facts of the outcome of each command.
 */
export interface Outcomes {
  rename: NoFacts;
  write: WrittenFacts;
  find: Found;
  tag: NoFacts;
  untag: NoFacts;
  delete: TrashedFacts;
  undo: NoFacts;
  open: NoFacts;
  refresh: NoFacts;
  load: NoFacts;
  save: SavedFacts;
  keep: NoFacts;
  discard: NoFacts;
  vary: NoFacts;
  extend: NoFacts;
  alike: NoFacts;
  fill: NoFacts;
  loop: NoFacts;
  show: NoFacts;
  upload: UploadFacts;
  attempt: AttemptFacts;
  outcome: OutcomeFacts;
  measured: OutcomeFacts;
  mark: NoFacts;
  recorded: RecordedFacts;
}
