/** The whole terminal, drawn over and over in its place; what was on it before comes back at the end. */

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const TO_END_OF_LINE = '\u001b[K';
const BELOW = '\u001b[J';

export class Screen {
  constructor() {
    process.stdout.write(ENTER);
  }

  get rows(): number {
    return process.stdout.rows;
  }

  /** Lines beyond the last row are left out. */
  draw(lines: readonly string[]): void {
    const shown = lines.slice(0, this.rows).map((line) => `${line}${TO_END_OF_LINE}`);
    process.stdout.write(`${HOME}${shown.join('\r\n')}${BELOW}`);
  }

  leave(): void {
    process.stdout.write(LEAVE);
  }
}
