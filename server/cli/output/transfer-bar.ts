/** Progress of an export or import: one bar while the file is checked, another one while rows are copied. */
import type { TransferProgress } from '../../transfer.ts';
import type { Output } from './output.ts';
import { ProgressBar } from './progress.ts';

export class TransferBar {
  readonly #out: Output;
  #bar: ProgressBar | undefined;
  #label = '';
  #rows = 0;

  constructor(out: Output) {
    this.#out = out;
  }

  readonly show = ({ rows, of, part }: TransferProgress): void => {
    const label = part === 'check' ? 'Checking the file' : 'Moving rows';
    if (label !== this.#label) {
      this.end();
      this.#bar = new ProgressBar(this.#out, label, of);
      this.#label = label;
      this.#rows = 0;
    }
    this.#bar?.advance(rows - this.#rows);
    this.#rows = rows;
  };

  end(): void {
    this.#bar?.stop();
  }
}
