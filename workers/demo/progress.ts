/** Shows how far the jobs are: bars on a terminal, a line at each quarter elsewhere. */
import { MultiBar, type SingleBar } from 'cli-progress';
import type { JobKind } from './pipeline.ts';

const SHOWN = [
  { kind: 'count', label: 'count chunks   Python    ' },
  { kind: 'merge', label: 'merge counts   TypeScript' },
] as const;

interface Meter {
  readonly label: string;
  readonly size: number;
  readonly bar: SingleBar | undefined;
  done: number;
}

export class Progress {
  readonly #bars: MultiBar | undefined;
  readonly #meters = new Map<JobKind, Meter>();
  readonly #waiting: { share: number; resolve: () => void }[] = [];

  constructor(sizes: Record<JobKind, number>) {
    if (process.stdout.isTTY) this.#bars = openBars();
    for (const { kind, label } of SHOWN) {
      const size = sizes[kind];
      this.#meters.set(kind, { label, size, done: 0, bar: this.#bars?.create(size, 0, { label }) });
    }
  }

  ended(kind: JobKind): void {
    const meter = this.#meters.get(kind);
    if (meter === undefined) return;
    meter.done += 1;
    meter.bar?.update(meter.done);
    const quarter = Math.floor((4 * meter.done) / meter.size);
    const before = Math.floor((4 * (meter.done - 1)) / meter.size);
    if (!meter.bar && quarter > before) this.say(`  ${meter.label}  ${meter.done} of ${meter.size}`);
    for (const wait of this.#waiting) if (this.#share() >= wait.share) wait.resolve();
  }

  /** Resolves once this share of the chunks, from 0 to 1, is counted. */
  reached(share: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#share() >= share) resolve();
      else this.#waiting.push({ share, resolve });
    });
  }

  /** Prints a line, above the bars where there are some. */
  say(line: string): void {
    if (this.#bars) this.#bars.log(`${line}\n`);
    else process.stdout.write(`${line}\n`);
  }

  stop(): void {
    this.#bars?.stop();
  }

  #share(): number {
    const meter = this.#meters.get('count');
    return meter === undefined ? 0 : meter.done / meter.size;
  }
}

function openBars(): MultiBar {
  return new MultiBar({
    format: '  {label}  {bar}  {value}/{total}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 32,
    hideCursor: true,
    gracefulExit: false, // the demo ends itself in order
    emptyOnZero: true,
    stream: process.stdout,
  });
}
