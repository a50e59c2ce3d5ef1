/** Collects the problems of a file, to report them together. */
import { CliError } from '../failures/cli-error.ts';

const MAX_SHOWN = 10;

export class Problems {
  readonly #file: string;
  readonly #next: string;
  readonly #found: string[] = [];
  #total = 0;

  /** @param next What to do about them. */
  constructor(file: string, next: string) {
    this.#file = file;
    this.#next = next;
  }

  /** @param where The line or the field. */
  add(where: string, reason: string): void {
    this.#total++;
    if (this.#found.length < MAX_SHOWN) this.#found.push(`${where}: ${reason}`);
  }

  get isFull(): boolean {
    return this.#total >= MAX_SHOWN;
  }

  /** @throws CliError that names each. */
  throwIfAny(): void {
    if (this.#total === 0) return;
    throw new CliError({
      message: `${this.#file} is wrong; nothing was simulated`,
      details: this.#found,
      next: this.#next,
    });
  }
}
