/** The whole terminal, redrawn in place; the previous content is restored at the end. */
import type { CommandStream } from '../command-process.ts';

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const TO_END_OF_LINE = '\u001b[K';
const BELOW = '\u001b[J';

export class Screen {
  readonly #stdout: CommandStream;

  constructor(stdout: CommandStream) {
    this.#stdout = stdout;
    stdout.write(ENTER);
  }

  get rows(): number {
    return this.#stdout.rows ?? 0;
  }

  /** Lines beyond the last row are cut. */
  draw(lines: readonly string[]): void {
    const shown = lines.slice(0, this.rows).map((line) => `${line}${TO_END_OF_LINE}`);
    this.#stdout.write(`${HOME}${shown.join('\r\n')}${BELOW}`);
  }

  leave(): void {
    this.#stdout.write(LEAVE);
  }
}
