// What the pages' modules share with anywidget, ipywidgets and plotly.
import type {Answers, Outcomes} from "./messages";

/** What anywidget hands over of a widget: its synced state, and a line to its kernel. */
export interface Model<Traits = Record<string, never>> {
  get<Name extends keyof (Traits & LiveTraits)>(name: Name): (Traits & LiveTraits)[Name];
  set<Name extends keyof Traits>(name: Name, value: Traits[Name]): void;
  save_changes(): void;
  // biome-ignore lint/suspicious/noExplicitAny: each event has its own arguments
  on(event: string, callback: (...rest: any[]) => void): void;
  // biome-ignore lint/suspicious/noExplicitAny: each event has its own arguments
  off(event: string, callback: (...rest: any[]) => void): void;
  send(message: object, callbacks?: undefined, buffers?: ArrayBuffer[]): void;
}

/** State of every LiveWidget. */
export interface LiveTraits {
  uid: string;
  poll_s: number;
}

export interface Shown<Traits> {
  model: Model<Traits>;
  el: HTMLElement;
}

/** One place on a page that shows a widget. */
export interface View {
  show?: () => void;
  changed?: () => void;
}

/** What a page knows of a widget, however many places show it. */
export interface Store {
  views: Set<View>;
  client: string;
}

/** What a kernel answers: facts and buffers; or an error, then there is nothing else. */
export type Answer<Facts = object> = {
  type: string;
  key: string;
  error?: string;
  buffers: DataView[];
} & Facts;

/** Asks the kernel for what has a key; see messages.py for the kinds. */
export type Ask = <Kind extends keyof Answers>(
  type: Kind,
  key: string,
) => Promise<Answer<Answers[Kind]>>;

/** Hands bytes to the kernel, until it has them. */
export type Put = <Kind extends keyof Answers>(
  type: Kind,
  key: string,
  buffer: ArrayBuffer,
) => Promise<Answer<Answers[Kind]>>;

/** Has the kernel do something. */
export type Command = <Kind extends keyof Outcomes>(
  type: Kind,
  command: object,
) => Promise<Answer<Outcomes[Kind]>>;

/** A store that asks its kernel. */
export interface Questions extends Store {
  get: Ask;
  command: Command;
  put: Put;
  forgetAnswer(type: keyof Answers, key: string): void;
  close(): void;
}

/** What is used of plotly.js. */
export interface Plotly {
  react(box: HTMLElement, data: object[], layout: object, config: object): Promise<void>;
  purge(box: HTMLElement): void;
  Plots: {resize(box: HTMLElement): void};
}

/** A box that plotly has drawn into. */
export interface PlotBox extends HTMLElement {
  _fullLayout?: {width: number};
  on?(event: string, callback: (event: {points: PlotPoint[]}) => void): void;
}

// biome-ignore lint/suspicious/noExplicitAny: whatever a trace has put there
export type PlotPoint = {customdata?: any; text?: any; x?: any; y?: any; pointIndex?: any};

// biome-ignore lint/suspicious/noExplicitAny: plotly's own schema, a tree of JSON
export type Json = any;
/** What plotly draws. */
export type Picture = {data: Json[]; layout: Json};

/** plotly.js on its way onto a page. */
export interface PlotlyLoad {
  state: "wait" | "loading" | "ready";
  source: "" | "kernel" | "cache";
  loaded: Promise<Plotly>;
  cacheRead: Promise<unknown>;
  asked: number;
  patience: number;
  give(packed: Blob, source: "kernel" | "cache"): Promise<void>;
}

declare global {
  var __distill: {stores: Map<string, Store>; plotly: PlotlyLoad | null} | undefined;
  var Plotly: Plotly | undefined;
}
