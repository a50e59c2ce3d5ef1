/** Divides a stream of bytes into lines, within bounded memory. */

const NEWLINE = 0x0a;

export interface LineOptions {
  /** Maximum length of a line in bytes. */
  readonly maxBytes: number;
  /** What happens to a longer line: it is split into several, or dropped. */
  readonly tooLong: 'split' | 'drop';
  /** Called with each line without its line end; with `undefined` for a dropped line. */
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

  /** The stream has ended: the remaining bytes are a line, too. */
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

/** The last position up to `at` that splits no UTF-8 character; `at` itself if the bytes are not UTF-8. */
function startOfCharacter(bytes: Buffer, at: number): number {
  for (let place = at; place > Math.max(0, at - 4); place--) if (((bytes[place] ?? 0) & 0xc0) !== 0x80) return place;
  return at;
}
