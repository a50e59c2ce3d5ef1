/** The stderr output of a command: the attempt's log, line by line, and the last lines for the failure. */
import type { JobContext } from '@muster-jobs/sdk';
import { LineSplitter } from './lines.ts';

/** Maximum size of a log record. */
const MAX_LINE_BYTES = 8 * 1024;
const LAST_LINES = 10;
const LAST_CHARACTERS = 4_000;

export class StderrLog {
  readonly #lines: LineSplitter;
  readonly #last: string[] = [];

  constructor(context: JobContext) {
    this.#lines = new LineSplitter({
      maxBytes: MAX_LINE_BYTES,
      tooLong: 'split',
      onLine: (line = '') => {
        if (line === '') return;
        context.log('info', line);
        this.#last.push(line);
        if (this.#last.length > LAST_LINES) this.#last.shift();
      },
    });
  }

  /** The last lines; if they are long, only their end. */
  get last(): string {
    return this.#last.join('\n').slice(-LAST_CHARACTERS);
  }

  push(chunk: Buffer): void {
    this.#lines.push(chunk);
  }

  finish(): void {
    this.#lines.finish();
  }
}
