/**
 * Goes through a run once, from change to change: how many jobs waited and ran, and what held back the waiting ones.
 */
import type { RecordedJob } from '../recorder.ts';
import type { Limits } from './limits-of.ts';
import type { Cause, Series } from './report-types.ts';
import { type Change, changesOf } from './stretches.ts';
import { KeyTally, Lane, Tally } from './tally.ts';

const STEPS = 120;

export interface Timeline {
  readonly all: Tally;
  readonly queues: ReadonlyMap<string, Tally>;
  readonly definitions: ReadonlyMap<string, Tally>;
  /** By `keyName`. */
  readonly keys: ReadonlyMap<string, Tally>;
  readonly series: Series;
}

/** For a job whose definition has a limit by key or a fairness key; undefined: no key. */
export function keyNameOf({ limitKey, fairnessKey, arrival }: RecordedJob): string | undefined {
  if (limitKey) return `${arrival.definition} ${limitKey}`;
  return fairnessKey ? `${arrival.definition} ${fairnessKey} (fairness)` : undefined;
}

export interface TimelineParts {
  readonly jobs: readonly RecordedJob[];
  readonly limits: Limits;
  /** Of each worker. */
  readonly slots: readonly number[];
  readonly spanMs: number;
}

export function timelineOf(parts: TimelineParts): Timeline {
  const sweep = new Sweep(parts);
  for (const change of changesOf(parts.jobs, parts.spanMs)) sweep.apply(change);
  return sweep.end();
}

class Sweep {
  readonly #parts: TimelineParts;
  readonly #all = new Tally();
  readonly #queues = new Map<string, Tally>();
  readonly #definitions = new Map<string, Tally>();
  readonly #limits = new Map<string, KeyTally>();
  readonly #keys = new Map<string, KeyTally>();
  readonly #lanes = new Map<string, Lane>();
  readonly #busy: number[];
  readonly #waitingArea = new Map<string, Float64Array>();
  readonly #busyArea = new Float64Array(STEPS);
  readonly #stepMs: number;
  #nowMs = 0;

  constructor(parts: TimelineParts) {
    this.#parts = parts;
    this.#busy = parts.slots.map(() => 0);
    this.#stepMs = Math.max(1, parts.spanMs / STEPS);
  }

