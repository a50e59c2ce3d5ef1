/** A file of events, one a line, that remembers which it has: an event that comes again is not written again. */
import { closeSync, existsSync, fdatasyncSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';

/** Newest events that are told apart. An event comes again soon or not at all, so they need not be all. */
const REMEMBERED = 100_000;

interface CloudEvent {
  readonly id: string;
  readonly source: string;
}

/** Unique among all events: an id is unique within its source. */
const keyOf = ({ source, id }: CloudEvent) => `${source} ${id}`;

export class EventFile {
  readonly #descriptor: number;
  /** In the order of their coming. */
  readonly #known = new Set<string>();

  /** Opens the file, or makes it. The line that a crash has cut short goes: its batch was not acknowledged. */
  constructor(path: string) {
    if (existsSync(path)) {
      const text = readFileSync(path, 'utf8');
      const whole = text.slice(0, text.lastIndexOf('\n') + 1);
      truncateSync(path, Buffer.byteLength(whole));
      for (const line of whole.split('\n')) if (line !== '') this.#remember(keyOf(JSON.parse(line)));
    }
    this.#descriptor = openSync(path, 'a');
  }

  /** Writes those that are new, and returns how many those are. They are on disk once it returns. */
  add(events: readonly CloudEvent[]): number {
    const fresh = events.filter((event) => this.#remember(keyOf(event)));
    if (fresh.length === 0) return 0;
    writeSync(this.#descriptor, fresh.map((event) => `${JSON.stringify(event)}\n`).join(''));
    fdatasyncSync(this.#descriptor);
    return fresh.length;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /** Whether it was not known. */
  #remember(key: string): boolean {
    if (this.#known.has(key)) return false;
    this.#known.add(key);
    if (this.#known.size > REMEMBERED) {
      const [oldest] = this.#known;
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    return true;
  }
}
