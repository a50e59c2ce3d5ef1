/** Cuts a stream of bytes into lines, within a bounded memory. */

const NEWLINE = 0x0a;

export interface LineOptions {
  /** Longest line in bytes. */
  readonly maxBytes: number;
  /** What becomes of a longer one: it comes as several, or not at all. */
  readonly tooLong: 'split' | 'drop';
  /** Told each line without its end; of a dropped one only that it was there. */
  readonly onLine: (line: string | undefined) => void;
}

export class LineSplitter {
  readonly #options: LineOptions;
  #parts: Buffer[] = [];
  #size = 0;
  #dropping = false;

  constructor(options: LineOptions) {
    this.#options = options;
  }

  push(chunk: Buffer): void {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      this.#add(chunk.subarray(from, at));
      this.#end();
      from = at + 1;
    }
    this.#add(chunk.subarray(from));
  }

  /** The stream has ended: what is left is a line, too. */
  finish(): void {
    if (this.#size > 0 || this.#dropping) this.#end();
  }

  #add(part: Buffer): void {
    if (part.length === 0 || this.#dropping) return;
    const { maxBytes, tooLong } = this.#options;
    let rest = part;
    while (this.#size + rest.length > maxBytes) {
      if (tooLong === 'drop') {
        this.#parts = [];
        this.#size = 0;
        this.#dropping = true;
        return;
      }
      const space = startOfCharacter(rest, maxBytes - this.#size);
      this.#keep(rest.subarray(0, space));
      this.#end();
      rest = rest.subarray(space);
    }
    this.#keep(rest);
  }

  #keep(part: Buffer): void {
    this.#parts.push(part);
    this.#size += part.length;
  }

  #end(): void {
    const line = this.#dropping ? undefined : Buffer.concat(this.#parts).toString('utf8').replace(/\r$/, '');
    this.#parts = [];
    this.#size = 0;
    this.#dropping = false;
    this.#options.onLine(line);
  }
}

/** The last place up to `at` where no character of UTF-8 is cut in two; `at` itself where the bytes are none. */
function startOfCharacter(bytes: Buffer, at: number): number {
  for (let place = at; place > Math.max(0, at - 4); place--) if (((bytes[place] ?? 0) & 0xc0) !== 0x80) return place;
  return at;
}
