/** Collects the bytes of many jobs in one buffer, which a message between threads transfers without copying. */

const encoder = new TextEncoder();
const FIRST_SIZE = 16 * 1024;
/** A larger buffer than this is not reused for the next batch. */
const KEPT_SIZE = 1024 * 1024;

export class ByteBatch {
  #buffer = new Uint8Array(FIRST_SIZE);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Appends text as UTF-8; returns the number of bytes. */
  appendText(text: string): number {
    this.#reserve(text.length * 3);
    const { written } = encoder.encodeInto(text, this.#buffer.subarray(this.#length));
    this.#length += written;
    return written;
  }

  /** Returns the bytes so far in a transferable buffer, and starts a new batch. */
  take(): Uint8Array<ArrayBuffer> {
    const bytes = this.#buffer.slice(0, this.#length);
    this.#length = 0;
    if (this.#buffer.length > KEPT_SIZE) this.#buffer = new Uint8Array(FIRST_SIZE);
    return bytes;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}
