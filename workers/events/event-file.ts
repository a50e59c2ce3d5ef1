/** A file of events, one per line, without duplicates: it remembers the events that it has. */
import { closeSync, existsSync, fdatasyncSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';

/** Number of newest events that are remembered. A duplicate comes soon or never, so not all events are needed. */
const REMEMBERED = 100_000;

interface CloudEvent {
  readonly id: string;
  readonly source: string;
}

/** Unique among all events: an id is unique within its source. */
const keyOf = ({ source, id }: CloudEvent) => `${source} ${id}`;

export class EventFile {
  readonly #descriptor: number;
  /** In order of arrival. */
  readonly #known = new Set<string>();

  /** Opens or creates the file. Removes a line that a crash has truncated: its batch was not acknowledged. */
  constructor(path: string) {
    if (existsSync(path)) {
      const text = readFileSync(path, 'utf8');
      const whole = text.slice(0, text.lastIndexOf('\n') + 1);
      truncateSync(path, Buffer.byteLength(whole));
      for (const line of whole.split('\n')) if (line !== '') this.#remember(keyOf(JSON.parse(line)));
    }
    this.#descriptor = openSync(path, 'a');
  }

  /** Writes the new events and returns their number. They are on disk when it returns. */
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

  /** Whether the key was new. */
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
