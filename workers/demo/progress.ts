/** Shows the progress of the workflow: bars on a terminal, otherwise a line at each quarter. */
import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { Client, Workflow } from '@muster-jobs/sdk';
import { MultiBar, type SingleBar } from 'cli-progress';

type Steps = Awaited<ReturnType<Client['listWorkflowSteps']>>['steps'];

/** The step whose items are counted. */
const STEP = 'count';
const LABELS = { parts: 'parts counted', whole: 'the whole    ' } as const;

export class Progress {
  readonly #size: number;
  readonly #bars: MultiBar | undefined;
  readonly #parts: SingleBar | undefined;
  readonly #whole: SingleBar | undefined;
  #done = 0;
  readonly #waiting: { share: number; resolve: () => void }[] = [];

  /** @param size Number of parts. */
  constructor(size: number) {
    this.#size = size;
    if (process.stdout.isTTY) this.#bars = openBars();
    this.#parts = this.#bars?.create(size, 0, { label: LABELS.parts, shown: '' });
    this.#whole = this.#bars?.create(1, 0, { label: LABELS.whole, shown: '' });
  }

  /** Updates the display; called repeatedly. */
  show(workflow: Workflow, steps: Steps): void {
    const whole = wholeText(workflow);
    const done = steps.find(({ name }) => name === STEP)?.fanOut?.succeededCount ?? 0;
    const shown = `${done} of ${this.#size}`;
    this.#whole?.update(workflow.progress, { shown: whole });
    this.#parts?.update(done, { shown });
    const quarterOf = (parts: number) => Math.floor((4 * parts) / this.#size);
    const isQuarter = quarterOf(done) > quarterOf(this.#done);
    if (!this.#bars && isQuarter) this.say(`  ${LABELS.parts}  ${shown.padEnd(8)}  ${LABELS.whole}  ${whole}`);
    this.#done = done;
    for (const wait of this.#waiting) if (this.#share() >= wait.share) wait.resolve();
  }

  /** Resolves once this share of the parts, from 0 to 1, is counted. */
  reached(share: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#share() >= share) resolve();
      else this.#waiting.push({ share, resolve });
    });
  }

  /** Prints a line, above the bars if there are any. */
  say(line: string): void {
    if (this.#bars) this.#bars.log(`${line}\n`);
    else process.stdout.write(`${line}\n`);
  }

  stop(): void {
    this.#bars?.stop();
  }

  #share(): number {
    return this.#done / this.#size;
  }
}

/** Such as `42 % done, about 3.1 s left`. */
function wholeText({ progress, estimatedEndTime }: Workflow): string {
  const share = `${Math.floor(progress * 100)} % done`;
  if (estimatedEndTime === undefined) return share;
  return `${share}, about ${(Math.max(0, timestampMs(estimatedEndTime) - Date.now()) / 1_000).toFixed(1)} s left`;
}

function openBars(): MultiBar {
  return new MultiBar({
    format: '  {label}  {bar}  {shown}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 32,
    hideCursor: true,
    gracefulExit: false, // the demo ends itself in order
    emptyOnZero: true,
    stream: process.stdout,
  });
}
