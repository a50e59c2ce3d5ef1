/** How far an export or import is: one bar while the file is checked, another one while rows move. */
import type { TransferProgress } from '../../transfer.ts';
import { ProgressBar } from './progress.ts';

export class TransferBar {
  #bar: ProgressBar | undefined;
  #label = '';
  #rows = 0;

  readonly show = ({ rows, of, part }: TransferProgress): void => {
    const label = part === 'check' ? 'Checking the file' : 'Moving rows';
    if (label !== this.#label) {
      this.end();
      this.#bar = new ProgressBar(label, of);
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
