/** Runs cases against workers of one command, several at once, and tells how each went. */
import { Bus } from './bus.ts';
import { type Case, NotOffered, Unfulfilled } from './case.ts';
import { DEFAULT_SLOTS, DEFAULT_TERMS, Lab } from './lab.ts';
import { Prng } from './prng.ts';
import { Stage } from './stage.ts';
import { endText } from './worker-process.ts';

export interface CaseResult {
  readonly one: Case;
  readonly verdict: 'passed' | 'failed' | 'not offered';
  readonly ms: number;
  /** Why it did not pass. Empty: it did. */
  readonly why: string;
  /** The step that it failed in, and its number from 1. */
  readonly step: string;
  /** The last lines that the worker wrote, where it failed. */
  readonly words: readonly string[];
}

export interface KitOptions {
  readonly command: readonly string[];
  readonly cases: readonly Case[];
  readonly seed: number;
  /** Workers at once. */
  readonly parallel: number;
  readonly signal: AbortSignal;
  /** How long a step waits for what it is about, where it says nothing else. Default: 15 s. */
  readonly patienceMs?: number;
  readonly onResult: (result: CaseResult) => void;
}

/** The command is no worker: it can't be started, or opens no session. */
export class NoWorker extends Error {
  /** The last lines that it wrote. */
  readonly words: readonly string[];

  constructor(message: string, words: readonly string[] = []) {
    super(message);
    this.words = words;
  }
}

const FIRST_CALL_MS = 30_000;

/**
 * The results in the order in which cases ended.
 *
 * @throws NoBus, and NoWorker before the first case.
 */
export async function runKit(options: KitOptions): Promise<CaseResult[]> {
  const bus = await Bus.start();
  try {
    await new Kit(options, bus).tryWorker();
    return await runCases(options, bus);
  } finally {
    await bus.stop();
  }
}

/** As `runKit`, over a bus that runs, and without a look at the command first. */
export function runCases(options: KitOptions, bus: Bus): Promise<CaseResult[]> {
  return new Kit(options, bus).run();
}

class Kit {
  readonly #options: KitOptions;
  readonly #bus: Bus;
  readonly #results: CaseResult[] = [];
  readonly #own: Case[];
  readonly #shared: Case[];

  constructor(options: KitOptions, bus: Bus) {
    this.#options = options;
    this.#bus = bus;
    this.#own = options.cases.filter(({ isShared }) => !isShared);
    this.#shared = options.cases.filter(({ isShared }) => isShared);
  }

  async run(): Promise<CaseResult[]> {
    await Promise.all(Array.from({ length: this.#options.parallel }, () => this.#lane()));
    return this.#results;
  }

  /** @throws NoWorker when the command does not even call OpenSession. */
  async tryWorker(): Promise<void> {
    const lab = await this.#open({});
    const deadline = performance.now() + FIRST_CALL_MS;
    try {
      lab.startProcess();
      while (lab.plane.sessions.length === 0 && !this.#options.signal.aborted) {
        const { process } = lab;
        const fault = process?.startFault;
        if (fault) throw new NoWorker(`the worker can't be started: ${fault.message}`);
        const words = process?.lastWords() ?? [];
        if (process?.ended)
          throw new NoWorker(`the worker ended (${endText(process.ended)}) before it opened a session`, words);
        if (performance.now() > deadline)
          throw new NoWorker(`the worker opened no session within ${FIRST_CALL_MS / 1_000} s`, words);
        await lab.nextChange(100);
      }
    } finally {
      await lab.close();
    }
  }

  /** Those that need a worker of their own are the longest: they go first. */
  async #lane(): Promise<void> {
    for (let one = this.#next(this.#own); one; one = this.#next(this.#own)) {
      const lab = await this.#open(one);
      await this.#runCase(one, lab).finally(() => lab.close());
    }
    await this.#sharedLane();
  }

  /** One worker after the other, each for as long as it passes. */
  async #sharedLane(): Promise<void> {
    let lab: Lab | undefined;
    try {
      for (let one = this.#next(this.#shared); one; one = this.#next(this.#shared)) {
        lab ??= await this.#open(one);
        if (await this.#runCase(one, lab)) continue;
        await lab.close();
        lab = undefined;
      }
    } finally {
      await lab?.close();
    }
  }

  #next(cases: Case[]): Case | undefined {
    return this.#options.signal.aborted ? undefined : cases.shift();
  }

  #open({ slots = DEFAULT_SLOTS, terms }: Partial<Case>): Promise<Lab> {
    return Lab.open({
      command: this.#options.command,
      bus: this.#bus,
      slots,
      terms: { ...DEFAULT_TERMS, ...terms },
    });
  }

  /** Whether it passed. */
  async #runCase(one: Case, lab: Lab): Promise<boolean> {
    const startedAt = performance.now();
    const stage = new Stage(lab, new Prng(this.#options.seed, one.name), this.#options);
    let at = 0;
    let error: unknown;
    try {
      for (const step of one.steps) {
        at++;
        await step.run(stage);
      }
      stage.checkRules();
    } catch (reason) {
      error = reason;
    }
    if (this.#options.signal.aborted) return false;
    const result = resultOf(one, error, at, lab, performance.now() - startedAt);
    this.#results.push(result);
    this.#options.onResult(result);
    return result.verdict === 'passed';
  }
}

/** @throws what is a fault of the kit's own. */
function resultOf(one: Case, error: unknown, at: number, lab: Lab, ms: number): CaseResult {
  if (error === undefined) return { one, verdict: 'passed', ms, why: '', step: '', words: [] };
  const step = `step ${at} of ${one.steps.length}: ${one.steps[at - 1]?.text ?? ''}`;
  if (error instanceof NotOffered) return { one, verdict: 'not offered', ms, why: error.message, step, words: [] };
  if (!(error instanceof Unfulfilled)) throw error;
  const { process } = lab;
  const end = process?.ended ? [`(it ended with ${endText(process.ended)})`] : [];
  return { one, verdict: 'failed', ms, why: error.message, step, words: [...(process?.lastWords() ?? []), ...end] };
}