  apply({ atMs, job, what, worker }: Change): void {
    if (atMs > this.#nowMs) this.#pass(atMs);
    const lane = this.#laneOf(job);
    const groups = [this.#all, tallyOf(this.#queues, lane.queue), tallyOf(this.#definitions, lane.definition)];
    const keys = this.#keysOf(job);
    if (what === 'waits' || what === 'continues') {
      const by = what === 'waits' ? 1 : -1;
      lane.waiting += by;
      for (const key of keys) key.wait(lane, by);
      for (const group of groups) group.waiting += by;
      return;
    }
    const by = what === 'runs' ? 1 : -1;
    for (const key of keys) key.hold(by);
    for (const group of groups) group.held += by;
    this.#busy[worker] = (this.#busy[worker] ?? 0) + by;
  }

  end(): Timeline {
    this.#pass(this.#parts.spanMs);
    for (const key of this.#keys.values()) {
      key.reach(this.#parts.spanMs);
      key.settle();
    }
    const means = (area: Float64Array) => [...area].map((sum) => sum / this.#stepMs);
    const waiting = Object.fromEntries([...this.#waitingArea].map(([queue, area]) => [queue, means(area)]));
    const series = { stepMs: this.#stepMs, waiting, busy: means(this.#busyArea) };
    return { all: this.#all, queues: this.#queues, definitions: this.#definitions, keys: this.#keys, series };
  }

  /** Nothing changes until then. */
  #pass(atMs: number): void {
    const ms = atMs - this.#nowMs;
    for (const tally of [this.#all, ...this.#queues.values(), ...this.#definitions.values()]) tally.settle();
    if (ms > 0) {
      for (const lane of this.#lanes.values()) if (lane.waiting > 0) this.#holdBack(lane, ms);
      for (const [queue, { waiting }] of this.#queues) this.#add(this.#areaOf(queue), waiting, atMs);
      this.#add(this.#busyArea, this.#all.held, atMs);
    }
    this.#nowMs = atMs;
  }

  #holdBack(lane: Lane, ms: number): void {
    const cause = this.#causeOf(lane);
    const groups = [this.#all, tallyOf(this.#queues, lane.queue), tallyOf(this.#definitions, lane.definition)];
    for (const { heldBackMs } of groups) {
      heldBackMs.key += lane.keyBlocked * ms;
      heldBackMs[cause] += (lane.waiting - lane.keyBlocked) * ms;
    }
  }

  /** The cause for jobs whose key has capacity. */
  #causeOf({ queue, definition }: Lane): Cause {
    const { limits, slots } = this.#parts;
    const [ofQueue, ofDefinition] = [limits.queues.get(queue), limits.definitions.get(definition)];
    if (tallyOf(this.#definitions, definition).held >= (ofDefinition?.most ?? Number.POSITIVE_INFINITY))
      return 'definition';
    if (tallyOf(this.#queues, queue).held >= (ofQueue?.most ?? Number.POSITIVE_INFINITY)) return 'queue';
    const hasCapacity = ofDefinition?.workers.some((at) => (this.#busy[at] ?? 0) < (slots[at] ?? 0));
    if (!hasCapacity) return 'workers';
    return ofQueue?.hasRate || ofDefinition?.hasRate ? 'rate' : 'other';
  }

  #laneOf({ queue, arrival: { definition } }: RecordedJob): Lane {
    const name = `${queue} ${definition}`;
    return entryOf(this.#lanes, name, () => new Lane(queue, definition));
  }

  /** The tally that its key's limit counts in, and the one that is reported for its key: mostly the same. */
  #keysOf(job: RecordedJob): KeyTally[] {
    const { definition } = job.arrival;
    const { mostOfKey = Number.POSITIVE_INFINITY, hasOneKey } = this.#parts.limits.definitions.get(definition) ?? {};
    const limit =
      job.limitKey || hasOneKey
        ? entryOf(this.#limits, `${definition} ${job.limitKey}`, () => new KeyTally(mostOfKey))
        : undefined;
    const name = keyNameOf(job);
    const own = () => (job.limitKey && limit) || new KeyTally(Number.POSITIVE_INFINITY);
    const ownEntry = name === undefined ? undefined : entryOf(this.#keys, name, own);
    const found = [limit, ownEntry === limit ? undefined : ownEntry].filter((key) => key !== undefined);
    for (const key of found) key.reach(this.#nowMs);
    return found;
  }

  #areaOf(queue: string): Float64Array {
    return entryOf(this.#waitingArea, queue, () => new Float64Array(STEPS));
  }

  /** Adds `height` from now until then, step by step. */
  #add(area: Float64Array, height: number, untilMs: number): void {
    if (height === 0) return;
    for (let fromMs = this.#nowMs; fromMs < untilMs; ) {
      const step = Math.min(STEPS - 1, Math.floor(fromMs / this.#stepMs));
      const toMs = step === STEPS - 1 ? untilMs : Math.min(untilMs, (step + 1) * this.#stepMs);
      area[step] = (area[step] ?? 0) + height * (toMs - fromMs);
      if (toMs <= fromMs) return;
      fromMs = toMs;
    }
  }
}

function tallyOf(tallies: Map<string, Tally>, name: string): Tally {
  return entryOf(tallies, name, () => new Tally());
}

function entryOf<T>(entries: Map<string, T>, name: string, make: () => T): T {
  const known = entries.get(name);
  if (known !== undefined) return known;
  const made = make();
  entries.set(name, made);
  return made;
}
