/** One direction of a proxied connection: bytes arrive in order, late and slowly, or not until a partition is over. */

export interface Pace {
  /** From one end to the other. */
  readonly delayMs: number;
  readonly bytesPerSecond: number;
}

export interface PassageParts {
  readonly pace: () => Pace;
  /** Passes bytes on. False: the receiver asks for a pause. */
  readonly pass: (bytes: Buffer) => boolean;
  /** Called when there is capacity again. */
  readonly resume: () => unknown;
}

/** Bytes on their way before the sender is paused. */
const MAX_BYTES = 1 << 20;

export class Passage {
  readonly #parts: PassageParts;
  readonly #queue: { readonly at: number; readonly bytes: Buffer }[] = [];
  #bytes = 0;
  #isClosed = false;
  /** Bytes that were passed on. */
  passed = 0;
  /** When the last bytes have left, and when they arrive. */
  #leftAt = 0;
  #lastAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: PassageParts) {
    this.#parts = parts;
  }

  get isFull(): boolean {
    return this.#bytes >= MAX_BYTES;
  }

  /** Bytes on their way. */
  get waiting(): number {
    return this.#bytes;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** From now on nothing is passed on until `open`, as if it was lost and sent again. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  open(): void {
    this.#isClosed = false;
    if (this.#queue.length > 0) this.#deliver();
  }

  /** False: the sender must pause. */
  add(bytes: Buffer): boolean {
    const { delayMs, bytesPerSecond } = this.#parts.pace();
    const now = performance.now();
    this.#leftAt = Math.max(this.#leftAt, now) + (bytes.length / bytesPerSecond) * 1_000;
    this.#lastAt = Math.max(this.#lastAt, this.#leftAt + delayMs);
    if (!this.#isClosed && this.#queue.length === 0 && this.#lastAt <= now) return this.#pass(bytes);
    this.#queue.push({ at: this.#lastAt, bytes });
    this.#bytes += bytes.length;
    if (!this.#isClosed) this.#timer ??= setTimeout(() => this.#deliver(), this.#lastAt - now);
    return !this.isFull;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
  }

  #deliver(): void {
    this.#timer = undefined;
    const wasPaused = this.isFull;
    for (let next = this.#queue[0]; next && next.at <= performance.now(); next = this.#queue[0]) {
      this.#queue.shift();
      this.#bytes -= next.bytes.length;
      this.#pass(next.bytes);
    }
    const [next] = this.#queue;
    if (next) this.#timer = setTimeout(() => this.#deliver(), Math.max(1, next.at - performance.now()));
    if (wasPaused && !this.isFull) this.#parts.resume();
  }

  #pass(bytes: Buffer): boolean {
    this.passed += bytes.length;
    return this.#parts.pass(bytes);
  }
}
