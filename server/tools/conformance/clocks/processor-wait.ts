/** How long a runnable worker got no processor. Only Linux reports this. */
import { readdirSync, readFileSync } from 'node:fs';
import { type Clock, realClock } from './clock.ts';

const POLL_MS = 250;
const SAMPLES_PER_SECOND = 4;
const MAX_PROCESSES = 100;

/** By thread id, the total milliseconds for which the threads of a process and its children have waited. */
export type ReadWaits = (pid: number) => ReadonlyMap<string, number>;

export class ProcessorWait {
  readonly #pid: () => number | undefined;
  readonly #read: ReadWaits;
  readonly #stop: () => void;
  /** Undefined until the worker runs. */
  #before: ReadonlyMap<string, number> | undefined;
  /** Waits between the last readings, each that of the thread that waited longest. */
  #recent: number[] = [];
  #worstMs = 0;

  /** @param pid The worker's pid, once its waits count; earlier waits do not. */
  constructor(pid: () => number | undefined, clock: Clock = realClock, read: ReadWaits = waitsOf) {
    this.#pid = pid;
    this.#read = read;
    this.#before = this.#waits();
    this.#stop = clock.every(POLL_MS, () => this.#probe());
  }

  /** Milliseconds within a second. */
  get worstMs(): number {
    return this.#worstMs;
  }

  close(): void {
    this.#stop();
  }

  #waits(): ReadonlyMap<string, number> | undefined {
    const pid = this.#pid();
    return pid === undefined ? undefined : this.#read(pid);
  }

  #probe(): void {
    const [before, waits] = [this.#before, this.#waits()];
    this.#before = waits;
    const waited = before ? [...(waits ?? [])].map(([thread, ms]) => ms - (before.get(thread) ?? 0)) : [];
    this.#recent = [...this.#recent, Math.max(0, ...waited)].slice(-SAMPLES_PER_SECOND);
    const sum = this.#recent.reduce((ms, more) => ms + more, 0);
    this.#worstMs = Math.max(this.#worstMs, sum);
  }
}

function waitsOf(pid: number): ReadonlyMap<string, number> {
  const waits = new Map<string, number>();
  const pids = [String(pid)];
  for (const one of pids) {
    for (const thread of tryRead(() => readdirSync(`/proc/${one}/task`)) ?? []) {
      const task = `/proc/${one}/task/${thread}`;
      const waited = waitOf(`${task}/schedstat`);
      if (waited !== undefined) waits.set(thread, waited);
      // Some workers run sessions, others handlers, in processes of their own.
      if (pids.length < MAX_PROCESSES) pids.push(...childrenOf(`${task}/children`));
    }
  }
  return waits;
}

function childrenOf(file: string): string[] {
  return (
    tryRead(() => readFileSync(file, 'utf8'))
      ?.split(' ')
      .filter(Boolean) ?? []
  );
}

/** The kernel reports nanoseconds on a processor, nanoseconds waiting for one, and a count. */
function waitOf(file: string): number | undefined {
  const [, waited] = tryRead(() => readFileSync(file, 'utf8'))?.split(' ') ?? [];
  return waited === undefined ? undefined : Number(waited) / 1e6;
}

/** Undefined: the process has ended, or the system does not report this. */
function tryRead<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
