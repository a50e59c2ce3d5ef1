/** How far an export or import is: a bar at a terminal, nothing where nobody looks. */
import { Presets, SingleBar } from 'cli-progress';
import type { TransferProgress } from '../../transfer.ts';

const PARTS: Readonly<Record<string, string>> = { check: 'checks the file' };

export class TransferBar {
  readonly #bar: SingleBar | undefined;
  #part: string | undefined;

  constructor() {
    if (!process.stderr.isTTY) return;
    const format = '  {bar} {percentage} %  {value} of {total} rows  {part}';
    this.#bar = new SingleBar({ format, stream: process.stderr, clearOnComplete: true, fps: 10 }, Presets.rect);
  }

  readonly show = ({ rows, of, part }: TransferProgress): void => {
    const wasCheck = this.#part === 'check';
    if (this.#part === undefined || (wasCheck && part !== 'check')) this.#bar?.start(of, 0);
    this.#part = part;
    this.#bar?.update(rows, { part: PARTS[part] ?? part });
  };

  end(): void {
    this.#bar?.stop();
  }
}
