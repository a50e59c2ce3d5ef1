/** Virtual time: a queue of events. Time advances only when everything that an event triggered has settled. */

export interface ScheduledEvent {
  /** No effect after it has run. */
  cancel(): void;
}

interface Entry {
  readonly at: number;
  readonly order: number;
  /** Its result is awaited before time advances: so statements take part in virtual time. */
  run: (() => unknown) | undefined;
}

export class World {
  #now = 0;
  #order = 0;
  readonly #heap: Entry[] = [];

  /** Milliseconds since the start of the simulation. */
  get now(): number {
    return this.#now;
  }

  after(ms: number, run: () => unknown): ScheduledEvent {
    return this.at(this.#now + ms, run);
  }

  at(time: number, run: () => unknown): ScheduledEvent {
    const at = Math.max(this.#now, Math.round(time * 1000) / 1000);
    const entry: Entry = { at, order: this.#order++, run };
    this.#push(entry);
    return {
      cancel: () => {
        entry.run = undefined;
      },
    };
  }

  /** Advances time at once: events that fall due meanwhile then run in order, as in a process that was stopped. */
  skipTo(time: number): void {
    this.#now = Math.max(this.#now, time);
  }

  /** Runs events in order of time until `done` returns true, `endMs` is reached or nothing is left. */
  async run(endMs: number, done: () => boolean): Promise<void> {
    await atRest();
    while (!done()) {
      const entry = this.#pop();
      if (!entry || entry.at > endMs) return;
      if (!entry.run) continue;
      this.#now = Math.max(this.#now, entry.at);
      await entry.run();
      await atRest();
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let i = heap.push(entry) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!earlier(entry, heap[parent] as Entry)) break;
      heap[i] = heap[parent] as Entry;
      i = parent;
    }
    heap[i] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || first === last) return first;
    let i = 0;
    for (let child = 1; child < heap.length; child = 2 * i + 1) {
      if (child + 1 < heap.length && earlier(heap[child + 1] as Entry, heap[child] as Entry)) child++;
      if (!earlier(heap[child] as Entry, last)) break;
      heap[i] = heap[child] as Entry;
      i = child;
    }
    heap[i] = last;
    return first;
  }
}

function earlier(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** The code under test waits only on promises and on our own timers, so one turn of the event loop settles it. */
function atRest(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
